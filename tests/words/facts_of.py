"""Any value of a type of the log, every text in it as hostile as text from outside can be."""

import types
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from spottui.domain.facts import Logged
from spottui.domain.reasons import Failure

BEGAN = datetime(2026, 8, 23, 2, tzinfo=UTC)
DEADLINE = BEGAN + timedelta(seconds=300)
REFUSED = Failure("CreateImage", "Forbidden.RAM", "permission", "not authorized", "7A6B")
STEERING = ("\x1b]8;;http://e\x07k", "a\u202egnp", "{0}%s{resource}", "\r\n\t\x7f\x85", "[red]x[/red]", "", "i-bp1")
TEXTS = st.sampled_from(STEERING) | st.text(
    "aZ0 -.:;{}%[]\\'\"\x00\x1b\x9b\n\r\u2028\u202e\u200b\ud800实\U0001f1e9", max_size=12
)
PLAIN = {
    str: TEXTS,
    int: st.integers(0, 10**6),
    float: st.floats(0, 10**6),
    bool: st.booleans(),
    datetime: st.integers(0, 10**6).map(lambda seconds: BEGAN + timedelta(seconds=seconds)),
    type(None): st.none(),
}


@cache
def of(kind):
    """A strategy for a type: a struct or dataclass with any of its optional fields missing, an enum, or plain."""
    if kind in PLAIN:
        return PLAIN[kind]
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of(*map(of, get_args(kind)))
    if get_origin(kind) is tuple:
        items = get_args(kind)
        many = st.lists(of(items[0]), max_size=2).map(tuple)
        return many if items[-1] is ... else st.tuples(*map(of, items))
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    return st.deferred(lambda: _built(kind))


def _built(kind):
    required, optional = {}, {}
    for name, hint, needed in _fields(kind):
        (required if needed else optional)[name] = of(hint)
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: kind(**values))


def _fields(kind):
    return [(one.encode_name, one.type, one.required) for one in msgspec.structs.fields(kind)]


def logged(fact, region="cn-hangzhou"):
    return Logged(1, BEGAN, fact, region, "i-1", f"{region}.i-1.1")
