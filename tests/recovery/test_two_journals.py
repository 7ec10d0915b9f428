"""What a reclaim makes is made once in the account, also where the journal that knows of it is another, or is lost."""

import os
import signal
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import ImageSource
from spottui.config import load
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.reasons import Doing
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.tokens import image_name
from spottui.recovery import launching
from spottui.recovery.engine import Engine
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until
from tests.journal.given import confirm, known, observe
from tests.recovery.calm import allow_older_system, make_system_image
from tests.recovery.given import CLOCK, begin, console
from tests.recovery.test_routes import named
from tests.recovery.test_traffic import ended, engine

FAST = {"veto_window_s": 0, "max_at_once": 50, "max_per_hour": 500, "lock_poll_s": 0.5}


def with_another_journal(config: Path) -> Path:
    """Another console's configuration: the same account, a journal of its own."""
    other = config.with_name("other.toml")
    other.write_text(config.read_text().replace('journal = "', 'journal = "other-'))
    return other


def journal_of(config: Path) -> Path:
    return next(path for path in config.parent.glob("*.db") if not path.name.startswith("other-"))


@pytest.mark.parametrize("unlisted_s", [0, 1.5])
def test_two_journals_on_one_account_make_one_image_and_one_replacement(
    live_cloud: SimServer, config: Path, unlisted_s: float
) -> None:
    """They begin in the same moment; what one has made may not be listed when the other looks for it."""
    add_policy(config, **FAST)
    live_cloud.world(image_unlisted_s=unlisted_s, instance_unlisted_s=unlisted_s)
    victims = live_cloud.spot_ids()[:3]
    with ExitStack() as stack:
        both = [
            stack.enter_context(Headless(one, "--auto").wait_ready()) for one in (config, with_another_journal(config))
        ]
        live_cloud.interrupt(victims)
        for console in both:
            wait_until(lambda console=console: all(console.states().get(one) == "recovered" for one in victims))
        made = [{one: console.recoveries()[one]["new_instance_id"] for one in victims} for console in both]
    assert made[0] == made[1]
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == len(victims)


def test_by_every_other_route_too_two_journals_make_everything_once(config: Path) -> None:
    """One has the message and the other sees the locks later, so that their recoveries have not the same ids."""
    with SimServer(config=config, start_at=time.time() - 600) as cloud, ExitStack() as stack:
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        add_policy(config, **FAST, warm_image="true")
        victims = with_a_victim_for_each_route(cloud, config)
        cloud.world(locked_status="Stopping", instance_unlisted_s=4)
        both = [
            stack.enter_context(Headless(one, "--auto").wait_ready()) for one in (config, with_another_journal(config))
        ]
        before = made_of(cloud)
        cloud.interrupt(list(victims.values()), notice_s=8, lock_after_s=3, history=False)
        for console, victim in product(both, victims.values()):
            wait_until(lambda console=console, victim=victim: console.states().get(victim) in ("recovered", "failed"))
        of_both = [console.recoveries() for console in both]
        for route, victim in victims.items():
            first, second = (recoveries[victim] for recoveries in of_both)
            assert first["id"] != second["id"], route
            assert [(one["state"], one["route"]) for one in (first, second)] == [("recovered", route)] * 2
            assert first["new_instance_id"] == second["new_instance_id"], route
        of_one = Counter(RunInstances=3, CreateSnapshotGroup=1, CreateSnapshot=1, CreateImage=1)
        assert made_of(cloud) - before == of_one


def test_who_was_away_while_another_journal_moved_the_kept_disks_follows(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    live_cloud.world(locked_status="Stopping")
    (victim,) = (row["InstanceId"] for row in live_cloud.state()["instances"] if row["InstanceName"] == "api-2")
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(Headless(each, "--auto").wait_ready())
            for each in (config, with_another_journal(config))
        )
        live_cloud.interrupt([victim], notice_s=5, lock_after_s=2, history=False)
        wait_until(lambda: other.states().get(victim) == "imaging")
        os.kill(other.pid, signal.SIGSTOP)
        wait_until(lambda: one.states().get(victim) == "recovered")
        os.kill(other.pid, signal.SIGCONT)
        wait_until(lambda: other.states().get(victim) in ("recovered", "failed"))
        assert other.recoveries()[victim]["new_instance_id"] == one.recoveries()[victim]["new_instance_id"]
        assert len(effects(live_cloud, "RunInstances")) == 1


