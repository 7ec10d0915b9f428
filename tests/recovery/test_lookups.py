"""One call for all who ask the same, and a reading lane that a storm does not fill."""

import threading
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta

import pytest

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.thread_pools import ThreadPools
from spottui.recovery.lookups import AT_ONCE, FAILED_S, Lookups


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
