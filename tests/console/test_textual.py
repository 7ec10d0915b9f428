"""The private parts of Textual that the console needs: a release of Textual that moves one fails here, by its name."""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from functools import cache

from textual._compositor import Compositor
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.screen import Screen

import spottui.console

PRIVATE = {
    "_driver": App,  # written to for the window's title; whether it can suspend
    "_exception": App,  # logged when the screen fails
    "_fatal_error": App,  # overridden: no traceback on the screen
    "_close_messages_no_wait": MessagePump,
    "_compositor": Screen,  # the text of a screenshot
    "_file": LinuxDriver,  # wrapped: a write that fails must not hang the end
    "_run_input_thread": LinuxDriver,  # overridden: the thread that reads keys
    "_app": Driver,
    "_debug": Driver,
}
_ASSIGNED = re.compile(r"self\.(_[a-z]\w*)(?:\s*:[^=\n]+)?\s*=[^=]")
MODULES = [importlib.import_module(m.name) for m in pkgutil.walk_packages(spottui.console.__path__, "spottui.console.")]


def test_each_private_attribute_of_textual_exists():
    missing = {name for name, owner in PRIVATE.items() if name not in private_names(owner)}
    assert not missing
    assert callable(Compositor.render_strips)
    assert callable(XTermParser.feed)
    assert callable(XTermParser.tick)


def test_the_console_uses_no_other_and_reuses_none_by_mistake():
    of_self = {name for cls in own_classes() for name in used(cls) & inherited_names(cls)}
    of_others = {name for module in MODULES for name in used_of_others(module)} - {"_current_frames"}
    assert sorted(of_self | of_others) == sorted(PRIVATE)


def own_classes():
    return [c for m in MODULES for _, c in inspect.getmembers(m, inspect.isclass) if c.__module__ == m.__name__]


def inherited_names(cls):
    bases = [base for base in cls.__mro__ if base.__module__.startswith("textual.")]
    return frozenset().union(*map(private_names, bases))


@cache
def private_names(cls):
    """What a class of Textual defines or assigns to itself that begins with one underscore."""
    defined = {name for name in vars(cls) if re.fullmatch(r"_[a-z]\w*", name)}
    return frozenset(defined | set(_ASSIGNED.findall(inspect.getsource(cls))))


def used(cls):
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    return {node.attr for node in ast.walk(tree) if is_private(node)} | {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def used_of_others(module):
    nodes = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if is_private(node)]
    return {node.attr for node in nodes if not (isinstance(node.value, ast.Name) and node.value.id == "self")}


def is_private(node):
    return isinstance(node, ast.Attribute) and re.fullmatch(r"_[a-z]\w*", node.attr) is not None
