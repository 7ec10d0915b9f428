"""No refusal that nobody knows ends a recovery that has another way, and no detail that is refused holds one up."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui import words
from spottui.cloud.account import CloudAccount
from spottui.cloud.codes import kind_of, part_of
from spottui.config import load
from spottui.domain.facts import (
    CallBegun,
    LaunchRefused,
    Logged,
    Retried,
    SignSeen,
    StateEntered,
)
from spottui.domain.fold import apply
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import Part
from spottui.domain.plan import Candidate
from spottui.domain.reasons import Failure, Reason, Why
from spottui.domain.recovery import Recovery, RecoveryState, Try
from spottui.domain.routes import Route
from spottui.journal import Journal
from spottui.journal.reclaims import Sighting, take_in
from spottui.recovery import launching
from spottui.recovery.engine import Engine
from spottui.recovery.planner import capture, make_plan
from spottui.sim.testing import SimServer
from tests.cloud.test_codes import CODES, REFUSALS
from tests.driving import Headless, add_policy, effects, wait_until
from tests.journal.given import ANN, NOON, confirm, known, nameless, plan_of, set_plan
from tests.recovery.given import CLOCK, begin, console
from tests.recovery.test_kept_disk import retry
from tests.recovery.test_routes import DRAIN, tag_instance
from tests.recovery.test_traffic import ended, engine

FAST = {"veto_window_s": 0, "max_at_once": 50, "max_per_hour": 500, "lock_poll_s": 0.5}
PLACES = tuple(Candidate("ecs.c7.large", f"cn-hangzhou-{zone}", f"vsw-{zone}", "") for zone in "ghijk")


def refused(known: Recovery, number: int, place: Candidate, failure: Failure) -> Recovery:
    one = Try(place.place, place.vswitch_id, "m-1", f"token-{number}", at=NOON)
    begun = apply(known, Logged(2 * number + 2, NOON, CallBegun("RunInstances", one.client_token, attempt=one)))
    return apply(begun, Logged(2 * number + 3, NOON, LaunchRefused(one.client_token, failure)))


@given(st.lists(st.tuples(CODES, REFUSALS | st.integers(500, 599), st.text(max_size=30)), max_size=4))
def test_refusals_that_nobody_knows_leave_the_places_that_were_not_tried(said: list[tuple[str, int, str]]) -> None:
    plan = replace(plan_of(), candidates=PLACES)
    recovery = launching_recovery()
    for number, (place, (code, status, message)) in enumerate(zip(PLACES, said, strict=False)):
        kind = kind_of(code, status, "RunInstances", message)
        if not kind.ends_launch:
            recovery = refused(recovery, number, place, Failure("RunInstances", code, kind.value, message))
    assert launching.places_left(recovery, plan)


def launching_recovery() -> Recovery:
    sign = SignSeen(Evidence.LOCK, NOON, NOON, NOON, epoch=int(NOON.timestamp()))
    return apply(None, Logged(1, NOON, sign, "cn-hangzhou", "i-1", f"cn-hangzhou.i-1.{int(NOON.timestamp())}"))


@pytest.mark.parametrize("part", [Part.KEY_PAIR, Part.RAM_ROLE, Part.RESOURCE_GROUP, Part.DEPLOYMENT_SET])
def test_a_part_that_is_gone_is_left_out_once_and_closes_no_place(part: Part) -> None:
    code = {
        Part.KEY_PAIR: "InvalidKeyPairName.NotFound",
        Part.RAM_ROLE: "InvalidRamRole.NotFound",
        Part.RESOURCE_GROUP: "InvalidResourceGroup.NotFound",
        Part.DEPLOYMENT_SET: "InvalidDeploymentSetId.NotFound",
    }[part]
    assert part_of(code) is part
    plan = replace(plan_of(), candidates=PLACES[:1])
    gone = Failure("RunInstances", code, kind_of(code, 404, "RunInstances").value, "does not exist")
    recovery = refused(launching_recovery(), 0, PLACES[0], gone)
    assert launching.left_out(recovery) == {part: gone}
    assert launching.places_left(recovery, plan)
    assert not launching.places_left(refused(recovery, 1, PLACES[0], gone), plan), "it did not help"
    assert part in words.reason(Reason(Why.RUNS_WITHOUT, part, failure=gone))


def test_an_engineer_who_tries_again_tries_the_places_again() -> None:
    plan = replace(plan_of(), candidates=PLACES[:1])
    recovery = refused(launching_recovery(), 0, PLACES[0], Failure("RunInstances", "Odd.New", "place refused"))
    assert not launching.places_left(recovery, plan)
    later = NOON + timedelta(seconds=9)
    ended = apply(recovery, Logged(8, later, StateEntered(RecoveryState.FAILED)))
    assert launching.places_left(apply(ended, Logged(9, later, Retried(1, ANN))), plan)


def test_unknown_codes_and_refused_details_end_in_recoveries(live_cloud: SimServer, config: Path) -> None:
    """Each victim's own call is refused with a code that nobody knows, in its zone, by its image, or at its start."""
    add_policy(config, **FAST)
    # Nobody has ever read the details of these instances.
    live_cloud.world(permissions={"DescribeUserData": "forbidden", "DescribeInstanceRamRole": "forbidden"})
    rows = {row["InstanceName"]: row for row in live_cloud.state()["instances"]}
    ids = {name: rows[name]["InstanceId"] for name in ("cache-4", "ci-7", "batch-5", "web-22")}
    odd: dict[str, Any] = {"times": 0, "code": "SomethingNew.Odd", "message": "something new"}
    live_cloud.fault(
        "RunInstances",
        "error",
        match={"InstanceName": "cache-4", "ZoneId": rows["cache-4"]["ZoneId"]},
        status=400,
        **odd,
    )
    live_cloud.fault("CreateImage", "error", match={"InstanceId": ids["ci-7"]}, status=409, **odd)
    live_cloud.fault("StartInstance", "error", match={"InstanceId": ids["batch-5"]}, status=403, **odd)
    live_cloud.control("POST", "gone", {"instance_id": ids["web-22"], "parts": ["key_pair"]})
    with Headless(config, "--auto").wait_ready() as run:
        live_cloud.interrupt(list(ids.values()), notice_s=5)
        wait_until(lambda: all(run.states().get(one) == "recovered" for one in ids.values()), 90)
        found = run.recoveries()
    routes = {name: found[one]["route"] for name, one in ids.items()}
    assert routes == {
        "cache-4": "image", "ci-7": "kept-disk", "batch-5": "image", "web-22": "image",
    }  # fmt: skip
    assert len(effects(live_cloud, "RunInstances")) == len(ids)
    assert "LAUNCHED WITHOUT ITS key pair: RunInstances: InvalidKeyPair" in found[ids["web-22"]]["reason"]
    new = {row["InstanceId"]: row for row in live_cloud.state()["instances"]}
    assert new[found[ids["cache-4"]]["new_instance_id"]]["ZoneId"] != rows["cache-4"]["ZoneId"]
    assert any("user data" in line for line in warnings_of(load(config).journal, "web-22"))


