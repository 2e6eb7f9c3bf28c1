"""Conversion to TFLite files with built-in operators only, which every TFLite runtime has."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

import tfsepgan
from tfsepgan.errors import ExportError

_NEEDED_OPS = re.compile(r"(?:TF Select|Flex|Custom) ops: ([^\n]*)")


def write_tflite(
    saved_model: Path,
    outputs: Mapping[str, Path],
    *,
    signature: str = "separate",
    calibration: Path | None = None,
) -> None:
    """Convert a SavedModel in a separate process, and check the operators of the files.

    Args:
      saved_model: folder, as `savedmodel.writer.write_mono_saved_model` writes it.
      outputs: path of a `.tflite` file by precision, see `convert.convert`.
      signature: name of the function to convert.
      calibration: `.npz` of inputs; needed for the precision "int8".
    Raises: ExportError when the converter fails, or a file needs other than built-in operators.
    """
    files = {**outputs, **({"calibration": calibration} if calibration else {})}
    wanted = [f"{name}={path.resolve()}" for name, path in files.items()]
    finished = run_converter([str(saved_model.resolve()), signature, *wanted], saved_model.parent)
    if finished.returncode or not all(path.is_file() for path in outputs.values()):
        raise ExportError(f"conversion to TFLite failed: {_reason(finished)}")
    for precision, path in outputs.items():
        foreign = foreign_operators(path)
        if foreign:
            raise ExportError(
                f"the TFLite ({precision}) file needs operators that are not built in:"
                f" {', '.join(foreign)}; use layers that convert to built-in ones"
            )


def run_converter(arguments: list[str], folder: Path) -> subprocess.CompletedProcess:
    """Run the program `convert` with these arguments in a folder."""
    package_root = str(Path(tfsepgan.__file__).resolve().parent.parent)
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",  # it needs no accelerator, which may be busy with a training
    }
    return subprocess.run(
        [sys.executable, "-m", "tfsepgan.export.tflite.convert", *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def open_interpreter(path: Path, *, threads: int = 2):
    """The LiteRT interpreter of a TFLite file."""
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_path=str(path), num_threads=threads)


def foreign_operators(path: Path) -> list[str]:
    """Names of the operators in a TFLite file that are not built in (Flex or custom).

    Source: the file's table of operator codes, by TensorFlow's schema; built-in code 32 is CUSTOM.
    """
    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    return sorted(
        (code.CustomCode() or b"?").decode()
        for code in codes
        if max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) == schema.BuiltinOperator.CUSTOM
    )


def run_tflite(path: Path, mixture: np.ndarray) -> dict[str, np.ndarray]:
    """Separate a mixture with a TFLite file, channel after channel.

    Args:
      path: file with the signature `separate`.
      mixture: `[time, channels]` float32 at the model's rate.
    Returns: stems `[time, channels]` by name.
    """
    separate = open_interpreter(path).get_signature_runner("separate")
    stems: dict[str, list[np.ndarray]] = {}
    for channel in mixture.T:
        for name, samples in separate(mixture=np.ascontiguousarray(channel)[None, :, None]).items():
            stems.setdefault(name, []).append(samples[0, :, 0].copy())
    return {name: np.stack(channels, axis=1) for name, channels in stems.items()}


def _reason(finished: subprocess.CompletedProcess) -> str:
    """The reason for a failure, extracted from the converter's output."""
    needed = _NEEDED_OPS.search(finished.stderr)
    if needed:
        return (
            f"it needs operators that are not built in ({needed.group(1).strip()}); use layers that"
            " convert"
        )
    lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
    last = next(
        (line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else ""
    )
    return f"exit code {finished.returncode}: {last[:500] or 'no message'}"
