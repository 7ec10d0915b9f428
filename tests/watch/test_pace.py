"""How often a source is asked: at its pace, slower after errors, never slower while somebody waits for it."""

import threading
from pathlib import Path

import pytest

from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.clock import SystemClock
from spottui.journal import Journal
from spottui.watch.health import Health, retry_after_s
from spottui.watch.loop import Loop
from tests.driving import wait_until
from tests.watch.given import NOON

NO_ANSWER = CloudError("DescribeInstances", ErrorKind.UNREACHABLE)


def test_errors_double_the_pause_up_to_five_seconds() -> None:
    assert [retry_after_s(NO_ANSWER, failures, 2.0, NOON) for failures in range(1, 5)] == [2, 4, 5, 5]


def test_an_urgent_source_keeps_its_pace_through_errors() -> None:
    assert [retry_after_s(NO_ANSWER, failures, 2.0, NOON, urgent=True) for failures in (1, 2, 30)] == [2, 2, 2]


@pytest.mark.parametrize(("said_s", "waits_s"), [(None, 60 - 12), (3.5, 3.5)])
def test_a_throttle_is_respected_however_urgent(said_s: float | None, waits_s: float) -> None:
    throttled = CloudError("DescribeInstances", ErrorKind.THROTTLED, retry_after_s=said_s)
    assert retry_after_s(throttled, 1, 2.0, NOON.replace(second=12), urgent=True) == waits_s


class Source:
    """Raises what it is told to, and counts."""

    def __init__(self, error: CloudError | None = None) -> None:
        self.looks = 0
        self.error = error

    def poll(self) -> None:
        self.looks += 1
        if self.error:
            raise self.error


@pytest.fixture
def health(tmp_path: Path) -> Health:
    found = Health(Journal(tmp_path / "journal.db"), SystemClock())
    found.add("lock", "cn-hangzhou", 60.0)
    return found


def run(health: Health, source: Source, interval_s: float, *, urgent: bool) -> Loop:
    loop = Loop("lock", "cn-hangzhou", interval_s, source.poll, health, SystemClock(), lambda: urgent)
    loop.start()
    wait_until(lambda: source.looks and (health.all()[0].last_ok or health.all()[0].failure))
    return loop


def test_a_nudge_ends_a_pause_and_an_error_but_no_throttle(health: Health) -> None:
    for error in (None, NO_ANSWER):
        source = Source(error)
        loop = run(health, source, 60.0, urgent=False)
        loop.nudge()
        wait_until(lambda source=source: source.looks == 2)
        loop.stop()
        loop.join()
    source = Source(CloudError("DescribeInstances", ErrorKind.THROTTLED, retry_after_s=60))
    loop = run(health, source, 60.0, urgent=False)
    wait_until(lambda: (failed := health.all()[0].failure) and failed.kind == ErrorKind.THROTTLED.value)
    loop.nudge()
    threading.Event().wait(0.2)
    assert source.looks == 1
    loop.stop()
    loop.join()


def test_a_slow_source_is_asked_every_two_seconds_while_it_is_urgent(health: Health) -> None:
    source = Source()
    loop = run(health, source, 60.0, urgent=True)
    wait_until(lambda: source.looks >= 2, timeout_s=10)
    loop.stop()
    loop.join()
