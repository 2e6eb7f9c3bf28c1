"""The errors of tfsepgan. Messages say what was found, what is expected and what to do."""


class TfsepganError(Exception):
    """Base of all errors that a user can act on."""


class ConfigError(TfsepganError):
    """A setting, preset, system or command-line value that cannot be used."""


class DataError(TfsepganError):
    """Audio, or a folder of audio, that cannot be read, trained on or scored on."""


class ShapeError(TfsepganError):
    """An array with a wrong shape, type or value."""


class ExportError(TfsepganError):
    """A model that cannot be exported, or whose exported form gives different numbers."""


class CheckpointError(TfsepganError):
    """A run or model directory that is missing, broken, or of something else."""


class ServingError(TfsepganError):
    """A model server that is out of reach, refuses a request, or does not answer with stems."""
