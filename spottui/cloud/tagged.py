"""Listing by a tag: the service lists at most 1,000 resources so (docs/alibaba-facts.md 1.2)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

MOST_BY_TAG = 1_000


class Tagged(Protocol):
    """Something with tags, as pairs of key and value."""

    @property
    def tags(self) -> tuple[tuple[str, str], ...]:
        """Its tags."""


T = TypeVar("T", bound=Tagged)


def by_tag(every: Callable[[Mapping[str, object]], Iterable[T]], key: str) -> tuple[T, ...]:
    """Return what has a tag; where that is more than is listed by a tag, out of all that `every` lists without."""
    listed = tuple(every({"Tag.1.Key": key}))
    if len(listed) < MOST_BY_TAG:
        return listed
    return tuple(resource for resource in every({}) if key in dict(resource.tags))
