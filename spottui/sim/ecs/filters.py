"""Filters that several Describe actions share."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from spottui.sim.errors import ApiError, not_found
from spottui.sim.model import Tags
from spottui.sim.params import Params

Keep = Callable[[Any], bool]
MOST_BY_TAG = 1_000
"""Resources with a tag beyond these are not listed by it (docs/alibaba-facts.md 1.2)."""
_TIMES = ("CreationStartTime", "CreationEndTime", "ExpiredStartTime", "ExpiredEndTime")


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


def fixed(wanted: str, only: str) -> Keep | None:
    """Keep all rows when what is wanted is the one value that every resource of this cloud has, else none."""
    if not wanted or wanted.lower() == only.lower():
        return None
    return lambda row: False


def switched(params: Params, name: str, of: Callable[[Any], bool]) -> Keep | None:
    """Keep rows for which `of` is the flag that the parameter asks for."""
    if not params.text(name):
        return None
    wanted = params.flag(name)
    return lambda row: of(row) == wanted


def created(params: Params, attribute: str = "created_at") -> Iterator[Keep]:
    """`Filter.N.Key` CreationStartTime, CreationEndTime, ExpiredStartTime or ExpiredEndTime, each to the minute.

    Raises:
        ApiError: 404 InvalidFilterKey.NotFound, 400 InvalidFilterValue.
    """
    for pair in params.groups("Filter"):
        key, value = pair.get("Key", ""), pair.get("Value", "")
        if key not in _TIMES:
            raise not_found("FilterKey", key)
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z", value):
            raise ApiError("InvalidFilterValue", 400, "The specified Filter.n.Value is not valid.")
        at = datetime.strptime(f"{value[:16]}Z", "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC).timestamp()
        yield _created(attribute, key, at)


def _created(attribute: str, key: str, at: float) -> Keep:
    if key == "CreationStartTime":
        return lambda row: bool(getattr(row, attribute) >= at)
    if key == "CreationEndTime":
        return lambda row: bool(getattr(row, attribute) <= at)
    # Pay-as-you-go resources expire in 2099.
    return lambda row: key == "ExpiredStartTime"


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
    for passes in filters:
        rows = rows if passes is None else filter(passes, rows)
    return rows


def keep_by_tag(rows: Iterable[_T], tags: Tags, *filters: Keep | None) -> Iterable[_T]:
    """The rows that have all these tags and pass every filter, as many as are listed by tags."""
    passing = keep(rows, tagged(tags), *filters)
    return islice(passing, MOST_BY_TAG) if tags else passing
