"""Packages that our dependencies import and never touch on our way: here they are imported when they are first used.

A quarter of the console's memory, and of the time until its first data, was theirs.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from types import ModuleType
from typing import Any


@contextmanager
def imported_on_use(*packages: str) -> Iterator[None]:
    """Give stand-ins to whoever imports one of the packages, or a part of one, until the block ends.

    A name that is taken from a stand-in becomes the real thing when it is called, looked into or inherited from. A
    package that is there already stays what it is, and after the block everybody gets the real one.
    """
    finder = _Finder(tuple(package for package in packages if package not in sys.modules))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        finder.forget()


class _Finder(MetaPathFinder, Loader):
    """Finds a stand-in for each module of the packages."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages
        self._given: list[str] = []

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return (
            ModuleSpec(name, self, is_package=True)
            if any(_is_in(name, package) for package in self._packages)
            else None
        )

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        self._given.append(spec.name)
        return _StandIn(spec.name, self)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing of it."""

    def real(self, name: str) -> ModuleType:
        """Import a module itself, however many stand-ins its package has."""
        if isinstance(sys.modules.get(name), _StandIn):
            self.forget(next(package for package in self._packages if _is_in(name, package)))
        return import_module(name)

    def forget(self, package: str = "") -> None:
        """Let the stand-ins of a package go, or all: whoever imports it from now on gets it."""
        self._packages = tuple(one for one in self._packages if package and one != package)
        for name in [one for one in self._given if not package or _is_in(one, package)]:
            self._given.remove(name)
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            if parent in sys.modules:
                delattr(sys.modules[parent], child)


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


class _StandIn(ModuleType):
    def __init__(self, name: str, finder: _Finder) -> None:
        super().__init__(name)
        self._finder = finder

    def __getattr__(self, name: str) -> "_Later | str":
        if name == "__version__":
            return version(self.__name__)
        if name.startswith("__"):
            raise AttributeError(name)
        return _Later(self.__name__, name, self._finder)


class _Later:
    """A name of a module: a class, a function or a module below it."""

    def __init__(self, module: str, name: str, finder: _Finder) -> None:
        self._module, self._name, self._finder = module, name, finder

    def _real(self) -> Any:
        found = getattr(self._finder.real(self._module), self._name, None)
        return import_module(f"{self._module}.{self._name}") if found is None else found

    def __call__(self, *args: object, **kwargs: object) -> object:
        return self._real()(*args, **kwargs)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._real(), name)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[object, ...]:
        return (self._real(),)

    def __instancecheck__(self, instance: object) -> bool:
        # Nothing is an instance of a class that nobody has imported.
        return self._module in sys.modules and isinstance(instance, self._real())

    def __getitem__(self, parameter: object) -> "_Later":
        """Stand in an annotation, as `Name[int]`."""
        return self

    def __or__(self, other: object) -> "_Later":
        """Stand in an annotation, as `Name | None`."""
        return self

    __ror__ = __or__
