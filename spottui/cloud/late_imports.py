"""Delays the import of packages that our dependencies import, but that we rarely use, until their first use.

They took a quarter of the console's memory, and of the time until its first data.
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
    """Replace imports of the packages and their submodules by stand-ins until the block ends.

    A name imported from a stand-in resolves to the real object when it is called, accessed or subclassed. Packages that
    are already imported are left alone, and imports after the block get the real package.
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
        """Execute nothing: a stand-in has no code."""

    def real(self, name: str) -> ModuleType:
        """Import a module itself, whatever stand-ins its package has."""
        if isinstance(sys.modules.get(name), _StandIn):
            self.forget(next(package for package in self._packages if _is_in(name, package)))
        return import_module(name)

    def forget(self, package: str = "") -> None:
        """Remove the stand-ins of a package, or all of them, so that later imports get the real package."""
        self._packages = tuple(name for name in self._packages if package and name != package)
        for stand_in in [stand_in for stand_in in self._given if not package or _is_in(stand_in, package)]:
            self._given.remove(stand_in)
            del sys.modules[stand_in]
            parent, _, child = stand_in.rpartition(".")
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
    """A name in a delayed module: a class, a function or a submodule."""

    def __init__(self, module: str, name: str, finder: _Finder) -> None:
        self._module, self._name, self._finder = module, name, finder

    def _real(self) -> Any:
        real = getattr(self._finder.real(self._module), self._name, None)
        return import_module(f"{self._module}.{self._name}") if real is None else real

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
