"""Settings and presets of the systems, one file each, free of TensorFlow so that `--help` answers
at once."""
