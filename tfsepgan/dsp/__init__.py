"""Pure functions on arrays of audio."""
