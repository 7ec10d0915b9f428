"""Who imports whom in spottui: no module imports itself through others. And every bench and chaos run can start."""

import importlib
import pkgutil
from graphlib import TopologicalSorter

import grimp
import pytest

import tests.bench
import tests.chaos

PROGRAMS = [
    module.name
    for package in (tests.bench, tests.chaos)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    if not module.name.endswith("__main__")
]


def test_no_module_imports_itself_through_others():
    # Imports inside functions and under TYPE_CHECKING count: a circle of types is a circle for whoever reads it.
    graph = grimp.build_graph("spottui", cache_dir=None, exclude_type_checking_imports=False)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert "spottui.cli.main" in imports["spottui.__main__"]
    TopologicalSorter(imports).prepare()  # Its CycleError names the modules of the circle.


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_no_test_imports_finds_what_it_imports(name):
    importlib.import_module(name)
