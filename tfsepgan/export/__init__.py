"""A trained generator as files for others to run: SavedModel, TFLite, model card.

`exporter` does it all and is what to call; `savedmodel`, `tflite` (and `convert`, which runs in a process of its own),
`parity` and `card` each do one part.
"""
