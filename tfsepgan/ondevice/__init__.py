"""Separation on a phone or a small computer, with NumPy and LiteRT, without TensorFlow.

from tfsepgan.ondevice import StreamingSeparator

separator = StreamingSeparator("piano.stream.tflite", channels=2)
stems = separator.push(samples)  # {"piano": ..., "residual": ...}: the samples that are ready
stems = separator.finish()       # the last samples
"""

from tfsepgan.ondevice.description import describe
from tfsepgan.ondevice.streaming import StreamingSeparator

__all__ = ["StreamingSeparator", "describe"]
