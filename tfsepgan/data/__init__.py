"""Data: find, decode and unpack recordings, draw windows from them, and mix the windows."""
