"""tfsepgan: adversarial music source separation on the waveform, in Keras.

`import tfsepgan` is fast: TensorFlow is imported with the first public name that needs it. The
layers register with Keras once both are imported, so that `keras.saving.load_model` reads the
`model.keras` of a model.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = [
    "Separator",
    "TfsepganError",
    "__version__",
    "load",
    "separate_file",
    "separate_files",
    "systems",
]

_LAZY = {  # typed in __init__.pyi
    "Separator": "tfsepgan.separation.separator:Separator",
    "load": "tfsepgan.separation.separator:load",
    "separate_file": "tfsepgan.separation.files:separate_file",
    "separate_files": "tfsepgan.separation.bulk:separate_files",
    "TfsepganError": "tfsepgan.errors:TfsepganError",
    "systems": "tfsepgan.systems",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _LAZY:
        raise AttributeError(
            f"module 'tfsepgan' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    module, _, attribute = _LAZY[name].partition(":")
    loaded = import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def __dir__() -> list[str]:
    return sorted(__all__)


import_module("tfsepgan.registration").register_with_keras()
