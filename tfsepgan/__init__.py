"""tfsepgan: adversarial music source separation on the waveform, in Keras.

`import tfsepgan` is fast: TensorFlow is imported with the first public name that needs it.
"""

from importlib import import_module

__version__ = "0.1.0"
__all__ = ["Separator", "TfsepganError", "__version__", "load", "systems"]

_LAZY = {
    "Separator": "tfsepgan.separation.separator:Separator",
    "load": "tfsepgan.separation.separator:load",
    "TfsepganError": "tfsepgan.errors:TfsepganError",
    "systems": "tfsepgan.systems",
}


def __getattr__(name: str):
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
