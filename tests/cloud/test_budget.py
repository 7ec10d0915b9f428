"""Who may call when: tokens, the order of the line, and silence after a throttle."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.budget import USUAL, Budget, Pace, Priority, urgency
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.lanes import Lanes
from spottui.config import load
from spottui.sim.testing import SimServer
from tests.driving import wait_until

REGION = "cn-hangzhou"
AT = datetime(2026, 11, 22, 12, 0, 48, tzinfo=UTC)


class Time:
    """Both clocks of a budget, moved by hand."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return AT + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return 1000 + self.passed_s


@pytest.fixture
def time() -> Time:
    return Time()


def budget_of(time: Time, rate: float = 1, burst: float = 1) -> Budget:
    return Budget(time, time.monotonic, Pace(rate, burst))


def call(budget: Budget, action: str = "CreateImage", region: str = REGION, error: CloudError | None = None) -> None:
    with budget.call(action, region):
        if error:
            raise error


def throttle(budget: Budget, action: str = "CreateImage", retry_after_s: float | None = None) -> None:
    with pytest.raises(CloudError):
        call(budget, action, error=CloudError(action, ErrorKind.THROTTLED, retry_after_s=retry_after_s))


def refusal(budget: Budget, action: str = "CreateImage", region: str = REGION) -> CloudError | None:
    try:
        call(budget, action, region)
    except CloudError as error:
        return error
    return None


def started(budget: Budget, priority: Priority, went: list[Priority], action: str = "DescribeInstances") -> None:
    """Call in a thread of its own, and return when the call is in line."""

    def run() -> None:
        with urgency(priority):
            call(budget, action)
        went.append(priority)

    waiting = sum(one.waiting for one in budget.state())
    threading.Thread(target=run, daemon=True).start()
    wait_until(lambda: sum(one.waiting for one in budget.state()) == waiting + 1)


def test_a_storm_of_a_thousand_is_not_held_up(time: Time) -> None:
    budget = Budget(time, time.monotonic)
    for _ in range(1000):
        call(budget)
    assert budget.state() == ()
    assert USUAL.rate >= 150


def test_without_tokens_a_call_waits_for_the_next(time: Time) -> None:
    budget, went = budget_of(time, rate=2), list[Priority]()
    call(budget, "DescribeInstances")
    started(budget, Priority.FLEET, went)
    time.passed_s = 0.4
    assert [(one.waiting, one.closed_until) for one in budget.state()] == [(1, None)]
    assert went == []
    time.passed_s = 0.5
    wait_until(lambda: went)
    assert budget.state() == ()


def test_the_most_urgent_goes_first_and_equals_in_turn(time: Time) -> None:
    budget, went = budget_of(time), list[Priority]()
    call(budget, "DescribeInstances")
    for priority in (Priority.FLEET, Priority.LOCK_POLL, Priority.PROTECT, Priority.IMAGE_POLL, Priority.LAUNCH):
        started(budget, priority, went)
    for number in range(1, 6):
        time.passed_s += 1
        wait_until(lambda number=number: len(went) == number)
    assert went == sorted(went)


def test_other_apis_and_other_regions_have_tokens_of_their_own(time: Time) -> None:
    budget = budget_of(time)
    throttle(budget)
    assert refusal(budget, "RunInstances") is None
    assert refusal(budget, region="cn-beijing") is None
    assert refusal(budget) is not None


def test_a_throttled_api_is_closed_for_everyone_until_the_next_minute(time: Time) -> None:
    budget = budget_of(time, rate=10, burst=10)
    throttle(budget)
    time.passed_s = 2
    refused = refusal(budget)
    assert refused is not None
    assert refused.kind is ErrorKind.THROTTLED
    assert refused.retry_after_s == pytest.approx(10)
    (closed,) = budget.state()
    assert closed.closed_until == AT + timedelta(seconds=12)
    time.passed_s = 12
    assert refusal(budget) is None


