"""After several reclaims of an instance and of those that it replaced, the next replacement goes elsewhere."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui.domain.facts import CallAnswered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import TiredPool
from spottui.domain.recovery import RecoveryState
from spottui.domain.settings import Policy, Tolerance
from spottui.journal import Journal
from spottui.recovery.lineage import tired_pools
from spottui.recovery.planner import make_plan
from tests.journal.given import NOON, REGION, enter, observe, plan_of, record, set_plan
from tests.recovery.test_planner import SETTINGS

LATELY = Tolerance(3, "6h")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "j.db", acts=True) as opened:
        yield opened


def spec_of(instance_id: str, zone: str, launched_by: str) -> LaunchSpec:
    spec = plan_of(instance_id=instance_id, tags={"spottui": launched_by}).spec
    return replace(spec, instance=replace(spec.instance, zone=f"{REGION}-{zone}"))


def reclaimed(journal: Journal, spec: LaunchSpec, hours_ago: float, new_id: str = "", *, drill: bool = False) -> str:
    """Let an instance be reclaimed and replaced; return the recovery's id."""
    at = NOON - timedelta(hours=hours_ago)
    source = Evidence.QUEUE if drill else Evidence.LOCK
    (recovery_id,) = observe(journal, Observation(REGION, spec.instance.instance_id, source, at), now=at)
    set_plan(journal, recovery_id, replace(plan_of(), spec=spec), at)
    if drill:
        enter(journal, recovery_id, RecoveryState.SKIPPED, at)
    elif new_id:
        record(journal, recovery_id, CallAnswered("RunInstances", resources=(new_id,)), now=at)
        enter(journal, recovery_id, RecoveryState.RECOVERED, at)
    return recovery_id


def test_the_pools_of_a_lineage_are_tired_once_the_tolerance_is_used_up(journal: Journal) -> None:
    first = reclaimed(journal, spec_of("i-1", "h", ""), 5, "i-2")
    second = reclaimed(journal, spec_of("i-2", "h", first), 3, "i-3")
    third = spec_of("i-3", "i", second)
    reclaimed(journal, third, 2.5, drill=True)
    assert tired_pools(journal, third, LATELY, NOON) == (), "twice is within the tolerance, and a drill is no reclaim"
    reclaimed(journal, third, 0)
    assert tired_pools(journal, third, LATELY, NOON) == (
        TiredPool("ecs.c7.large", f"{REGION}-i", 1, "6h"),
        TiredPool("ecs.c7.large", f"{REGION}-h", 2, "6h"),
    )
    assert tired_pools(journal, third, Tolerance(3, "4h"), NOON) == (), "the first one is forgotten by then"
    assert tired_pools(journal, spec_of("i-9", "i", second), LATELY, NOON) == (), (
        "a tag that somebody copied is not believed"
    )


def test_a_tired_pool_comes_after_all_others_and_after_on_demand_and_says_why() -> None:
    home = replace(spec_of("i-1", "h", ""), vswitch_id="vsw-h")
    settings = replace(SETTINGS, policy=Policy(on_demand=True, other_types=False))
    tired = tuple(TiredPool("ecs.c7.large", f"{REGION}-{zone}", 3, "6h") for zone in "h")
    assert [(one.zone[-1], one.on_demand) for one in make_plan(home, settings, tired).candidates] == [
        ("i", False), ("h", True), ("i", True), ("h", False),
    ]  # fmt: skip
    assert "3 reclaims here within 6h" in make_plan(home, settings, tired).candidates[-1].reason
    assert make_plan(home, settings).candidates[0].zone[-1] == "h"
