"""TensorFlow's C API by ctypes: functions, types, and the protocol buffer of signatures.

`c_session.py` uses it to run SavedModels.
"""

import ctypes
import importlib.util
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_void_p
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# TF_DataType
DTYPES = {1: np.float32, 2: np.float64, 3: np.int32, 4: np.uint8, 9: np.int64, 10: np.bool_}
CODES = {np.dtype(kind): code for code, kind in DTYPES.items()}
STRING, STRING_BYTES = 7, 24  # TF_STRING, sizeof(TF_TString)
# TF_Code, with the same numbers as gRPC's status codes
OK, INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION = 0, 3, 5, 9


class SessionError(Exception):
    """An error that TensorFlow returned; `code` is a TF_Code, which equals gRPC's status code."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class TensorInfo:
    """A tensor of a signature: its place in the graph, and its declared type and shape.

    In `shape`, -1 means any length; None means any rank.
    """

    operation: str
    index: int
    dtype: int
    shape: tuple[int, ...] | None


class Output(ctypes.Structure):
    _fields_ = [("oper", c_void_p), ("index", c_int)]


class Buffer(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("length", c_size_t), ("deallocator", c_void_p)]


_POINTERS = (
    *("TF_NewGraph", "TF_NewStatus", "TF_NewSessionOptions", "TF_LoadSessionFromSavedModel"),
    *("TF_GraphOperationByName", "TF_AllocateTensor", "TF_TensorData", "TF_StringGetDataPointer"),
)
_RETURNS = {
    **dict.fromkeys(_POINTERS, c_void_p),
    "TF_NewBuffer": POINTER(Buffer),
    "TF_Message": c_char_p,
    "TF_Dim": c_int64,
    "TF_StringGetSize": c_size_t,
    **dict.fromkeys(("TF_StringInit", "TF_StringCopy", "TF_StringDealloc", "TF_SessionRun"), None),
    **dict.fromkeys(("TF_DeleteTensor", "TF_SetConfig"), None),
}
_ONE_POINTER = (
    *("TF_StringInit", "TF_StringGetDataPointer", "TF_StringGetSize", "TF_StringDealloc"),
    *("TF_TensorData", "TF_TensorType", "TF_NumDims", "TF_DeleteTensor", "TF_DeleteStatus"),
    *("TF_DeleteSessionOptions", "TF_DeleteBuffer", "TF_GetCode", "TF_Message"),
)
_ARGUMENTS = {
    **dict.fromkeys(_ONE_POINTER, [c_void_p]),
    "TF_SetConfig": [c_void_p, c_char_p, c_size_t, c_void_p],
    "TF_LoadSessionFromSavedModel": [
        *(c_void_p, c_void_p, c_char_p, POINTER(c_char_p), c_int),
        *(c_void_p, c_void_p, c_void_p),
    ],
    "TF_GraphOperationByName": [c_void_p, c_char_p],
    "TF_AllocateTensor": [c_int, POINTER(c_int64), c_int, c_size_t],
    "TF_Dim": [c_void_p, c_int],
    "TF_StringCopy": [c_void_p, c_char_p, c_size_t],
    "TF_SessionRun": [
        *(c_void_p, c_void_p, c_void_p, c_void_p, c_int),
        *(c_void_p, c_void_p, c_int),
        *(c_void_p, c_int, c_void_p, c_void_p),
    ],
    "TF_CloseSession": [c_void_p, c_void_p],
    "TF_DeleteSession": [c_void_p, c_void_p],
}


def library() -> ctypes.CDLL:
    """TensorFlow's C library from the installed wheel, without importing the package."""
    found = importlib.util.find_spec("tensorflow")
    if found is None:
        raise SystemExit("TensorFlow is not installed: pip install tensorflow")
    folder = Path(found.submodule_search_locations[0])
    loaded = ctypes.CDLL(str(next(folder.glob("libtensorflow_cc.so.*"))), mode=ctypes.RTLD_GLOBAL)
    for name in _RETURNS.keys() | _ARGUMENTS.keys():
        function = getattr(loaded, name)
        function.restype = _RETURNS.get(name, c_int)
        function.argtypes = _ARGUMENTS.get(name, [])
    return loaded


class Status:
    """A TFStatus for one call; raises SessionError if the call set it."""

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
    """The fields of a serialised protocol buffer as (number, value).

    The value is an int, or bytes for a field that has a length.
    """
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


def signatures_of(
    meta_graph: bytes,
) -> dict[str, tuple[dict[str, TensorInfo], dict[str, TensorInfo]]]:
    """Inputs and outputs by signature, from a serialised MetaGraphDef.

    Source: `tensorflow/core/protobuf/meta_graph.proto` for the numbers of the fields.
    """
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
