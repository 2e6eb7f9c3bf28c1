"""A SavedModel through TensorFlow's C API, with no Python TensorFlow in the process.

`TF_LoadSessionFromSavedModel` is the loader that TF Serving uses, in C++. What runs here needs no
Python operator, no custom operator and no class of the package.

    session = Session("exported_models/piano/1")
    stems = session.run("separate", {"mixture": np.zeros((1, 44100, 2), np.float32)})

As a program it runs one signature on arrays in an .npz file: `python tests/doubles/c_session.py
SAVED_MODEL SIGNATURE IN.npz OUT.npz`.
"""

import argparse
import ctypes
import importlib.util
import json
import sys
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_void_p
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# TF_DataType
DTYPES = {1: np.float32, 2: np.float64, 3: np.int32, 4: np.uint8, 9: np.int64, 10: np.bool_}
CODES = {np.dtype(kind): code for code, kind in DTYPES.items()}
STRING, STRING_BYTES = 7, 24  # TF_STRING, sizeof(TF_TString)
# TF_Code; gRPC's status codes are the same numbers
OK, INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION = 0, 3, 5, 9


class SessionError(Exception):
    """What TensorFlow answered in place of tensors: `code` is a TF_Code, which gRPC shares."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class TensorInfo:
    """Where a signature's tensor is in the graph, and what it is declared to be; -1 is any length,
    None any rank."""

    operation: str
    index: int
    dtype: int
    shape: tuple[int, ...] | None


class _Output(ctypes.Structure):
    _fields_ = [("oper", c_void_p), ("index", c_int)]


class _Buffer(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("length", c_size_t), ("deallocator", c_void_p)]


def library() -> ctypes.CDLL:
    """TensorFlow's C library out of the installed wheel, without importing the package."""
    found = importlib.util.find_spec("tensorflow")
    if found is None:
        raise SystemExit("TensorFlow is not installed: pip install tensorflow")
    folder = Path(found.submodule_search_locations[0])
    loaded = ctypes.CDLL(str(next(folder.glob("libtensorflow_cc.so.*"))), mode=ctypes.RTLD_GLOBAL)
    returns = {
        **dict.fromkeys(
            ("TF_NewGraph", "TF_NewStatus", "TF_NewSessionOptions", "TF_LoadSessionFromSavedModel"),
            c_void_p,
        ),
        **dict.fromkeys(
            ("TF_GraphOperationByName", "TF_AllocateTensor", "TF_TensorData"), c_void_p
        ),
        "TF_NewBuffer": POINTER(_Buffer),
        "TF_Message": c_char_p,
        "TF_Dim": c_int64,
        "TF_StringGetDataPointer": c_void_p,
        "TF_StringGetSize": c_size_t,
    }
    takes = {
        "TF_GetCode": [c_void_p],
        "TF_Message": [c_void_p],
        "TF_SetConfig": [c_void_p, c_char_p, c_size_t, c_void_p],
        "TF_LoadSessionFromSavedModel": [
            *[c_void_p] * 2,
            c_char_p,
            POINTER(c_char_p),
            c_int,
            *[c_void_p] * 3,
        ],
        "TF_GraphOperationByName": [c_void_p, c_char_p],
        "TF_AllocateTensor": [c_int, POINTER(c_int64), c_int, c_size_t],
        "TF_Dim": [c_void_p, c_int],
        "TF_StringCopy": [c_void_p, c_char_p, c_size_t],
        "TF_SessionRun": [
            *[c_void_p] * 4,
            c_int,
            *[c_void_p] * 2,
            c_int,
            c_void_p,
            c_int,
            c_void_p,
            c_void_p,
        ],
        "TF_CloseSession": [c_void_p] * 2,
        "TF_DeleteSession": [c_void_p] * 2,
    }
    for name in ("Init", "GetDataPointer", "GetSize", "Dealloc"):
        takes[f"TF_String{name}"] = [c_void_p]
    for name in (
        "TensorData",
        "TensorType",
        "NumDims",
        "DeleteTensor",
        "DeleteStatus",
        "DeleteSessionOptions",
        "DeleteBuffer",
    ):
        takes[f"TF_{name}"] = [c_void_p]
    for name in returns.keys() | takes.keys():
        function = getattr(loaded, name)
        function.restype, function.argtypes = returns.get(name, c_int), takes.get(name, [])
    for name in (
        "TF_StringInit",
        "TF_StringCopy",
        "TF_StringDealloc",
        "TF_SessionRun",
        "TF_DeleteTensor",
        "TF_SetConfig",
    ):
        getattr(loaded, name).restype = None
    return loaded


