"""Separation on a phone or a small computer: exported TFLite files, NumPy and the LiteRT runtime;
TensorFlow is not needed.

from tfsepgan.ondevice import StreamingSeparator

separator = StreamingSeparator("piano.stream.tflite", channels=2)
stems = separator.push(samples)   # {"piano": ..., "residual": ...}: what is ready by now
stems = separator.finish()        # the rest
"""

from tfsepgan.ondevice.description import describe
from tfsepgan.ondevice.streaming import StreamingSeparator

__all__ = ["StreamingSeparator", "describe"]
