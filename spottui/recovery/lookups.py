"""Shared look-ups: equal questions within some time are one call, so that a storm asks no more than one recovery."""

import asyncio
import logging
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

import msgspec

from spottui.cloud.errors import CloudError
from spottui.cloud.thread_pools import ThreadPools
from spottui.domain.clock import Clock
from spottui.recovery.arrivals import arrival

Thing = TypeVar("Thing")
T = TypeVar("T")
log = logging.getLogger(__name__)

AT_ONCE = 4
"""Parallel calls in the reading threads; polls and sweeps find a free one in every storm."""
FAILED_S = 5.0
"""How long a failure is the answer to later questions."""

FORGET_EVERY = timedelta(seconds=30)


class Batch(msgspec.Struct, Generic[Thing, T], frozen=True):
    """One call about at most `most` things at once. Its result has an answer by the key of each, or raises for it."""

    name: Hashable
    call: Callable[[Sequence[Thing]], Mapping[str, T]]
    most: int


class _Waiting(msgspec.Struct):
    """The questions that wait for a batch's next call, each with its answer."""

    batch: Batch[Any, Any]
    things: "dict[str, tuple[Any, Future[Any]]]" = msgspec.field(default_factory=dict)


class _Asked(msgspec.Struct, frozen=True):
    """A call that was begun, and when."""

    at: datetime
    keep_s: float
    answer: "Future[Any]"

    def answers(self, now: datetime) -> bool:
        """Whether it is in progress or recent enough."""
        if not self.answer.done():
            return True
        keep_s = self.keep_s if self.answer.exception() is None else min(self.keep_s, FAILED_S)
        return now - self.at < timedelta(seconds=keep_s)


class Lookups:
    """Makes calls in the reading threads and keeps their results. Thread-safe."""

    def __init__(self, thread_pools: ThreadPools, clock: Clock) -> None:
        self._thread_pools = thread_pools
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[Hashable, _Asked] = {}
        self._waiting: dict[Hashable, _Waiting] = {}
        self._running = 0
        self._forgotten_at = clock.now()

    def ask(self, key: Hashable, keep_s: float, call: Callable[[], T]) -> "Future[T]":
        """Return the result of `call`, or that of a call with the same key at most `keep_s` seconds ago.

        The future is the caller's own: cancelling it does not affect the others.
        """
        return self.ask_about("", None, keep_s, Batch(key, lambda _: {"": call()}, 1))

    def ask_about(self, key: str, thing: Thing, keep_s: float, batch: Batch[Thing, T]) -> "Future[T]":
        """Return a batch's answer about one thing: those that wait for a free thread meanwhile share its next call."""
        now = self._clock.now()
        with self._lock:
            asked = self._asked.get((batch.name, key))
            if asked is None or not asked.answers(now):
                self._forget_old(now)
                asked = self._asked[batch.name, key] = _Asked(now, keep_s, Future())
                self._waiting.setdefault(batch.name, _Waiting(batch)).things[key] = thing, asked.answer
            own: Future[T] = Future()
        asked.answer.add_done_callback(partial(_pass_on, own))
        self._run_next()
        return own

    def _forget_old(self, now: datetime) -> None:
        if now - self._forgotten_at > FORGET_EVERY:
            self._asked = {old: asked for old, asked in self._asked.items() if asked.answers(now)}
            self._forgotten_at = now

    def _run_next(self) -> None:
        with self._lock:
            if not self._waiting or self._running >= AT_ONCE:
                return
            name = next(iter(self._waiting))
            waiting = self._waiting.pop(name)
            things = {key: waiting.things.pop(key) for key in list(islice(waiting.things, waiting.batch.most))}
            if waiting.things:
                # At the end: the other calls are not to wait for all of this batch.
                self._waiting[name] = waiting
            self._running += 1
        made = self._thread_pools.read(waiting.batch.call, [thing for thing, _ in things.values()])
        made.add_done_callback(partial(self._done, {key: answer for key, (_, answer) in things.items()}))

    def _done(self, answers: "Mapping[str, Future[Any]]", made: "Future[Mapping[str, Any]]") -> None:
        with self._lock:
            self._running -= 1
        for key, answer in answers.items():
            try:
                answer.set_result(made.result()[key])
            except Exception as error:
                answer.set_exception(error)
        self._run_next()


def _pass_on(own: "Future[Any]", made: "Future[Any]") -> None:
    if not own.set_running_or_notify_cancel():
        return
    error = made.exception()
    if error is None:
        own.set_result(made.result())
    else:
        own.set_exception(error)


class Inquiry:
    """The questions of one caller, who has `limit_s` seconds for all of them and proceeds without missing answers.

    Lives in one event loop. `missing` says what could not be learned, each as a line for people.
    """

    def __init__(self, lookups: Lookups, limit_s: float) -> None:
        self._lookups = lookups
        self._until = asyncio.get_running_loop().time() + limit_s
        self._limit_s = limit_s
        self.missing: list[str] = []

    async def ask(self, what: str, key: Hashable, keep_s: float, call: Callable[[], T], otherwise: T) -> T:
        """Return the result of `call`, perhaps from a while ago; `otherwise` if there is no answer in time."""
        return await self._answer(what, self._lookups.ask(key, keep_s, call), otherwise)

    async def ask_about(
        self, what: str, key: str, thing: Thing, keep_s: float, batch: Batch[Thing, T], otherwise: T
    ) -> T:
        """Return a batch's answer about one thing, likewise."""
        return await self._answer(what, self._lookups.ask_about(key, thing, keep_s, batch), otherwise)

    async def _answer(self, what: str, asked: "Future[T]", otherwise: T) -> T:
        try:
            async with asyncio.timeout_at(self._until):
                return await arrival(asked)
        except TimeoutError:
            self._miss(what, f"no answer within {self._limit_s:.0f} s")
        except CloudError as error:
            self._miss(what, error.line)
        except Exception as error:
            log.exception("%s could not be looked up", what)
            self._miss(what, type(error).__name__)
        return otherwise

    def _miss(self, what: str, why: str) -> None:
        if not any(line.startswith(f"{what}: ") for line in self.missing):
            self.missing.append(f"{what}: {why}")