class Session:
    """A loaded SavedModel. `run` may be called from several threads at once."""

    def __init__(self, saved_model: str | Path, *, threads: int = 0):
        """
        Args:
          saved_model: version folder, such as `exported_models/piano/1`.
          threads: for its operators; 0 lets TensorFlow choose.
        """
        self._tf = library()
        self._graph, options = self._tf.TF_NewGraph(), self._tf.TF_NewSessionOptions()
        if threads:
            # ConfigProto: intra_op and inter_op threads
            config = bytes([2 << 3, threads, 5 << 3, threads])
            with _Status(self._tf) as status:
                self._tf.TF_SetConfig(options, config, len(config), status)
        meta, tags = self._tf.TF_NewBuffer(), (c_char_p * 1)(b"serve")
        with _Status(self._tf) as status:
            self._session = self._tf.TF_LoadSessionFromSavedModel(
                options, None, str(saved_model).encode(), tags, 1, self._graph, meta, status
            )
        self._tf.TF_DeleteSessionOptions(options)
        self.meta_graph = ctypes.string_at(meta.contents.data, meta.contents.length)
        self._tf.TF_DeleteBuffer(meta)
        self.signatures = _signatures(self.meta_graph)

    def run(
        self, signature: str, inputs: dict, outputs: tuple[str, ...] = ()
    ) -> dict[str, np.ndarray]:
        """Call a signature.

        Args:
          signature: its name.
          inputs: arrays of any shape by name; strings as object arrays of bytes.
          outputs: which to give; all if none is named.
        Returns: arrays by name.
        Raises: SessionError, with TensorFlow's code and message.
        """
        if signature not in self.signatures:
            raise SessionError(
                FAILED_PRECONDITION, f'Serving signature key "{signature}" not found.'
            )
        wanted, given = self.signatures[signature]
        if set(inputs) != set(wanted):
            raise SessionError(
                INVALID_ARGUMENT, f"got the inputs {sorted(inputs)}; send {sorted(wanted)}"
            )
        unknown = sorted(set(outputs) - set(given))
        if unknown:
            raise SessionError(INVALID_ARGUMENT, f"outputs {unknown} are not of {sorted(given)}")
        names = list(outputs or given)
        feeds = (_Output * len(inputs))(*(self._place(wanted[name]) for name in inputs))
        fetches = (_Output * len(names))(*(self._place(given[name]) for name in names))
        sent = (c_void_p * len(inputs))(
            *(self._tensor(np.asarray(value)) for value in inputs.values())
        )
        answered = (c_void_p * len(names))()
        try:
            with _Status(self._tf) as status:
                self._tf.TF_SessionRun(
                    *(self._session, None, feeds, sent, len(inputs)),
                    *(fetches, answered, len(names), None, 0, None, status),
                )
            return {name: self._array(tensor) for name, tensor in zip(names, answered, strict=True)}
        finally:
            for tensor, value in zip(sent, inputs.values(), strict=True):
                self._delete(tensor, np.asarray(value))
            for tensor in filter(None, answered):
                self._tf.TF_DeleteTensor(tensor)

    def close(self) -> None:
        """Let the model go."""
        with _Status(self._tf) as status:
            self._tf.TF_CloseSession(self._session, status)
        with _Status(self._tf) as status:
            self._tf.TF_DeleteSession(self._session, status)

    def _place(self, info: TensorInfo) -> _Output:
        operation = self._tf.TF_GraphOperationByName(self._graph, info.operation.encode())
        if not operation:
            raise SessionError(NOT_FOUND, f"the graph has no operation {info.operation}")
        return _Output(operation, info.index)

    def _tensor(self, value: np.ndarray) -> int:
        dims = (c_int64 * value.ndim)(*value.shape)
        if value.dtype == object:
            tensor = self._tf.TF_AllocateTensor(STRING, dims, value.ndim, STRING_BYTES * value.size)
            start = self._tf.TF_TensorData(tensor)
            for index, text in enumerate(value.reshape(-1)):
                self._tf.TF_StringInit(start + STRING_BYTES * index)
                self._tf.TF_StringCopy(start + STRING_BYTES * index, text, len(text))
            return tensor
        if value.dtype not in CODES:
            raise SessionError(
                INVALID_ARGUMENT,
                f"{value.dtype} arrays are not taken; send float32, bool or strings",
            )
        tensor = self._tf.TF_AllocateTensor(CODES[value.dtype], dims, value.ndim, value.nbytes)
        packed = np.ascontiguousarray(value)
        ctypes.memmove(self._tf.TF_TensorData(tensor), packed.ctypes.data, packed.nbytes)
        return tensor

    def _delete(self, tensor: int, value: np.ndarray) -> None:
        if value.dtype == object:  # the C API frees the array of strings, not what they point to
            start = self._tf.TF_TensorData(tensor)
            for index in range(value.size):
                self._tf.TF_StringDealloc(start + STRING_BYTES * index)
        self._tf.TF_DeleteTensor(tensor)

    def _array(self, tensor: int) -> np.ndarray:
        shape = tuple(self._tf.TF_Dim(tensor, axis) for axis in range(self._tf.TF_NumDims(tensor)))
        size, start = int(np.prod(shape, dtype=np.int64)), self._tf.TF_TensorData(tensor)
        kind = self._tf.TF_TensorType(tensor)
        if kind == STRING:
            places = [start + STRING_BYTES * index for index in range(size)]
            texts = np.empty(size, object)
            for index, place in enumerate(places):
                length = self._tf.TF_StringGetSize(place)
                texts[index] = ctypes.string_at(self._tf.TF_StringGetDataPointer(place), length)
            return texts.reshape(shape)
        if not size:
            return np.zeros(shape, DTYPES[kind])
        memory = (c_uint8 * (size * np.dtype(DTYPES[kind]).itemsize)).from_address(start)
        return np.frombuffer(memory, DTYPES[kind]).reshape(shape).copy()


