"""Filters that several Describe actions share."""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, Protocol, TypeVar

from spottui.sim.model import Tags

Keep = Callable[[Any], bool]


class Tagged(Protocol):
    """A resource with tags."""

    tags: Tags


_T = TypeVar("_T")


def equals(attribute: str, wanted: str) -> Keep | None:
    """Keep rows whose attribute is `wanted`; None, no filter, when nothing is wanted."""
    if not wanted:
        return None
    return lambda row: bool(getattr(row, attribute) == wanted)


def among(attribute: str, wanted: Collection[str] | None) -> Keep | None:
    """Keep rows whose attribute is one of `wanted`; an empty collection keeps none."""
    if wanted is None:
        return None
    allowed = frozenset(wanted)
    return lambda row: getattr(row, attribute) in allowed


def like(attribute: str, pattern: str) -> Keep | None:
    """Keep rows whose attribute is like `pattern`, in which only `*` is special."""
    if not pattern:
        return None
    matches = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL).fullmatch
    return lambda row: matches(getattr(row, attribute)) is not None


def tagged(wanted: Tags) -> Keep | None:
    """Keep rows with all these tags; an empty value accepts any."""
    if not wanted:
        return None
    return lambda row: all(k in row.tags and v in ("", row.tags[k]) for k, v in wanted.items())


def keep(rows: Iterable[_T], *filters: Keep | None) -> Iterable[_T]:
    """The rows that pass every filter."""
    active = [f for f in filters if f is not None]
    return (row for row in rows if all(f(row) for f in active))
