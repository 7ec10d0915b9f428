"""The programs that measure and kill are run by hand: here they are only held to what they import."""

import importlib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = sorted(
    f"tests.{file.parent.name}.{file.stem}"
    for room in ("bench", "chaos")
    for file in (HERE / room).glob("*.py")
    if not file.stem.startswith("__")
)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_finds_what_it_imports(name):
    assert importlib.import_module(name).__doc__
