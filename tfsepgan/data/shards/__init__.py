"""Shards: many recordings in a few large files, on disk or on object storage."""
