"""What a recovery came to: each figure is known from its frozen plan, or it is not known."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui.domain.instance import Disk, Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.outcome import nine_of_ten, outcome
from spottui.domain.plan import Candidate, Plan, WarmImage
from spottui.domain.reasons import Failure
from spottui.domain.recovery import Created, ImageOf, Recovery, RecoveryState, Try
from spottui.domain.routes import Route

NOON = datetime(2026, 8, 23, 12, tzinfo=UTC)
HOME = Candidate("ecs.c7.large", "h", "vsw-h", "", price_per_hour=0.15)
AWAY = Candidate("ecs.g7.large", "i", "vsw-i", "", price_per_hour=0.2)
OLD = Instance("r", "i-old", "web", "ecs.c7.large", "h", InstanceStatus.RUNNING, "SpotAsPriceGo", recycling=True)
DISKS = (Disk("d-1", "/dev/xvda", "system", "cloud_essd", 40), Disk("d-2", "/dev/xvdb", "data", "cloud_auto", 100))
SPEC = LaunchSpec(OLD, "vsw-h", (), DISKS)
PLAN = Plan((Route.IMAGE,), SPEC, (HOME, AWAY), "x", price_per_hour=0.14, surveyed=True)
RECLAIM = Interruption("r", "i-old", 1, NOON, NOON + timedelta(seconds=300), (Evidence.LOCK,))


def recovered(**more: object) -> Recovery:
    known = Recovery(
        RECLAIM,
        "web",
        RecoveryState.RECOVERED,
        ended=NOON + timedelta(seconds=120),
        new_instance_id="i-new",
        imaging_since=NOON + timedelta(seconds=20),
        tries=(launched(HOME, "OperationDenied.NoStock"), launched(AWAY)),
    )
    return replace(known, **more)  # type: ignore[arg-type]


def launched(at: Candidate, refused: str = "") -> Try:
    failure = Failure("RunInstances", refused) if refused else None
    return Try(at.place, at.vswitch_id, "m-1", "token", failure=failure)


def test_the_price_is_that_of_the_place_that_took_the_replacement() -> None:
    told = outcome(recovered(), PLAN)
    assert (told.old_per_hour, told.new_per_hour, told.added_per_hour) == (0.14, 0.2, 0.06)
    assert (told.recovery_s, told.data_age_s) == (120.0, 100.0)


def test_a_cheaper_place_is_a_negative_cost() -> None:
    cheap = replace(PLAN, candidates=(replace(AWAY, price_per_hour=0.1),))
    assert outcome(recovered(), cheap).added_per_hour == -0.04


@pytest.mark.parametrize(
    ("recovery", "plan"),
    [
        (recovered(), None),
        (recovered(), replace(PLAN, price_per_hour=None)),
        (recovered(), replace(PLAN, candidates=(HOME, replace(AWAY, price_per_hour=None)))),
        (recovered(), replace(PLAN, candidates=(HOME,))),
        (recovered(tries=()), PLAN),
        (recovered(new_instance_id="", state=RecoveryState.FAILED), PLAN),
    ],
)
def test_what_nobody_knows_costs_neither_something_nor_nothing(recovery: Recovery, plan: Plan | None) -> None:
    assert outcome(recovery, plan).added_per_hour is None


def test_one_that_is_started_again_itself_costs_no_more_and_keeps_no_disk() -> None:
    again = recovered(
        route=Route.RESTART,
        new_instance_id="i-old",
        tries=(),
        imaging_since=None,
        created=(Created("kept disk", "d-1"),),
    )
    told = outcome(again, PLAN)
    assert (told.added_per_hour, told.kept, told.data_age_s) == (0.0, (), 0.0)


@pytest.mark.parametrize("route", [Route.KEPT_DISK, Route.RESTART])
def test_nothing_is_missing_where_the_disks_themselves_came_back(route: Route) -> None:
    told = outcome(recovered(route=route), PLAN)
    assert (told.data_age_s, told.data_as_of) == (0.0, None)


def test_an_earlier_image_is_as_old_as_it_is() -> None:
    plan = replace(PLAN, warm_image=WarmImage("m-0", NOON - timedelta(hours=2)))
    told = outcome(recovered(route=Route.WARM_IMAGE), plan)
    assert told.data_age_s == 7320.0
    assert outcome(recovered(route=Route.WARM_IMAGE), PLAN).data_age_s is None


def test_what_failed_has_no_recovery_time_and_no_age_of_data() -> None:
    told = outcome(recovered(state=RecoveryState.FAILED, new_instance_id=""), PLAN)
    assert (told.recovery_s, told.data_age_s) == (None, None)


MADE = (
    Created("image", "m-0"),
    Created("image", "m-1"),
    Created("snapshot", "s-1"),
    Created("instance", "i-new"),
    *(Created("kept disk", disk.disk_id) for disk in DISKS),
)


@pytest.mark.parametrize(
    ("image_of", "attached", "kept"),
    [
        (ImageOf.ALL_DISKS, (), {"m-0": None, "m-1": 140, "s-1": 40, "d-1": 40, "d-2": 100}),
        (ImageOf.KEPT_DISKS, (), {"m-0": None, "m-1": 140, "d-1": 40, "d-2": 100}),
        (ImageOf.KEPT_SYSTEM_DISK, ("d-2",), {"m-0": None, "m-1": 40, "d-1": 40}),
    ],
)
def test_kept_is_what_costs_money_each_once(
    image_of: ImageOf, attached: tuple[str, ...], kept: dict[str, object]
) -> None:
    created = (*MADE, *(Created("attached disk", disk_id) for disk_id in attached))
    made = recovered(created=created, image_id="m-1", image_of=image_of, snapshots=(("d-1", "s-1"),))
    told = outcome(made, PLAN)
    assert {one.resource_id: one.gib for one in told.kept} == kept
    assert {one.priced_as for one in told.kept if one.resource_id.startswith("d-")} <= {"cloud_essd", "cloud_auto"}
    assert {one.gib for one in outcome(made, None).kept} == {None}


@given(st.lists(st.floats(0, 900), min_size=1))
def test_nine_of_ten_took_no_longer_and_it_is_a_time_that_one_took(times_s: list[float]) -> None:
    slow_s = nine_of_ten(times_s)
    assert slow_s is not None
    assert slow_s in times_s
    assert sum(one <= slow_s for one in times_s) >= 0.9 * len(times_s)
    assert sum(one < slow_s for one in times_s) < 0.9 * len(times_s)


def test_nine_of_ten_of_none_is_none() -> None:
    assert nine_of_ten([]) is None
