"""The SavedModel: its signatures, their checks of requests, and how it is written."""
