"""Pure functions on arrays of audio, in NumPy."""
