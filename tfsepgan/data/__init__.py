"""Recordings: finding, decoding and unpacking them, drawing windows, mixing, and the mixtures of a
score."""
