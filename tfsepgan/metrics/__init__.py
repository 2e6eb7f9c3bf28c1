"""Metrics of separation and of generated sounds, in NumPy."""