def test_what_another_journal_launched_while_there_was_no_room_is_not_launched_again(
    live_cloud: SimServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a break glass: the first console has had refusals, and then its journal was out of reach for a while."""
    monkeypatch.setattr(launching, "FOLLOW_S", 0.5)
    monkeypatch.setattr(launching, "REST", timedelta(seconds=4))
    monkeypatch.setattr(launching, "PAUSE", timedelta(seconds=2))
    live_cloud.stock(0)
    live_cloud.world(token_life_s=1)
    old = named(live_cloud, "web-1")
    with engine(config) as shared:
        live_cloud.interrupt([old["InstanceId"]])
        recovery_id = begin(shared, old["InstanceId"], notice_s=300)
        wait_until(lambda: _awaits_room(known(shared.journal, recovery_id)))
        live_cloud.stock(5)
        with console(config.with_name("other.db"), CloudAccount(load(config)), load(config)) as other:
            driving = Engine(other)
            driving.start()
            theirs = ended(other, begin(other, old["InstanceId"], notice_s=300))
            driving.stop()
        ours = ended(shared, recovery_id)
    assert (ours.new_instance_id, ours.state) == (theirs.new_instance_id, RecoveryState.RECOVERED)
    assert len(effects(live_cloud, "RunInstances")) == 1


def _awaits_room(recovery: Recovery) -> bool:
    return recovery.next_step is not None and recovery.next_step.doing is Doing.AWAIT_ROOM


def with_a_victim_for_each_route(cloud: SimServer, config: Path) -> dict[str, str]:
    """Return instances by the route that they take, once images of ten minutes ago are there."""
    rows = [row for row in cloud.state()["instances"] if row["InstanceId"] in cloud.spot_ids()]
    instant, warm, kept = [row for row in rows if len(row["DiskIds"]) == 2][:3]
    make_system_image(cloud, instant)
    allow_older_system(cloud, instant)
    victim = warm["InstanceId"]
    ecs = CloudAccount(load(config)).regions["cn-hangzhou"]
    ecs.create_image(ImageSource(victim), "earlier", f"cn-hangzhou.{victim}.1764312000", "t")
    cloud.world(permissions={f"CreateImage@{victim}": "forbidden"})
    cloud.advance(600)
    return {"instant": instant["InstanceId"], "warm-image": victim, "kept-disk": kept["InstanceId"]}


def made_of(cloud: SimServer) -> Counter[str]:
    """How many calls of each action have made something."""
    return Counter(row["action"] for row in cloud.calls() if (row["effect"] or "").startswith("created"))


def test_a_journal_that_is_deleted_under_a_console_ends_it_and_the_next_one_adopts(
    live_cloud: SimServer, config: Path
) -> None:
    add_policy(config, **FAST)
    live_cloud.world(image_base_s=6)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as first:
        live_cloud.interrupt([victim])
        wait_until(lambda: first.states().get(victim) == "imaging" and effects(live_cloud, "CreateImage"))
        for path in config.parent.glob("*.db*"):
            if path.is_file():
                path.unlink()
        wait_until(lambda: not first.alive, 5)
        assert first.stop() == 1
        assert "was deleted or replaced under this console" in first.stderr()
        assert "Traceback" not in first.stderr()
    with Headless(config, "--auto").wait_ready() as second:
        wait_until(lambda: second.states().get(victim) == "recovered")
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 1


def test_an_image_of_an_earlier_reclaim_is_neither_adopted_nor_in_the_way(config: Path) -> None:
    """Its name is taken: the reclaim's image has the next one, whichever console makes it."""
    with SimServer(config=config, start_at=time.time() - 600) as cloud:
        add_policy(config, **FAST)
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        victim = cloud.spot_ids()[0]
        ecs = CloudAccount(load(config)).regions["cn-hangzhou"]
        earlier = f"cn-hangzhou.{victim}.1764312000"
        old = ecs.create_image(ImageSource(victim), image_name(f"cn-hangzhou.{victim}"), earlier, "t").resource_id
        cloud.advance(600)
        with Headless(config, "--auto").wait_ready() as one, ExitStack() as stack:
            other = stack.enter_context(Headless(with_another_journal(config), "--auto").wait_ready())
            cloud.interrupt([victim])
            wait_until(lambda: [one.states().get(victim), other.states().get(victim)] == ["recovered"] * 2)
        images = {
            row["ImageId"]: row["ImageName"]
            for row in cloud.state()["images"]
            if row["ImageName"].startswith("spottui")
        }
        (new,) = images.keys() - {old}
        assert images[new] == f"{images[old]}-2"
        assert len(effects(cloud, "RunInstances")) == 1


def test_an_image_that_another_recovery_of_this_journal_began_is_not_that_of_a_reclaim(
    live_cloud: SimServer, config: Path
) -> None:
    """The instance has run on since a person's recovery failed: what it wrote meanwhile is in no image yet."""
    victim = live_cloud.spot_ids()[0]
    no_money = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403, "match": {"ClientToken": "*"}}
    live_cloud.fault("RunInstances", "error", times=1, **no_money)
    with engine(config) as shared:
        now = CLOCK.now()
        (asked,) = observe(shared.journal, Observation("cn-hangzhou", victim, Evidence.ENGINEER, now), now=now)
        confirm(shared.journal, asked, now)
        failed = ended(shared, asked)
        live_cloud.interrupt([victim])
        recovered = ended(shared, begin(shared, victim, notice_s=300))
    assert (failed.state, recovered.state) == (RecoveryState.FAILED, RecoveryState.RECOVERED)
    assert failed.image_id
    assert recovered.image_id not in ("", failed.image_id)
    assert len(effects(live_cloud, "RunInstances")) == 1
