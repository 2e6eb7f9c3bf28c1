"""Runs a SavedModel by TensorFlow's C API, without Python TensorFlow in the process.

`TF_LoadSessionFromSavedModel` is the C++ loader that TF Serving uses. A model that runs here needs
no Python operator, no custom operator and no class of tfsepgan.

    session = Session("exported_models/piano/1")
    stems = session.run("separate", {"mixture": np.zeros((1, 44100, 2), np.float32)})

As a program it runs one signature on the arrays in an .npz file:

    python tests/doubles/c_session.py SAVED_MODEL SIGNATURE IN.npz OUT.npz
"""

import argparse
import ctypes
import json
import sys
from ctypes import c_char_p, c_int64, c_uint8, c_void_p
from pathlib import Path

import numpy as np

if __name__ == "__main__":  # `python -I` leaves this folder out
    sys.path[:0] = [str(Path(__file__).parent)]
from c_api import (  # noqa: E402
    CODES,
    DTYPES,
    FAILED_PRECONDITION,
    INVALID_ARGUMENT,
    NOT_FOUND,
    STRING,
    STRING_BYTES,
    Output,
    SessionError,
    Status,
    TensorInfo,
    library,
    signatures_of,
)


class Session:
    """A loaded SavedModel; several threads may call `run` at once."""

    def __init__(self, saved_model: str | Path, *, threads: int = 0):
        """
        Args:
          saved_model: version folder, such as `exported_models/piano/1`.
          threads: of the operators; 0 lets TensorFlow choose.
        """
        self._tf = library()
        self._graph, options = self._tf.TF_NewGraph(), self._tf.TF_NewSessionOptions()
        if threads:
            # ConfigProto: intra_op and inter_op threads
            config = bytes([2 << 3, threads, 5 << 3, threads])
            with Status(self._tf) as status:
                self._tf.TF_SetConfig(options, config, len(config), status)
        meta, tags = self._tf.TF_NewBuffer(), (c_char_p * 1)(b"serve")
        with Status(self._tf) as status:
            self._session = self._tf.TF_LoadSessionFromSavedModel(
                options, None, str(saved_model).encode(), tags, 1, self._graph, meta, status
            )
        self._tf.TF_DeleteSessionOptions(options)
        self.meta_graph = ctypes.string_at(meta.contents.data, meta.contents.length)
        self._tf.TF_DeleteBuffer(meta)
        self.signatures = signatures_of(self.meta_graph)

    def run(
        self, signature: str, inputs: dict, outputs: tuple[str, ...] = ()
    ) -> dict[str, np.ndarray]:
        """Call a signature.

        Args:
          signature: its name.
          inputs: arrays of any shape by name; strings as object arrays of bytes.
          outputs: names of the outputs to return; by default all.
        Returns: arrays by name.
        Raises: SessionError, with TensorFlow's code and message.
        """
        if signature not in self.signatures:
            raise SessionError(
                FAILED_PRECONDITION, f'Serving signature key "{signature}" not found.'
            )
        wanted, offered = self.signatures[signature]
        if set(inputs) != set(wanted):
            raise SessionError(
                INVALID_ARGUMENT, f"got the inputs {sorted(inputs)}; send {sorted(wanted)}"
            )
        unknown = sorted(set(outputs) - set(offered))
        if unknown:
            raise SessionError(
                INVALID_ARGUMENT, f"outputs {unknown} are not among {sorted(offered)}"
            )
        names = list(outputs or offered)
        feeds = (Output * len(inputs))(*(self._place(wanted[name]) for name in inputs))
        fetches = (Output * len(names))(*(self._place(offered[name]) for name in names))
        sent = (c_void_p * len(inputs))(
            *(self._tensor(np.asarray(value)) for value in inputs.values())
        )
        received = (c_void_p * len(names))()
        try:
            with Status(self._tf) as status:
                self._tf.TF_SessionRun(
                    *(self._session, None, feeds, sent, len(inputs)),
                    *(fetches, received, len(names), None, 0, None, status),
                )
            return {name: self._array(tensor) for name, tensor in zip(names, received, strict=True)}
        finally:
            for tensor, value in zip(sent, inputs.values(), strict=True):
                self._delete(tensor, np.asarray(value))
            for tensor in filter(None, received):
                self._tf.TF_DeleteTensor(tensor)

    def close(self) -> None:
        """Unload the model."""
        with Status(self._tf) as status:
            self._tf.TF_CloseSession(self._session, status)
        with Status(self._tf) as status:
            self._tf.TF_DeleteSession(self._session, status)

    def _place(self, info: TensorInfo) -> Output:
        operation = self._tf.TF_GraphOperationByName(self._graph, info.operation.encode())
        if not operation:
            raise SessionError(NOT_FOUND, f"the graph has no operation {info.operation}")
        return Output(operation, info.index)

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
                f"{value.dtype} arrays are not accepted; send float32, bool or strings",
            )
        tensor = self._tf.TF_AllocateTensor(CODES[value.dtype], dims, value.ndim, value.nbytes)
        packed = np.ascontiguousarray(value)
        ctypes.memmove(self._tf.TF_TensorData(tensor), packed.ctypes.data, packed.nbytes)
        return tensor

    def _delete(self, tensor: int, value: np.ndarray) -> None:
        if value.dtype == object:  # the C API frees the array of strings, not their characters
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("saved_model", "signature", "inputs", "outputs"):
        parser.add_argument(name)
    options = parser.parse_args()
    session = Session(options.saved_model)
    with np.load(options.inputs) as inputs:
        arrays = {name: _from_file(inputs[name]) for name in inputs.files}
    results = session.run(options.signature, arrays)
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
    """Strings from a file as an object array of bytes; files hold them padded, as void."""
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
