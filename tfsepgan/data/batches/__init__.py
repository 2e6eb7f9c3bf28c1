"""From recordings to batches: unpack, read, draw, change, mix."""
