"""Separation of recordings of any length, rate and channel count with a trained generator.

`engine` cuts a signal into blocks and joins the estimates, `stream` adds resampling and the
residual, and `separator` holds the class to use. `files` separates files on disk into stems on
disk, `naming` chooses the folders of those, and `runtimes` runs a model in NumPy, LiteRT or
TensorFlow.
"""
