"""Rendering: turns scores and soundfonts into recordings, and arranges and mixes songs."""
