"""Waiting in an event loop for what threads do: results that arrive together wake the loop once.

`asyncio.wrap_future` writes to the loop's pipe for each result, and each write gives up the GIL: a thread that delivers
the five hundred results of a commit would get it back, from a busy loop, five hundred times after a switch interval.
"""

import asyncio
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


def arrival(of: "Future[T]") -> "asyncio.Future[T]":
    """Return a future of the running loop for the result of a thread; to cancel one cancels the other."""
    loop = asyncio.get_running_loop()
    inbox = _inboxes.get(loop)
    if inbox is None:
        inbox = _inboxes[loop] = _Inbox(loop)
    waiting: asyncio.Future[T] = loop.create_future()
    waiting.add_done_callback(partial(_cancel_too, of))
    of.add_done_callback(partial(inbox.put, waiting))
    return waiting


class _Inbox:
    """What has arrived for one loop and is not delivered yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._is_woken = False

    def put(self, waiting: "asyncio.Future[Any]", done: "Future[Any]") -> None:
        """Take in a result; runs in any thread."""
        self._arrived.append((waiting, done))
        # Read after the append, as `_deliver` reads what has arrived after it has set it back: none is left lying.
        if not self._is_woken and not self._loop.is_closed():
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_woken = False
        while self._arrived:
            waiting, done = self._arrived.popleft()
            if waiting.done():
                continue
            if done.cancelled():
                waiting.cancel()
            elif error := done.exception():
                waiting.set_exception(error)
            else:
                waiting.set_result(done.result())


_inboxes: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Inbox]" = WeakKeyDictionary()


def _cancel_too(of: "Future[Any]", waiting: "asyncio.Future[Any]") -> None:
    if waiting.cancelled():
        of.cancel()
