"""The errors a user of tfsepgan can meet: each says what was got, what was wanted and what to do."""


class TfsepganError(Exception):
    """Anything that went wrong for a reason the user can act on."""


class ConfigError(TfsepganError):
    """A setting, preset, system or command-line value that cannot be used."""


class DataError(TfsepganError):
    """Audio or a folder of audio that cannot be read, or cannot be trained or scored on."""


class ShapeError(TfsepganError):
    """An array whose shape, type or values do not fit where it was given."""


class ExportError(TfsepganError):
    """A model that cannot be exported, or whose exported twin does not give the same numbers."""


class CheckpointError(TfsepganError):
    """A run or model directory that is missing, broken, or belongs to something else."""


class ServingError(TfsepganError):
    """A model server that cannot be reached, refused a request, or answered with something else
    than stems."""
