"""Who may call when: tokens, the order of the line, and silence after a throttle."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.budget import USUAL, Budget, Pace, Priority, urgency
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.thread_pools import ThreadPools
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
    for priority in (Priority.FLEET, Priority.IMAGE, Priority.IMAGE_POLL, Priority.FLEET, Priority.LAUNCH):
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


@pytest.mark.parametrize(("asked_s", "closed_s"), [(1.5, 1.5), (900, 60)])
def test_the_services_own_word_counts_more_than_the_minute_and_never_for_longer_than_one(
    time: Time, asked_s: float, closed_s: float
) -> None:
    budget = budget_of(time, rate=10, burst=10)
    throttle(budget, retry_after_s=asked_s)
    time.passed_s = closed_s - 0.1
    assert refusal(budget) is not None
    time.passed_s = closed_s + 0.1
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
    budget, went, thread_pools = budget_of(time), list[Priority](), ThreadPools()
    call(budget, "DescribeInstances")
    started(budget, Priority.FLEET, went)
    thread_pools.read(lambda: (call(budget, "DescribeInstances"), went.append(Priority.IMAGE_POLL)))
    wait_until(lambda: budget.state()[0].waiting == 2)
    thread_pools.act(lambda: (call(budget, "DescribeInstances"), went.append(Priority.LAUNCH)))
    wait_until(lambda: budget.state()[0].waiting == 3)
    for number in range(1, 4):
        time.passed_s += 1
        wait_until(lambda number=number: len(went) == number)
    assert went == [Priority.LAUNCH, Priority.IMAGE_POLL, Priority.FLEET]


def test_what_is_made_ready_in_calm_time_goes_last_whatever_it_calls(time: Time) -> None:
    budget, went = budget_of(time), list[Priority]()
    call(budget, "CreateImage")
    started(budget, Priority.READY, went, "CreateImage")
    started(budget, Priority.FLEET, went, "CreateImage")
    for number in (1, 2):
        time.passed_s += 1
        wait_until(lambda number=number: len(went) == number)
    assert went == [Priority.FLEET, Priority.READY]


@pytest.mark.parametrize("priority", [Priority.LOCK_POLL, Priority.PROTECT])
def test_a_flood_never_keeps_the_lock_poll_or_disk_protection_waiting(time: Time, priority: Priority) -> None:
    budget, went = budget_of(time), list[Priority]()
    call(budget, "DescribeInstances")
    for flood in (Priority.FLEET, Priority.LAUNCH):
        started(budget, flood, went)
    for _ in range(5):
        assert refusal_of(budget, priority) is None
    assert went == []


def test_what_is_kept_for_the_lock_poll_nobody_else_can_spend(time: Time) -> None:
    budget, went = budget_of(time, rate=0.001), list[Priority]()
    call(budget, "DescribeInstances")
    started(budget, Priority.IMAGE, went)
    for _ in range(60):
        time.passed_s += 2
        assert refusal_of(budget, Priority.LOCK_POLL) is None
    assert went == []


def test_the_throttle_of_another_does_not_close_an_api_for_the_lock_poll(time: Time) -> None:
    budget = budget_of(time, rate=10, burst=10)
    throttle(budget, "DescribeInstances")
    assert refusal(budget, "DescribeInstances") is not None
    assert refusal_of(budget, Priority.LOCK_POLL) is None


@pytest.mark.parametrize("said_s", [None, 30.0, 1.5])
def test_its_own_throttle_keeps_the_lock_poll_quiet_for_five_seconds_at_most(time: Time, said_s: float | None) -> None:
    budget = budget_of(time, rate=10, burst=10)
    with pytest.raises(CloudError), budget.call("DescribeInstances", REGION, Priority.LOCK_POLL):
        raise CloudError("DescribeInstances", ErrorKind.THROTTLED, retry_after_s=said_s)
    pause_s = min(said_s or 5, 5)
    time.passed_s = pause_s - 0.1
    assert refusal_of(budget, Priority.LOCK_POLL) is not None
    time.passed_s = pause_s
    assert refusal_of(budget, Priority.LOCK_POLL) is None


def refusal_of(budget: Budget, priority: Priority) -> CloudError | None:
    try:
        with budget.call("DescribeInstances", REGION, priority):
            return None
    except CloudError as error:
        return error


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


class Minutes:
    """A simulated cloud that counts calls by the minute, and a budget whose clocks are turned with the cloud's."""

    def __init__(self, config: Path, cloud: SimServer) -> None:
        self.cloud, self.time = cloud, Time()
        settings = load(config)
        region = settings.regions[0]
        credentials = CredentialSource(settings.credentials_file)
        self.ecs = Ecs(REGION, region.ecs_endpoint, credentials, None, Budget(self.time, self.time.monotonic))

    def turn(self, seconds: float) -> None:
        self.time.passed_s += seconds
        self.cloud.advance(seconds)

    def turn_to_the_next_minute(self) -> None:
        self.turn(60 - self.time.now().second)

    def flood(self, calls: int) -> int:
        """Look up so many unknown instances, one by one; return how many were answered."""
        answered = 0
        for number in range(calls):
            with suppress(CloudError), urgency(Priority.IMAGE_POLL):
                self.ecs.launch_specs([f"i-unknown{number}"])
                answered += 1
        return answered

    def locks_seen_in_a_minute(self, flood: int) -> int:
        """Poll every two seconds for a minute in which as many unknown instances are looked up each time."""
        seen = 0
        for _ in range(29):
            self.flood(flood)
            with suppress(CloudError):
                seen += bool(self.ecs.locked())
            self.turn(2)
        return seen


