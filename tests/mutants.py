"""Mutation testing of the code that could lose a reclaim or double a launch: what change does no test notice?

`python -m tests.mutants [-j N] [FILE ...]` changes one place of a file at a time, runs the cheap tests that are about
it, and prints the changes that none of them noticed. Exits with 1 when there is one that is not known as equivalent.
"""

import argparse
import ast
import copy
import importlib.machinery
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import CodeType

import pytest
import sqlalchemy.dialects.sqlite  # noqa: F401
from hypothesis import Phase, settings

# Loaded once, before the forks; nothing that is mutated may be among it.
import spottui.cloud.mns  # noqa: F401
import tests.driving  # noqa: F401

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 300.0

INTAKE = ("tests/domain/test_interruption.py", "tests/watch/test_intake.py", "tests/watch/test_intake_machine.py")
TARGETS: dict[str, tuple[str, ...]] = {
    "spottui/domain/tokens.py": ("tests/domain/test_rules.py", "tests/domain/test_tokens.py"),
    "spottui/domain/interruption.py": INTAKE,
    "spottui/watch/intake.py": INTAKE,
    "spottui/journal/reclaims.py": INTAKE,
    "spottui/cloud/messages.py": ("tests/cloud/test_messages.py", "tests/watch/test_intake.py"),
}
"""The files that are mutated, and the tests that must notice, the quick ones first."""

_KNOWN = "for one in journal.recoveries.lately()"
EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("__init__", f"{_KNOWN} if _has_lock(one)", _KNOWN): "the journal is asked of more than it must",
    (
        "seen_unlocked",
        "for instance_id in free if (region, instance_id) in self._locked",
        "for instance_id in free",
    ): "the journal finds no lock of the others",
    ("_unlock", "return len(over) == len(locked)", "return None"): "the journal is asked again at every sweep",
}
"""Changes that make no difference, by function, what it was and what it became, with the reason."""


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: str
    function: str
    line: int
    before: str
    after: str
    source: str

    @property
    def reason(self) -> str:
        """Why it makes no difference, empty when it should."""
        return EQUIVALENT.get((self.function, self.before, self.after), "")


def mutants_of(path: str) -> Iterator[Mutant]:
    """Give every mutant of a file."""
    tree = ast.parse((ROOT / path).read_text())
    for number, (function, node) in enumerate(_places(tree)):
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            _, twin = list(_places(changed))[number]
            twin_after = change(twin)
            _replace(changed, twin, twin_after)
            ast.fix_missing_locations(changed)
            before, after = _shown(node), _shown(twin_after)
            yield Mutant(path, function, _line(node), before, after, ast.unparse(changed))


def _shown(node: ast.AST) -> str:
    """The first line of it: of an `if` its condition, of a longer statement its beginning."""
    return ast.unparse(node).strip().splitlines()[0]


def _line(node: ast.AST) -> int:
    return min((child.lineno for child in ast.walk(node) if hasattr(child, "lineno")), default=0)


def survives(mutant: Mutant, tests_of_it: tuple[str, ...]) -> bool:
    """Whether all tests pass with the change; runs in a process of its own, which it spoils."""
    _import_instead(str(ROOT / mutant.path), mutant.source)
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None, phases=phases)
    settings.load_profile("mutants")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests_of_it]) == pytest.ExitCode.OK


