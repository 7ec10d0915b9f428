"""Calls that take a list of ids: one bad id never spoils the answer of the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from spottui.cloud.errors import CloudError, ErrorKind

T = TypeVar("T")
U = TypeVar("U")

MOST = 100
"""The most ids of one call, unless an action has another limit."""


class Answers(Mapping[str, T]):
    """The answers of a call by id; refused ids are in `refused`, which is not the same as absent.

    Reading a refused id raises its `CloudError`, as a call for it alone would: it never looks unlisted. Iteration,
    `len` and `dict()` see only answered ids.
    """

    def __init__(self, found: Mapping[str, T], refused: Mapping[str, CloudError]) -> None:
        self._found = found
        self.refused = refused

    def each(self, read: Callable[[T], U]) -> "Answers[U]":
        """Return `read` of each answer; refused ids stay refused."""
        return Answers({key: read(found) for key, found in self._found.items()}, self.refused)

    def __getitem__(self, key: str) -> T:
        if key in self.refused:
            raise self.refused[key]
        return self._found[key]

    def __contains__(self, key: object) -> bool:
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def read_each(keys: Iterable[str], read: Callable[[str], T]) -> Answers[T]:
    """Return `read` of each key; a `CloudError` for one becomes that key's refusal."""
    found: dict[str, T] = {}
    refused: dict[str, CloudError] = {}
    for key in keys:
        try:
            found[key] = read(key)
        except CloudError as error:
            refused[key] = error
    return Answers(found, refused)


def in_halves(ids: Iterable[str], ask: Callable[[Sequence[str]], Mapping[str, T]], most: int = MOST) -> Answers[T]:
    """Ask for all ids, at most `most` per call; a refused list is split in halves, down to each bad id.

    Every good id is answered; b bad ones of n cost at most 2·b·⌈log2 n⌉ further calls. Raises `CloudError` when the
    call itself failed, which says nothing of any id: throttled, no answer, wrong credentials, no money.
    """
    found: dict[str, T] = {}
    refused: dict[str, CloudError] = {}
    wanted = list(dict.fromkeys(ids))
    lists = [wanted[start : start + most] for start in range(0, len(wanted), most)]
    while lists:
        some = lists.pop()
        try:
            found.update(ask(some))
        except CloudError as error:
            if not _depends_on_ids(error.kind):
                raise
            half = len(some) // 2
            if half:
                lists += (some[half:], some[:half])
            else:
                refused[some[0]] = error
    return Answers(found, refused)


def _depends_on_ids(kind: ErrorKind) -> bool:
    """A permission may cover only some resources, and one busy disk refuses the whole list: each id is tried."""
    passes_for_all = kind.repeats and kind is not ErrorKind.BUSY
    return not passes_for_all and kind not in (ErrorKind.CREDENTIALS, ErrorKind.MONEY)
