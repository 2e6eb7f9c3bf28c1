"""The former module of `separate_files`, which is now in `tfsepgan.separation.files`."""

from tfsepgan.separation.files import FailedFile, length_of, separate_files

__all__ = ["FailedFile", "length_of", "separate_files"]