def _import_instead(path: str, source: str) -> None:
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        if loader.path == path:
            return compile(source, path, "exec")
        return original(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


Change = Callable[[ast.AST], ast.AST]


def _places(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node that is run, with the function it is in; annotations, decorators and docstrings are not."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_docstring(child):
                continue
            inside = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else function
            yield inside, child
            yield from _places(child, inside)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else self.generic_visit(node)

    Swap().visit(tree)


_SWAPPED: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
}
_OTHER_NAME = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _changes(node: ast.AST) -> Iterator[Change]:
    yield from _other_operators(node)
    yield from _other_values(node)
    yield from _less(node)


def _other_operators(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                for other in _SWAPPED.get(type(operator), ()):
                    yield lambda twin, index=index, other=other: _with_operator(twin, index, other())
        case ast.BoolOp() | ast.BinOp():
            for other in _SWAPPED.get(type(node.op), ()):
                yield lambda twin, other=other: _set(twin, "op", other())


def _other_values(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Constant(value=bool()):
            yield lambda twin: ast.Constant(not twin.value)
        case ast.Constant(value=int() | float()):
            yield lambda twin: ast.Constant(twin.value + 1)
            yield lambda twin: ast.Constant(twin.value - 1)
        case ast.Name() if node.id in _OTHER_NAME:
            yield lambda twin: ast.Name(_OTHER_NAME[twin.id], twin.ctx)
        case ast.If() | ast.IfExp():
            yield lambda twin: _set(twin, "test", ast.UnaryOp(ast.Not(), twin.test))


def _less(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.UnaryOp(op=ast.Not()):
            yield lambda twin: twin.operand
        case ast.comprehension() if node.ifs:
            yield lambda twin: _set(twin, "ifs", [])
        case ast.Return() if node.value and not isinstance(node.value, ast.Constant):
            yield lambda _: ast.Return(ast.Constant(None))
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue():
            yield lambda _: ast.Pass()


def _with_operator(twin: ast.AST, index: int, operator: ast.AST) -> ast.AST:
    assert isinstance(twin, ast.Compare)
    twin.ops[index] = operator  # type: ignore[call-overload]
    return twin


def _set(twin: ast.AST, name: str, value: object) -> ast.AST:
    setattr(twin, name, value)
    return twin


def _judge(todo: list[Mutant], at_once: int) -> Iterator[tuple[Mutant, bool]]:
    """Run the mutants, some at once, each in a fork; one that hangs is noticed."""
    context = multiprocessing.get_context("fork")
    running: list[tuple[Mutant, ForkProcess, float]] = []
    queue = list(reversed(todo))
    while queue or running:
        while queue and len(running) < at_once:
            mutant = queue.pop()
            process = context.Process(target=_run, args=(mutant,))
            process.start()
            running.append((mutant, process, time.monotonic() + TIMEOUT_S))
        for one in list(running):
            mutant, process, end = one
            if time.monotonic() > end:
                process.kill()
                process.join()
                print(f"{mutant.path}, line {mutant.line}: hangs, {mutant.before} → {mutant.after}", flush=True)
            if process.exitcode is not None:
                running.remove(one)
                yield mutant, process.exitcode == 0
        time.sleep(0.02)


def _run(mutant: Mutant) -> None:
    os._exit(0 if survives(mutant, TARGETS[mutant.path]) else 1)


def _check_tests(paths: list[str]) -> None:
    """Without a change every test must pass, and nothing may be loaded unchanged, or nothing is proved."""
    loaded = [path for path in paths if path.removesuffix(".py").replace("/", ".") in sys.modules]
    assert not loaded, f"imported before its change: {loaded}"
    sound = [Mutant(path, "", 0, "", "", (ROOT / path).read_text()) for path in paths]
    failing = [mutant.path for mutant, passed in _judge(sound, 1) if not passed]
    if failing:
        sys.exit(f"the tests of {', '.join(failing)} fail without any change")


def main() -> int:
    """Print what survived, and what is known to make no difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help=f"some of {', '.join(TARGETS)} [all]")
    parser.add_argument("-j", type=int, default=2, dest="at_once", help="so many at once [2]")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    paths = chosen.files or list(TARGETS)
    _check_tests(paths)
    return 1 if sum(_unnoticed(path, chosen.at_once) for path in paths) else 0


def _unnoticed(path: str, at_once: int) -> int:
    """Try every change of a file, print those that no test notices, and count them."""
    todo = list(mutants_of(path))
    alive = 0
    bad = 0
    for mutant, survived in _judge(todo, at_once):
        alive += survived
        if survived and not mutant.reason:
            bad += 1
            where = f"{path}, line {mutant.line}, {mutant.function}"
            print(f"{where}\n    - {mutant.before}\n    + {mutant.after}", flush=True)
    print(f"{path}: {len(todo)} changes, {alive - bad} make no difference, {bad} not noticed", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())
