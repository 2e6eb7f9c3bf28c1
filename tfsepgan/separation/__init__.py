"""Separation of recordings of any length, rate and channel count with a trained generator.

`engine` cuts and joins, `stream` adds rates and the residual, `separator` is the class to use,
`files` and `bulk` go from audio files to stems on disk, `naming` decides where those lie.
"""
