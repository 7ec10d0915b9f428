"""One call for all who ask the same, and a reading lane that a storm does not fill."""

import threading
from collections.abc import Sequence
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spottui.cloud.batches import Answers, read_each
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.thread_pools import ThreadPools
from spottui.recovery.lookups import AT_ONCE, FAILED_S, Batch, Lookups


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Cloud:
    """Counts its calls; fails while it is told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails = False

    def __call__(self) -> int:
        self.calls += 1
        if self.fails:
            raise CloudError("DescribeSpotAdvice", ErrorKind.UNREACHABLE)
        return self.calls


def test_an_answer_is_good_for_its_time_and_a_failure_for_a_moment() -> None:
    clock, cloud = HandClock(), Cloud()
    lookups = Lookups(ThreadPools(), clock)
    assert [lookups.ask("a", 60, cloud).result(5) for _ in range(3)] == [1, 1, 1]
    clock.move(61)
    cloud.fails = True
    for _ in range(2):
        with pytest.raises(CloudError):
            lookups.ask("a", 60, cloud).result(5)
    assert cloud.calls == 2
    cloud.fails = False
    clock.move(FAILED_S)
    assert lookups.ask("a", 60, cloud).result(5) == 3
    assert lookups.ask("b", 60, cloud).result(5) == 4


def test_who_gives_up_takes_the_answer_from_nobody() -> None:
    go = threading.Event()
    lookups = Lookups(ThreadPools(), HandClock())
    hasty, patient = lookups.ask("a", 60, lambda: go.wait(5)), lookups.ask("a", 60, lambda: False)
    assert hasty.cancel()
    go.set()
    assert patient.result(5) is True


def test_a_storm_leaves_threads_to_polls_and_sweeps() -> None:
    lock, go, started = threading.Lock(), threading.Event(), threading.Semaphore(0)
    running, most = 0, 0

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        started.release()
        go.wait(5)
        with lock:
            running -= 1

    thread_pools = ThreadPools()
    lookups = Lookups(thread_pools, HandClock())
    asked = [lookups.ask(n, 60, call) for n in range(30)]
    for _ in range(AT_ONCE):
        assert started.acquire(timeout=5)
    assert thread_pools.read(lambda: "poll").result(5) == "poll"
    go.set()
    assert not wait(asked, 5).not_done
    assert most == AT_ONCE


class Begun(ThreadPools):
    """Remembers what each call was about, in the order in which they began."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[Any]] = []

    def read(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        self.calls.append(list(args[0]))
        return super().read(call, *args, **kwargs)


def test_what_waits_for_a_free_thread_shares_one_call_and_a_question_behind_it_waits_for_one_batch_only() -> None:
    go, begun = threading.Event(), Begun()

    def square(number: str) -> int:
        if number == "13":
            raise CloudError("DescribeLoadBalancers", ErrorKind.BROKEN)
        return int(number) ** 2

    def squares(numbers: Sequence[int]) -> Answers[int]:
        go.wait(5)
        return read_each(map(str, numbers), square)

    lookups = Lookups(begun, HandClock())
    batch = Batch("squares", squares, 10)
    asked = {n: lookups.ask_about(str(n), n, 60, batch) for n in range(100)}
    again = lookups.ask_about("7", 7, 60, batch)
    other = lookups.ask("other", 60, lambda: "other")
    go.set()
    assert not wait([other, again, *asked.values()], 5).not_done
    assert {n: future.result() for n, future in asked.items() if n != 13} == {n: n * n for n in range(100) if n != 13}
    with pytest.raises(CloudError):
        asked[13].result()
    assert sorted(n for call in begun.calls for n in call if n is not None) == list(range(100))
    assert len(begun.calls) == AT_ONCE + 10 + 1
    assert max(map(len, begun.calls)) == 10
    assert begun.calls.index([None]) <= 2 * AT_ONCE