def warnings_of(journal: str, name: str) -> list[str]:
    with Journal(journal, read_only=True) as opened:
        (one,) = [recovery for recovery in opened.recoveries.all() if recovery.name == name]
        plan = opened.recoveries.plan(one.recovery_id)
    assert plan
    return list(words.warnings(plan))


def test_what_answers_nothing_is_left_once_the_cloud_shows_that_it_made_nothing(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place, and an image of the instance itself; the codes of a broken service are as unknown as any."""
    monkeypatch.setattr(launching, "SETTLE_S", 1.0)
    monkeypatch.setattr(launching, "UNLISTED_S", 1.0)
    rows = {row["InstanceName"]: row for row in live_cloud.state()["instances"]}
    ids = [rows[name]["InstanceId"] for name in ("cache-4", "train-13")]
    odd: dict[str, Any] = {"times": 0, "status": 503, "code": "SomethingNew"}
    here = {"InstanceName": "cache-4", "ZoneId": rows["cache-4"]["ZoneId"], "ClientToken": "*"}
    live_cloud.fault("RunInstances", "error", match=here, **odd)
    live_cloud.fault("CreateImage", "error", match={"InstanceId": ids[1]}, **odd)
    live_cloud.interrupt(ids, notice_s=3)
    settings = load(config)
    account = CloudAccount(settings)
    with console(config.with_name("j.db"), account, settings) as shared:
        journal = shared.journal
        Engine(shared).start()
        recoveries = [begin(shared, one) for one in ids]
        wait_until(lambda: all(known(journal, one).state is RecoveryState.RECOVERED for one in recoveries))
        by_place, by_disk = (known(journal, one) for one in recoveries)
    assert by_place.tries[0].failure
    assert by_place.tries[0].failure.effect_unknown
    assert len({one.client_token for one in by_place.tries}) == len(by_place.tries) == 2
    assert by_disk.route is Route.KEPT_DISK
    assert len(effects(live_cloud, "RunInstances")) == 2


def test_an_image_whose_answer_and_token_are_lost_is_adopted_by_its_name(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    live_cloud.world(token_life_s=0.01)
    live_cloud.fault("CreateImage", "drop_reply", times=1)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "recovered")
    assert [row["status"] for row in live_cloud.calls("CreateImage")] == [None, 400]
    assert len(effects(live_cloud, "CreateImage")) == 1
    assert len(effects(live_cloud, "RunInstances")) == 1


@pytest.mark.parametrize("kind", ["drop_reply", "bad_json", "odd_answer"])
def test_a_launch_whose_answers_all_tell_nothing_and_that_is_listed_late_is_not_made_again(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(launching, "SETTLE_S", 1.0)
    live_cloud.world(instance_unlisted_s=6)
    victim = live_cloud.spot_ids()[0]
    live_cloud.fault("RunInstances", kind, match={"ClientToken": "*"}, times=0)
    live_cloud.interrupt([victim])
    settings = load(config)
    with console(config.with_name("j.db"), CloudAccount(settings), settings) as shared:
        Engine(shared).start()
        recovery_id = begin(shared, victim)
        wait_until(lambda: known(shared.journal, recovery_id).state.is_final)
        assert known(shared.journal, recovery_id).state is RecoveryState.RECOVERED
    assert len(effects(live_cloud, "RunInstances")) == 1


@pytest.mark.parametrize("ids", [[], "i-1", {"InstanceIdSet": [{"InstanceId": "i-1"}]}])
def test_an_answer_that_does_not_say_what_was_launched_launches_nothing_more(
    live_cloud: SimServer, config: Path, ids: object
) -> None:
    add_policy(config, **FAST)
    victim = live_cloud.spot_ids()[0]
    body = json.dumps({"RequestId": "odd", "InstanceIdSets": ids})
    live_cloud.fault("RunInstances", "odd_answer", match={"ClientToken": "*"}, times=2, body=body)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "recovered")
        told = [line["fact"] for line in console.lines if str(line.get("text")).startswith("RunInstances")]
    assert told == ["call failed", "call failed", "call answered"]
    assert len({row["client_token"] for row in live_cloud.calls("RunInstances") if row["client_token"]}) == 1
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_of_several_security_groups_the_one_that_is_gone_is_left_out(live_cloud: SimServer, config: Path) -> None:
    victim, settings = live_cloud.spot_ids()[0], load(config)
    live_cloud.interrupt([victim])
    with console(config.with_name("j.db"), CloudAccount(settings), settings) as shared:
        now = CLOCK.now()
        seen = Sighting([Observation("cn-hangzhou", victim, Evidence.LOCK, now)])
        (recovery,) = shared.journal.run(lambda t: take_in(t, seen, nameless, "", now))
        spec = capture(shared.regions["cn-hangzhou"], shared.journal, CLOCK, victim)
        assert spec
        groups = ("sg-gone", *spec.security_group_ids)
        plan = make_plan(replace(spec, security_group_ids=groups), settings)
        set_plan(shared.journal, recovery.recovery_id, plan, now)
        confirm(shared.journal, recovery.recovery_id, now)
        Engine(shared).start()
        wait_until(lambda: known(shared.journal, recovery.recovery_id).state.is_final)
        ended = known(shared.journal, recovery.recovery_id)
    assert ended.state is RecoveryState.RECOVERED, words.reason(ended.reason)
    assert "LAUNCHED WITHOUT ITS security group" in words.reason(ended.reason)
    assert [one.place for one in ended.tries] == [ended.tries[0].place] * 2, "it is no fault of the place"


def test_a_retry_launches_again_after_the_cloud_removed_every_replacement(live_cloud: SimServer, config: Path) -> None:
    live_cloud.world(launches_that_fail=launching.LAUNCHES, launch_fails_after_s=0.2)
    victim = live_cloud.spot_ids()[0]
    with engine(config) as shared:
        live_cloud.interrupt([victim])
        recovery_id = begin(shared, victim, notice_s=300)
        assert ended(shared, recovery_id).state is RecoveryState.FAILED
        retry(shared, recovery_id)
        recovery = ended(shared, recovery_id)
    assert recovery.state is RecoveryState.RECOVERED, words.reason(recovery.reason)


def test_a_retry_drains_again(live_cloud: SimServer, config: Path) -> None:
    """The instance has worked on since the first run."""
    with config.open("a") as file:
        file.write(DRAIN)
    victim = live_cloud.spot_ids()[0]
    tag_instance(live_cloud, victim, "spottui:drain", "stop-jobs")
    live_cloud.fault("CreateImage", "error", times=1, code="Forbidden.RAM", status=403)
    with engine(config) as shared:
        live_cloud.interrupt([victim])
        recovery_id = begin(shared, victim, notice_s=300)
        assert ended(shared, recovery_id).state is RecoveryState.FAILED
        retry(shared, recovery_id)
        assert ended(shared, recovery_id).state is RecoveryState.RECOVERED
    assert len(effects(live_cloud, "RunCommand")) == 2
