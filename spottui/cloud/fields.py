"""The fields of one object of an answer, whatever may be missing of it."""

import sys
from datetime import UTC, datetime
from typing import Any


def text_of(item: dict[str, Any], key: str) -> str:
    """Return a field as text, empty when it is left out."""
    value = item.get(key)
    # Ten thousand instances have few zones, types and groups: kept once each, they take half the memory.
    return "" if value is None else sys.intern(str(value))


def whole_of(item: dict[str, Any], key: str) -> int | None:
    """Return a field as a whole number, None when it is left out."""
    value = item.get(key)
    return None if value in (None, "") else int(value)


def list_of(item: dict[str, Any], outer: str, inner: str) -> list[Any]:
    """Return a list that has an object of its own, `{"Tags": {"Tag": […]}}`, empty when it is left out."""
    value = (item.get(outer) or {}).get(inner)
    return value if isinstance(value, list) else []


def tags_of(item: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the tags of an instance, a disk, a snapshot or an image."""
    return tuple((text_of(tag, "TagKey"), text_of(tag, "TagValue")) for tag in list_of(item, "Tags", "Tag"))


def minute_of(text: str) -> datetime | None:
    """Return a time of an instance, which has minute resolution, `2017-12-10T04:04Z`; None when it is none."""
    return _time_of(text, "2017-12-10T04:04Z")


def second_of(text: str) -> datetime | None:
    """Return a time of an image, which has the resolution of a second, `2019-11-15T06:07:05Z`."""
    return _time_of(text, "2019-11-15T06:07:05Z")


def _time_of(text: str, like: str) -> datetime | None:
    # A sweep reads two of these for each of ten thousand instances, and strptime takes eight times as long.
    if len(text) != len(like) or not text.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    except ValueError:
        return None
