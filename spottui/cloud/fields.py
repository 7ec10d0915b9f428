"""The fields and lists of an answer, whatever may be missing of them, the date in its headers; lists of a request."""

import json
import sys
from collections.abc import Hashable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from spottui.cloud.errors import CloudError, ErrorKind

T = TypeVar("T")


def decode_json(data: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode JSON by a decoder that was made at import (docs/sdk-traps.md 2); raises `ValueError`.

    Half a surrogate pair, possible in a name, is not a character: it becomes `?`.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        clean = json.dumps(json.loads(bytes(data)), ensure_ascii=False).encode(errors="replace")
        return decoder.decode(clean)


def text_of(item: dict[str, Any], key: str) -> str:
    """Return a field as text, empty when it is left out."""
    value = item.get(key)
    if value is None:
        return ""
    # Ten thousand instances have few zones, types and groups: kept once each, they take half the memory.
    return str(value) if key in _UNIQUE else sys.intern(str(value))


_UNIQUE = frozenset(
    ("InstanceName", "HostName", "NetworkInterfaceId", "PrivateIpAddress", "AllocationId", "DiskId", "DiskName",
     "SnapshotId", "SourceDiskId", "SnapshotName", "ImageName", "Output")
)  # fmt: skip
"""Fields that few rows share: caching them saves nothing."""


def whole_of(item: dict[str, Any], key: str) -> int | None:
    """Return a field as a whole number, None when it is left out."""
    value = item.get(key)
    return None if value in (None, "") else int(value)


H = TypeVar("H", bound=Hashable)


def kept_once(value: H) -> H:
    """Return the first of all equal values, to share memory: a fleet has few kinds of machine."""
    return cast(H, _first(value))


@lru_cache(4096)
def _first(value: Hashable) -> Hashable:
    return value


def list_of(item: dict[str, Any], outer: str, inner: str) -> list[Any]:
    """Return a list that has an object of its own, `{"Tags": {"Tag": […]}}`, empty when it is left out."""
    value = (item.get(outer) or {}).get(inner)
    return value if isinstance(value, list) else []


def tags_of(item: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the tags of an instance, a disk, a snapshot or an image."""
    return kept_once(tuple((text_of(tag, "TagKey"), text_of(tag, "TagValue")) for tag in list_of(item, "Tags", "Tag")))


@lru_cache(4096)
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


def date_of(headers: object) -> datetime | None:
    """Return the `Date` of an answer's headers, cut to the second; None where it is missing or says no time."""
    if not isinstance(headers, dict):
        return None
    text = next((value for key, value in headers.items() if str(key).lower() == "date"), "")
    try:
        date = parsedate_to_datetime(str(text))
    except (TypeError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else None


def numbered(name: str, values: Iterable[str]) -> dict[str, object]:
    """Return a list as the parameters of a call: `Name.1`, `Name.2`, and so on."""
    return {f"{name}.{number}": value for number, value in enumerate(values, 1)}


def rows(action: str, body: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    """Return a list that every answer has; a missing one raises `CloudError`, because it is not empty."""
    if body.get(outer) is None:
        raise _unknown_shape(action, outer, inner)
    return rows_if_any(action, body, outer, inner)


def rows_if_any(action: str, item: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    """Return a list that may be left out where it is empty; raises `CloudError` when it is no list of objects."""
    box = item.get(outer)
    if box is None:
        return []
    rows = box.get(inner) if isinstance(box, dict) else None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise _unknown_shape(action, outer, inner)


def _unknown_shape(action: str, outer: str, inner: str) -> CloudError:
    return CloudError(action, ErrorKind.BROKEN, message=f"an answer without {outer}.{inner}")
