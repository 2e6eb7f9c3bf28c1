"""A trained generator as files for other programs: SavedModel, TFLite, model card.

Call `exporter` for models that separate, `synthesis` for models that make sounds. `folder`,
`savedmodel`, `tflite`, `parity` and `card` each do one part of it.
"""
