"""The ECS SDK's models, each imported when it is first used.

The SDK imports all of its 1,150 model modules at once: 17 MB for the few that are ever touched here.
"""

import re
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_MODELS = "alibabacloud_ecs20140526.models"


class _OnUse(MetaPathFinder, Loader):
    """Finds the SDK's package of models without executing it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the package's own spec with this loader, None for any other module."""
        spec = PathFinder.find_spec(name, path) if name == _MODELS else None
        if spec is not None:
            spec.loader = self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Make the package import a model when its name is used."""
        module.__getattr__ = partial(_model, module)  # type: ignore[method-assign]


def import_models_on_use() -> None:
    """Do so from now on; once is enough."""
    if _MODELS not in sys.modules and not any(isinstance(finder, _OnUse) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OnUse())


def _model(package: ModuleType, name: str) -> object:
    said = re.search(rf"^from \.(\w+) import {re.escape(name)}$", _names(package), re.MULTILINE)
    if said is None:
        raise AttributeError(f"module {_MODELS!r} has no attribute {name!r}")
    model: object = getattr(import_module(f"{_MODELS}.{said[1]}"), name)
    setattr(package, name, model)
    return model


def _names(package: ModuleType) -> str:
    return Path(package.__path__[0], "__init__.py").read_text(encoding="utf-8")
