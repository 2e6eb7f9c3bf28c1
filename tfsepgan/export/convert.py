"""SavedModel to TFLite, as a program: `python -m tfsepgan.export.convert SAVED_MODEL SIGNATURE float32=FILE float16=FILE`.

It runs in a process of its own because the converter aborts the whole process on what it cannot handle, and
prints pages on what it can.
"""

import sys
from pathlib import Path


def convert(saved_model: str, signature: str, precision: str) -> bytes:
    """Convert a signature with built-in operators only.

    Args:
      saved_model: folder of the SavedModel.
      signature: its name, such as "separate".
      precision: "float32", or "float16" for weights of half the size.
    Returns: the TFLite file.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=[signature])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


if __name__ == "__main__":
    for wanted in sys.argv[3:]:
        wanted_precision, _, output = wanted.partition("=")
        Path(output).write_bytes(convert(sys.argv[1], sys.argv[2], wanted_precision))