def test_the_services_own_word_counts_more_than_the_minute(time: Time) -> None:
    budget = budget_of(time, rate=10, burst=10)
    throttle(budget, retry_after_s=1.5)
    time.passed_s = 1.4
    assert refusal(budget) is not None
    time.passed_s = 1.6
    assert refusal(budget) is None


def test_who_waits_when_the_api_is_closed_is_told_at_once(time: Time) -> None:
    budget, told = budget_of(time), list[CloudError | None]()
    with suppress(CloudError), budget.call("CreateImage", REGION):
        threading.Thread(target=lambda: told.append(refusal(budget)), daemon=True).start()
        wait_until(lambda: budget.state() and budget.state()[0].waiting == 1)
        raise CloudError("CreateImage", ErrorKind.THROTTLED)
    wait_until(lambda: told)
    assert told[0] is not None
    assert told[0].kind is ErrorKind.THROTTLED


def test_a_throttle_halves_the_rate_once_and_it_comes_back_slowly(time: Time) -> None:
    budget = budget_of(time, rate=10, burst=10)
    with suppress(CloudError), budget.call("CreateImage", REGION):
        throttle(budget)  # two were under way when the API closed
        raise CloudError("CreateImage", ErrorKind.THROTTLED)
    time.passed_s = 12
    assert [one.rate for one in budget.state()] == [5]
    assert [refusal(budget) for _ in range(5)] == [None] * 5
    time.passed_s += 60
    assert [one.rate for one in budget.state()] == [6]
    time.passed_s += 240
    assert budget.state() == ()


def test_other_errors_close_nothing(time: Time) -> None:
    budget = budget_of(time, rate=10, burst=10)
    with pytest.raises(CloudError):
        call(budget, error=CloudError("CreateImage", ErrorKind.BROKEN))
    assert budget.state() == ()


def test_no_number_of_throttles_stops_an_api_for_ever(time: Time) -> None:
    budget = budget_of(time, rate=1, burst=10)
    for _ in range(20):
        throttle(budget, retry_after_s=1)
        time.passed_s += 1
    assert refusal(budget) is None


def test_what_runs_in_a_lane_comes_before_what_nobody_handed_to_one(time: Time) -> None:
    budget, went, lanes = budget_of(time), list[Priority](), Lanes()
    call(budget, "DescribeInstances")
    started(budget, Priority.LOCK_POLL, went)
    lanes.read(lambda: (call(budget, "DescribeInstances"), went.append(Priority.IMAGE_POLL)))
    wait_until(lambda: budget.state()[0].waiting == 2)
    lanes.act(lambda: (call(budget, "DescribeInstances"), went.append(Priority.LAUNCH)))
    wait_until(lambda: budget.state()[0].waiting == 3)
    for number in range(1, 4):
        time.passed_s += 1
        wait_until(lambda number=number: len(went) == number)
    assert went == [Priority.LAUNCH, Priority.IMAGE_POLL, Priority.LOCK_POLL]


@pytest.fixture
def account(config: Path) -> Iterator[tuple[SimServer, CloudAccount]]:
    with SimServer(config=config) as cloud:
        yield cloud, CloudAccount(load(config))


def test_a_closed_api_is_not_sent_to(account: tuple[SimServer, CloudAccount]) -> None:
    cloud, own = account
    ecs = own.regions[REGION]
    cloud.fault("DescribeInstances", "throttle", times=1, retry_after_ms=30_000)
    with pytest.raises(CloudError):
        ecs.locked()
    with pytest.raises(CloudError) as refused:
        next(ecs.fleet())
    assert refused.value.kind is ErrorKind.THROTTLED
    assert len(cloud.calls("DescribeInstances")) == 1
    assert [(one.action, one.region) for one in own.budget.state()] == [("DescribeInstances", REGION)]
    cloud.fault("ModifyDiskAttribute", "throttle", times=1, retry_after_ms=30_000)
    for _ in range(2):
        with pytest.raises(CloudError):
            ecs.protect(["d-1"])
    assert len(cloud.calls("ModifyDiskAttribute")) == 1
