"""From recordings to batches: unpack, draw, read, augment, mix."""
