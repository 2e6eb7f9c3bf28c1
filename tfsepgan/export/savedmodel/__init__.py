"""The SavedModel: its signatures, how it is written and checked."""
