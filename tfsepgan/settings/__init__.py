"""Settings and presets, one file a system; free of TensorFlow, so that `--help` is fast."""
