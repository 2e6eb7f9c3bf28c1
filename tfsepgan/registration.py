"""Registration of the layers with Keras, so that `keras.saving.load_model` finds them."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

KERAS = "keras"
PACKAGES = ("tfsepgan.layers", "tfsepgan.networks")  # those with registered layers


def register_with_keras() -> None:
    """Register all layers now if Keras is imported already, else as soon as it is."""
    if KERAS in sys.modules:
        _import_layers()
    else:
        sys.meta_path.insert(0, _KerasFinder())


def _import_layers() -> None:
    for package in PACKAGES:
        for module in iter_modules(import_module(package).__path__):
            import_module(f"{package}.{module.name}")


class _KerasFinder(MetaPathFinder):
    """An import hook: it imports the layers as soon as Keras is imported."""

    def __init__(self) -> None:
        self._searching = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of Keras, which also imports the layers; None for every other module."""
        if name != KERAS or self._searching:
            return None
        self._searching = True
        try:
            spec = find_spec(name)
        finally:
            self._searching = False
        if spec is None or spec.loader is None:
            return spec
        import_keras = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            import_keras(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            _import_layers()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
