"""Domain values as JSON text in the journal."""

from datetime import UTC, datetime
from typing import TypeVar

import msgspec

T = TypeVar("T")

KEPT_DECODED = 256
"""So many small values of a kind are kept as they were decoded: those of a view, not those of weeks."""


def encode(value: object) -> str:
    """Return the JSON text of a frozen domain value."""
    return msgspec.json.encode(value).decode()


def decode(text: str, kind: type[T]) -> T:
    """Return the domain value of a JSON text; raises `msgspec.ValidationError` when it is not one."""
    return msgspec.json.decode(text, type=kind)


def stamp(at: datetime) -> float:
    """Return a time as seconds of the epoch, UTC."""
    return at.timestamp()


def moment(seconds: float) -> datetime:
    """Return seconds of the epoch as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)
