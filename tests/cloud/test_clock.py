"""The cloud's time: whatever the machine's clock says, before and after it is stepped."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.cloud.account import CloudAccount
from spottui.cloud.fields import date_of
from spottui.config import load
from spottui.domain.clock import CloudClock
from spottui.sim.testing import SimServer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR_S = 3600.0


class Machine:
    """A machine whose clock is stepped; its monotonic one goes on."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s
        self.up_s = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.up_s + self.ahead_s)

    def elapsed_s(self) -> float:
        return self.up_s

    def cloud_says(self) -> datetime:
        """A `Date` header: cut to the second."""
        return (NOON + timedelta(seconds=self.up_s)).replace(microsecond=0)


def clock_of(machine: Machine) -> CloudClock:
    return CloudClock(machine, machine.elapsed_s)


def off_s(clock: CloudClock, machine: Machine) -> float:
    return (clock.now() - NOON).total_seconds() - machine.up_s


@given(st.floats(-HOUR_S * 20, HOUR_S * 20), st.lists(st.floats(0, 400), max_size=9))
def test_the_first_answer_sets_a_wrong_clock_and_what_follows_keeps_it(ahead_s: float, passing_s: list[float]) -> None:
    machine = Machine(ahead_s)
    clock = clock_of(machine)
    clock.heard(machine.cloud_says(), 0.1)
    for seconds in passing_s:
        machine.up_s += seconds
        assert abs(off_s(clock, machine)) <= 1.1 + 1e-6
        clock.heard(machine.cloud_says(), 0.1)


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(-2 * HOUR_S, 2 * HOUR_S)), min_size=2, max_size=12))
def test_steps_of_the_machines_clock_are_not_seen(steps: list[tuple[float, float]]) -> None:
    machine = Machine()
    clock = clock_of(machine)
    seen = [clock.now()]
    for passed_s, ahead_s in steps:
        machine.up_s += passed_s
        machine.ahead_s = ahead_s
        seen.append(clock.now())
    assert all(before <= after for before, after in pairwise(seen)), "no duration is negative"
    assert off_s(clock, machine) == pytest.approx(0, abs=1e-3)


@given(st.floats(-20 * HOUR_S, 20 * HOUR_S).filter(lambda seconds: abs(seconds) > 2))
def test_one_odd_date_moves_nothing_and_two_that_agree_do(odd_s: float) -> None:
    machine = Machine()
    clock = clock_of(machine)
    clock.heard(machine.cloud_says(), 0.0)
    for _ in range(3):
        clock.heard(machine.cloud_says() + timedelta(seconds=odd_s), 0.0)
        clock.heard(machine.cloud_says(), 0.0)
    assert abs(off_s(clock, machine)) <= 1
    for _ in range(2):
        clock.heard(machine.cloud_says() + timedelta(seconds=odd_s), 0.0)
    assert off_s(clock, machine) == pytest.approx(odd_s, abs=1.1)


@pytest.mark.parametrize(
    "date", [datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 900_000, tzinfo=UTC), NOON.replace(2024)]
)
def test_a_date_that_cannot_be_true_is_no_measure(date: datetime) -> None:
    machine = Machine()
    clock = clock_of(machine)
    for _ in range(3):
        clock.heard(date, 0.1)
    assert off_s(clock, machine) == 0


@pytest.mark.parametrize(
    "headers",
    [
        None, {}, {"date": ""}, {"Date": "soon"}, {"DATE": "Mon, 99 Foo 0000 99:99:99 GMT"}, {"date": None},
        {"Date": f"Fri, 31 Dec {10**20} 23:59:59 GMT"},
    ],
)  # fmt: skip
def test_headers_without_a_date_say_nothing(headers: object) -> None:
    assert date_of(headers) is None


@pytest.fixture(params=[-600.0, 600.0, 3000.0])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[SimServer, float]]:
    """A cloud whose clock is so far ahead of this machine's."""
    with SimServer(config=tmp_path / "c.toml", start_at=time.time() + request.param) as cloud:
        yield cloud, request.param


def test_answers_tell_the_clouds_time_and_the_account(cloud: tuple[SimServer, float]) -> None:
    server, ahead_s = cloud
    assert server.endpoint.config
    account = CloudAccount(load(server.endpoint.config))
    assert abs((account.clock.now() - datetime.now(UTC)).total_seconds()) < 1
    account.meet(within_s=10)
    assert (account.clock.now() - datetime.now(UTC)).total_seconds() == pytest.approx(ahead_s, abs=2)
    assert account.account_id == server.endpoint.account_id


def test_a_fleets_answer_tells_it_too_and_a_cloud_that_is_not_there_holds_nobody_up(
    cloud: tuple[SimServer, float],
) -> None:
    server, ahead_s = cloud
    assert server.endpoint.config
    account = CloudAccount(load(server.endpoint.config))
    server.fault("GetCallerIdentity", "timeout", times=1, delay_s=3)
    began = time.monotonic()
    account.meet(within_s=0.2)
    assert time.monotonic() - began < 2
    assert account.account_id == ""
    next(iter(account.regions.values())).locked()
    assert (account.clock.now() - datetime.now(UTC)).total_seconds() == pytest.approx(ahead_s, abs=2)
