"""A shelf: a folder in which every file is one thing of a kind, found by listing it and loaded when it is asked for."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from nervura.errors import OptionError, did_you_mean

T = TypeVar("T")


class Shelf(Generic[T]):
    """The members of a folder by name. A member is an instance of the one class that its file defines.

    Other packages add members with an entry point of the group ``nervura.<shelf>`` that names such a class.

    Args:
        package: dotted name of the folder, such as ``nervura.zoo``.
        contract: dotted name of the base class, such as ``nervura.zoo.base.Network``.
        noun: what one member is called in messages, such as ``network``.
    """

    def __init__(self, package: str, contract: str, noun: str):
        self.package, self.contract, self.noun = package, contract, noun
        self._loaded: dict[str, T] = {}

    def names(self) -> list[str]:
        """The names of all members, without importing any."""
        folder = import_module(self.package)
        own = [m.name for m in pkgutil.iter_modules(folder.__path__) if m.name not in ("base", "__init__")]
        return sorted({*own, *self._entry_points()})

    def load(self, name: str) -> T:
        """The member called ``name``.

        Raises:
            OptionError: there is none of that name; the message suggests close ones.
        """
        if name not in self._loaded:
            if name not in self.names():
                raise OptionError(f"There is no {self.noun} called '{name}'. {did_you_mean(name, self.names())}")
            self._loaded[name] = self._find(name)()
        return self._loaded[name]

    def __iter__(self) -> Iterator[T]:
        return (self.load(name) for name in self.names())

    def _entry_points(self) -> dict[str, object]:
        return {point.name: point for point in entry_points(group=self.package)}

    def _find(self, name: str) -> type[T]:
        module_name, _, class_name = self.contract.rpartition(".")
        base = getattr(import_module(module_name), class_name)
        outside = self._entry_points()
        if name in outside:
            return outside[name].load()  # type: ignore[attr-defined]
        module = import_module(f"{self.package}.{name}")
        own = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
        ]
        members = [c for c in own if getattr(c, "name", None) == name]
        if len(members) != 1:
            raise TypeError(f"{module.__name__} must define exactly one {class_name} with name = {name!r}")
        return members[0]
