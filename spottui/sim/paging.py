"""Pages of the API: PageNumber with PageSize, or MaxResults with NextToken."""

import base64
import binascii
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Protocol, TypeVar

from spottui.sim.errors import ApiError
from spottui.sim.registry import Body, Call


class Row(Protocol):
    """Anything with a place in the order of creation."""

    seq: int


_R = TypeVar("_R", bound=Row)
_T = TypeVar("_T")


def by_token_or_number(
    call: Call, rows: Iterable[_R], wrap: Callable[[list[Any]], Body], render: Callable[[_R], Any], most: int = 100
) -> Body:
    """A page in whichever of the two modes the call asks for; a NextToken wins over a PageNumber.

    MaxResults above `most` counts as `most`, below 10 as 10.
    """
    if call.params.text("NextToken") or call.params.text("MaxResults"):
        return _by_token(call, rows, wrap, render, most)
    return by_number(call, rows, wrap, render)


def by_number(
    call: Call, rows: Iterable[_T], wrap: Callable[[list[Any]], Body], render: Callable[[_T], Any], most: int = 100
) -> Body:
    """A numbered page; 10 rows unless asked for, a PageSize above `most` is refused."""
    number = call.params.whole("PageNumber", 1, 1, 10**6)
    size = call.params.whole("PageSize", 10, 1, most)
    every = [] if call.blind else list(rows)
    page = every[(number - 1) * size : number * size]
    return {
        "TotalCount": len(every), "PageNumber": number, "PageSize": size, **wrap([render(r) for r in page])
    }  # fmt: skip


def token_of(row: Row) -> str:
    """The token that leads to the rows after this one."""
    return base64.b64encode(f"place:{row.seq}".encode()).decode()


def place_of(token: str, refusal: ApiError) -> int:
    """The place of the last row before a page, 0 for the first; raises the refusal for a token not given out."""
    if not token:
        return 0
    try:
        kind, _, place = base64.b64decode(token, validate=True).decode().partition(":")
        if kind == "place":
            return int(place)
    except (binascii.Error, ValueError):
        pass
    raise refusal


def _by_token(
    call: Call, rows: Iterable[_R], wrap: Callable[[list[Any]], Body], render: Callable[[_R], Any], most: int
) -> Body:
    # The token is the place of the last row, so rows that vanish between pages make no others skip.
    after = place_of(
        call.params.text("NextToken"), ApiError("InvalidNextToken", 400, "The specified NextToken is not valid.")
    )
    size = max(10, min(most, call.params.whole("MaxResults", 10, 0, 10**6)))
    later = () if call.blind else (row for row in rows if row.seq > after)
    page = list(islice(later, size + 1))
    more = len(page) > size
    page = page[:size]
    token = token_of(page[-1]) if more else ""
    absent = not token and call.world.settings.end_token_absent
    return {
        **({} if absent else {"NextToken": token}), "TotalCount": 0, "PageNumber": 1, "PageSize": size,
        **wrap([render(row) for row in page]),
    }  # fmt: skip