class _Status:
    """A TF_Status for one call; raises SessionError if the call set it."""

    def __init__(self, tf: ctypes.CDLL):
        self._tf = tf

    def __enter__(self) -> int:
        self._status = self._tf.TF_NewStatus()
        return self._status

    def __exit__(self, *error) -> None:
        code, message = (
            self._tf.TF_GetCode(self._status),
            self._tf.TF_Message(self._status).decode("utf-8", "replace"),
        )
        self._tf.TF_DeleteStatus(self._status)
        if code != OK and error[0] is None:
            raise SessionError(code, message)


def fields(message: bytes):
    """The fields of a serialised protocol buffer as (number, value): an int, or bytes for what has
    a length."""
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place, value, shift = place + 1, value | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return value

    while place < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
        else:
            length = {1: 8, 5: 4}.get(kind) or varint() if kind != 2 else varint()
            yield number, message[place : place + length]
            place += length


def _signatures(
    meta_graph: bytes,
) -> dict[str, tuple[dict[str, TensorInfo], dict[str, TensorInfo]]]:
    """Inputs and outputs by signature, from a MetaGraphDef;
    `tensorflow/core/protobuf/meta_graph.proto` has the numbers."""
    found = {}
    for number, entry in fields(meta_graph):
        if number == 5:
            parts = dict(fields(entry))
            inputs, outputs = ({}, {})
            for side, item in fields(parts[2]):
                if side in (1, 2):
                    pair = dict(fields(item))
                    (inputs if side == 1 else outputs)[pair[1].decode()] = _tensor_info(pair[2])
            found[parts[1].decode()] = (inputs, outputs)
    return {name: pair for name, pair in found.items() if not name.startswith("__")}


def _tensor_info(message: bytes) -> TensorInfo:
    parts = dict(fields(message))
    operation, _, index = parts[1].decode().partition(":")
    shape = list(fields(parts.get(3, b"")))
    dims = [
        ctypes.c_int64(dict(fields(dim)).get(1, 0)).value for number, dim in shape if number == 2
    ]
    unknown = any(number == 3 and value for number, value in shape)
    return TensorInfo(operation, int(index or 0), parts.get(2, 0), None if unknown else tuple(dims))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("saved_model", "signature", "inputs", "outputs"):
        parser.add_argument(name)
    options = parser.parse_args()
    session = Session(options.saved_model)
    with np.load(options.inputs) as inputs:
        given = {name: _from_file(inputs[name]) for name in inputs.files}
    results = session.run(options.signature, given)
    np.savez(options.outputs, **{name: _to_file(value) for name, value in results.items()})
    foreign = sorted(
        {name.split(".")[0] for name in sys.modules} & {"tensorflow", "keras", "tfsepgan"}
    )
    print(
        json.dumps(
            {"signatures": sorted(session.signatures), "python_packages_of_tensorflow": foreign}
        )
    )


def _from_file(value: np.ndarray) -> np.ndarray:
    """Strings are kept as arrays of bytes in files, padded; here as void, so that a zero at the end
    stays."""
    return (
        np.array([bytes(one) for one in value.reshape(-1)], object).reshape(value.shape)
        if value.dtype.kind == "V"
        else value
    )


def _to_file(value: np.ndarray) -> np.ndarray:
    if value.dtype != object:
        return value
    longest = max(map(len, value.reshape(-1)), default=1)
    return np.array(
        [one.ljust(longest, b"\0") for one in value.reshape(-1)], f"V{longest}"
    ).reshape(value.shape)


if __name__ == "__main__":
    main()