@pytest.fixture
def minutes(config: Path) -> Iterator[Minutes]:
    with SimServer(config=config, speed=0, start_at=AT.timestamp()) as cloud:
        cloud.world(limits={"DescribeInstances": 120})
        cloud.interrupt([cloud.spot_ids()[0]], notice_s=3600)
        yield Minutes(config, cloud)


def test_the_lock_poll_tries_on_while_a_flood_has_closed_the_api(minutes: Minutes) -> None:
    minutes.flood(200)
    before = len(minutes.cloud.calls("DescribeInstances"))
    assert minutes.flood(50) == 0
    assert len(minutes.cloud.calls("DescribeInstances")) == before, "of the flood nothing is sent any more"
    with pytest.raises(CloudError, match="Throttling"):
        minutes.ecs.locked()
    minutes.turn(5)
    with pytest.raises(CloudError, match="Throttling"):
        minutes.ecs.locked()
    assert len(minutes.cloud.calls("DescribeInstances")) == before + 2
    minutes.turn_to_the_next_minute()
    assert minutes.ecs.locked()


def test_after_a_throttle_a_flood_leaves_the_lock_poll_its_calls_of_every_minute(minutes: Minutes) -> None:
    assert minutes.ecs.locked()
    assert minutes.flood(200) == 119
    seen = []
    for _ in range(6):
        minutes.turn_to_the_next_minute()
        seen.append(minutes.locks_seen_in_a_minute(flood=20))
    assert seen[:2] == [29, 29]
    assert min(seen) >= 20, "where more is tried it is told in the last part of the minute"


def test_a_flood_at_the_pace_of_a_sweep_leaves_the_first_minute_too(time: Time) -> None:
    budget = Budget(time, time.monotonic)
    assert refusal_of(budget, Priority.LOCK_POLL) is None
    for _ in range(50):
        assert refusal_of(budget, Priority.FLEET) is None
    went = list[Priority]()
    started(budget, Priority.FLEET, went)
    assert refusal_of(budget, Priority.IMAGE_POLL) is None
    assert went == []
    time.passed_s = 0.1
    wait_until(lambda: went)


def test_a_throttle_that_others_caused_holds_up_urgent_calls_less_each_minute(time: Time) -> None:
    budget = budget_of(time, rate=10, burst=100)
    assert refusal_of(budget, Priority.LOCK_POLL) is None
    throttle(budget, "DescribeInstances")
    in_a_minute = [_urgent_calls(budget, time) for _ in range(5)]
    assert in_a_minute[0] >= 10, "one every four seconds"
    assert in_a_minute == sorted(in_a_minute)
    assert in_a_minute[-1] >= 30


def _urgent_calls(budget: Budget, time: Time) -> int:
    """Want forty calls in the course of the next minute; return how many could be made."""
    time.passed_s += 60 - time.now().second
    made = 0
    for _ in range(40):
        made += refusal_of(budget, Priority.IMAGE_POLL) is None
        time.passed_s += 1
    return made
