"""Keras layers that at least two networks or steps use. One file is one layer."""

from importlib import import_module
from pkgutil import iter_modules


def register() -> None:
    """Imports every layer, so that Keras finds them by name when it loads a model."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
