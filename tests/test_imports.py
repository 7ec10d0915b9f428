"""Who imports whom in spottui: no module imports itself through others."""

from graphlib import TopologicalSorter

import grimp


def test_no_module_imports_itself_through_others():
    # Imports inside functions and under TYPE_CHECKING count: a circle of types is a circle for whoever reads it.
    graph = grimp.build_graph("spottui", cache_dir=None, exclude_type_checking_imports=False)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert "spottui.cli.main" in imports["spottui.__main__"]
    TopologicalSorter(imports).prepare()  # Its CycleError names the modules of the circle.
