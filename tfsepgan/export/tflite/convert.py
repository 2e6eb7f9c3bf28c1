"""A program that converts a SavedModel to TFLite.

    python -m tfsepgan.export.tflite.convert SAVED_MODEL SIGNATURE float32=FILE float16=FILE ...

Precisions are "float32", "float16", "dynamic" and "int8"; "int8" needs `calibration=FILE`, a `.npz`
of inputs. The program runs in a process of its own because the converter aborts the process on
models that it cannot convert, and prints pages of text on others.

Source: quantisation by Jacob et al. 2018, arXiv:1712.05877; TensorFlow's post-training
quantisation.
Departs from it: "int8" quantises matrix products and convolutions only, which hold nearly all of
the weights and of the arithmetic. The rest stays in float, because the bins of a spectrum differ by
100 dB, which does not fit into 8 bits.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

QUANTISED = ("FULLY_CONNECTED", "CONV_2D")  # TFLite's names of these operators


def convert(
    saved_model: str, signature: str, precision: str, calibration: str | None = None
) -> bytes:
    """Convert a signature with built-in operators only.

    Args:
      saved_model: folder of the SavedModel.
      signature: its name, such as "separate".
      precision: "float32"; "float16" for weights of half the size; "dynamic" for 8-bit weights,
        where each product quantises its input by the range of that input; "int8" for 8-bit weights
        and ranges that are fixed beforehand.
      calibration: for "int8", path of a `.npz`; every array in it is an input for measuring ranges.
    Returns: the content of the TFLite file.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=[signature])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision == "float32":
        return converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        return _with_fixed_ranges(converter, signature, calibration)
    return converter.convert()


def _with_fixed_ranges(converter, signature: str, calibration: str) -> bytes:
    with np.load(calibration) as arrays:
        inputs = list(arrays.values())

    def examples():
        for one in inputs:
            yield signature, {"mixture": one}

    converter.representative_dataset = examples
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS,
        tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    ]
    others = [
        name for name in vars(schema.BuiltinOperator) if name.isupper() and name not in QUANTISED
    ]
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=others)
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=examples, debug_options=options
    )
    return debugger.get_nondebug_quantized_model()


def main(arguments: list[str]) -> None:
    """Write the files that the arguments name, as the module's docstring shows."""
    saved_model, signature, *files = arguments
    wanted = dict(argument.split("=", 1) for argument in files)
    calibration = wanted.pop("calibration", None)
    for precision, output in wanted.items():
        Path(output).write_bytes(convert(saved_model, signature, precision, calibration))


if __name__ == "__main__":
    main(sys.argv[1:])
