"""A trained generator as files for others to run: SavedModel, TFLite, model card.

`exporter` does it all for models that separate, `synthesis` for those that make sounds; these are
what to call. `folder`, `savedmodel`, `tflite` (and `convert`, which runs in a process of its own),
`parity` and `card` each do one part; `variants` says which further TFLite files there are and
`ondevice_files` makes them, with `streaming` and `metadata`.
"""
