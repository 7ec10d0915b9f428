"""Disk protection: the first call goes out at once, a storm in few, and one bad disk costs no other its protection."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.clock import SystemClock
from spottui.domain.instance import Disk, InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.recovery.protect import CALLS_AT_ONCE, DISKS_PER_CALL, DiskProtection, Protected
from spottui.recovery.standing_protection import protect, undo
from spottui.sim.testing import SimServer
from tests.driving import wait_until
from tests.sim.calls import Api

REGION = "cn-hangzhou"
STORM = 200
INSTANCES = 1800
CLOCK = SystemClock()
TERMINATE = InterruptionBehavior.TERMINATE


class Shore:
    """A simulated cloud, a journal that knows its fleet, and the disk protection between them."""

    def __init__(self, cloud: SimServer, config: Path) -> None:
        self.cloud = cloud
        self.account = CloudAccount(load(config))
        self.journal = Journal(config.parent / "state" / "journal.db")
        self.protection = DiskProtection(self.journal, self.account.regions, CLOCK)
        self.specs = {spec.instance.instance_id: spec for spec in self._fleet()}
        self.journal.fleet.load(REGION)
        self.remember(*self.specs.values())
        self.sent: set[str] = set()

    def remember(self, *specs: LaunchSpec) -> None:
        now = CLOCK.now()
        self.journal.fleet.put(REGION, [Captured(spec, now, now) for spec in specs])

    def send(self, *instance_ids: str) -> dict[str, Future[Protected]]:
        """Send the protection of instances as one batch of notices; return what comes of it, by instance id."""
        self.protection.send(REGION, instance_ids)
        self.sent.update(instance_ids)
        return {one: self.protection.of(REGION, one) for one in instance_ids}

    def calls(self) -> list[dict[str, Any]]:
        return self.cloud.calls("ModifyDiskAttribute")

    def protected(self) -> set[str]:
        return {row["DiskId"] for row in self.cloud.state()["disks"] if not row["DeleteWithInstance"]}

    def disks(self, instance_id: str) -> set[str]:
        """The disks that go with an instance unless they are protected."""
        return {disk.disk_id for disk in self.specs[instance_id].cloud_disks if disk.delete_with_instance}

    def _fleet(self) -> Iterator[LaunchSpec]:
        ecs = self.account.regions[REGION]
        disks: dict[str, tuple[Disk, ...]] = {}
        for attached in ecs.disks_by_instance():
            disks |= {key: disks.get(key, ()) + more for key, more in attached.items()}
        for page in ecs.fleet():
            for spec in page:
                yield replace(spec, disks=disks.get(spec.instance.instance_id, ()))


@pytest.fixture(scope="module")
def shore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shore]:
    config = tmp_path_factory.mktemp("shore") / "c.toml"
    with SimServer(config=config, instances=INSTANCES) as cloud:
        shore = Shore(cloud, config)
        yield shore
        shore.journal.close()


@pytest.fixture(autouse=True)
def no_faults(shore: Shore) -> Iterator[None]:
    yield
    shore.cloud.control("DELETE", "faults")


@pytest.fixture
def victims(shore: Shore) -> list[str]:
    """Spot instances that nothing has happened to yet, with disks that go with them."""
    spots = (one for one in shore.cloud.spot_ids() if one not in shore.sent and one in shore.specs)
    return [one for one in spots if shore.disks(one) and shore.specs[one].instance.is_spot]


def ids_of(row: dict[str, Any]) -> list[str]:
    return [value for key, value in row["params"].items() if key.startswith("DiskIds.")]


def most_at_once(rows: list[dict[str, Any]], lasts_s: float) -> int:
    """How many calls were under way together, each for so long at least."""
    times = [datetime.fromisoformat(row["at"]).timestamp() for row in rows]
    return max(sum(0 <= at - other < lasts_s for other in times) for at in times)


def test_a_single_one_is_a_call_of_its_own_and_its_answer_says_what_is_kept(shore: Shore, victims: list[str]) -> None:
    before = len(shore.calls())
    ((one, answer),) = shore.send(victims[0]).items()
    protected = answer.result(10)
    (row,) = shore.calls()[before:]
    assert set(protected.disk_ids) == set(ids_of(row)) == shore.disks(one) <= shore.protected()
    assert (protected.request_id, protected.refused) == (row["request_id"], ())


def test_it_is_sent_once_however_often_a_notice_comes(shore: Shore, victims: list[str]) -> None:
    before = len(shore.calls())
    shore.send(victims[0], victims[0])
    again = shore.send(victims[0], victims[1], victims[1])
    for answer in again.values():
        answer.result(10)
    sent = Counter(disk_id for row in shore.calls()[before:] for disk_id in ids_of(row))
    assert sent == Counter(shore.disks(victims[0]) | shore.disks(victims[1]))


def test_those_that_come_while_calls_are_under_way_share_one_and_a_bad_disk_costs_only_its_own(
    shore: Shore, victims: list[str]
) -> None:
    first, second, *others = victims[:12]
    shore.cloud.fault("ModifyDiskAttribute", "slow", times=2, delay_s=0.5)
    bad = next(iter(shore.disks(others[3])))
    no = {"code": "IncorrectDiskStatus.Initializing", "status": 403}
    for place in range(1, DISKS_PER_CALL + 1):
        shore.cloud.fault("ModifyDiskAttribute", "error", match={f"DiskIds.{place}": bad}, times=0, **no)
    before = len(shore.calls())
    held: list[Future[Protected]] = []
    for number, one in enumerate((first, second), 1):
        held += shore.send(one).values()
        wait_until(lambda number=number: len(shore.calls()) == before + number)
    shared = shore.send(*others)
    for answer in held:
        assert answer.result(10).refused == ()
    results = {one: answer.result(30) for one, answer in shared.items()}
    refused = {disk_id: error for one in results.values() for disk_id, error in one.refused}
    assert set(refused) == {bad}
    assert refused[bad].code == "IncorrectDiskStatus.Initializing"
    kept = {disk_id for one in results.values() for disk_id in one.disk_ids}
    assert kept == {disk_id for one in others for disk_id in shore.disks(one)} - {bad} <= shore.protected()
    assert [one for one in results if results[one].refused] == [others[3]]


def test_a_disk_list_that_has_grown_old_is_read_again(shore: Shore, victims: list[str]) -> None:
    old, *others = victims[:4]
    spec = shore.specs[old]
    shore.remember(replace(spec, disks=(replace(spec.disks[0], disk_id="d-gone"),)))
    shore.cloud.fault("ModifyDiskAttribute", "slow", times=CALLS_AT_ONCE, delay_s=0.3)
    looks = len(shore.cloud.calls("DescribeDisks"))
    results = {one: answer.result(20) for one, answer in shore.send(old, *others).items()}
    assert set(results[old].disk_ids) == shore.disks(old) <= shore.protected()
    assert [results[one].refused for one in results] == [()] * 4
    assert len(shore.cloud.calls("DescribeDisks")) == looks + 1


def test_an_instance_that_no_sweep_has_seen_is_asked_for(shore: Shore, victims: list[str]) -> None:
    protection = DiskProtection(Journal(shore.journal.store.path.with_name("new.db")), shore.account.regions, CLOCK)
    shore.sent.add(victims[0])
    assert set(protection.of(REGION, victims[0]).result(10).disk_ids) == shore.disks(victims[0])
    assert protection.of(REGION, "i-nobody").result(10) == Protected()


def test_many_that_no_sweep_has_seen_are_asked_for_together_and_known_from_then_on(
    shore: Shore, victims: list[str]
) -> None:
    journal = Journal(shore.journal.store.path.with_name("many.db"))
    journal.fleet.load(REGION)
    protection, many = DiskProtection(journal, shore.account.regions, CLOCK), victims[1:61]
    before = Counter(row["action"] for row in shore.cloud.calls())
    protection.send(REGION, many)
    answers = {one: protection.of(REGION, one).result(20) for one in many}
    shore.sent.update(many)
    assert all(set(answer.disk_ids) == shore.disks(one) for one, answer in answers.items())
    made = Counter(row["action"] for row in shore.cloud.calls()) - before
    pages = -(-len(shore.cloud.state()["disks"]) // 100)
    assert made["DescribeInstances"] <= CALLS_AT_ONCE
    assert made["DescribeDisks"] <= CALLS_AT_ONCE * pages
    assert all(journal.fleet.of(REGION)[one].spec.disks for one in many)


@pytest.mark.parametrize("changes", [{"behavior": InterruptionBehavior.STOP}, {"spot_strategy": "NoSpot"}])
def test_what_is_no_spot_instance_or_is_only_stopped_is_left_alone(
    shore: Shore, victims: list[str], changes: dict[str, Any]
) -> None:
    spec = shore.specs[victims[0]]
    shore.remember(replace(spec, instance=replace(spec.instance, **changes)))
    before = len(shore.calls())
    (answer,) = shore.send(victims[0]).values()
    assert answer.result(10) == Protected()
    assert len(shore.calls()) == before
    shore.remember(spec)


def test_no_disk_is_missed_where_an_instance_goes_while_the_pages_are_read(config: Path) -> None:
    """A sweep that missed one would not know that it is to be protected."""
    with SimServer(config=config, instances=120) as cloud:
        pages = CloudAccount(load(config)).regions[REGION].disks_by_instance()
        first = next(pages)
        Api(cloud)("DeleteInstance", InstanceId=next(iter(first)), Force="true")
        listed = {disk.disk_id for page in (first, *pages) for disks in page.values() for disk in disks}
        attached = {row["DiskId"] for row in cloud.state()["disks"] if row["InstanceId"]}
    assert len(attached) > len(first)
    assert attached <= listed


def test_a_throttled_call_goes_out_when_the_api_opens_again(shore: Shore, victims: list[str]) -> None:
    shore.cloud.fault("ModifyDiskAttribute", "throttle", times=1, retry_after_ms=300)
    before = len(shore.calls())
    (answer,) = shore.send(victims[0]).values()
    assert answer.result(10).refused == ()
    assert [row["status"] for row in shore.calls()[before:]] == [400, 200]


def test_a_storm_is_few_calls_two_at_a_time_and_every_disk_is_kept(shore: Shore, victims: list[str]) -> None:
    delay_s = 0.1
    shore.cloud.fault("ModifyDiskAttribute", "slow", times=0, delay_s=delay_s)
    before = len(shore.calls())
    assert len(victims) >= STORM
    sent = shore.send(*victims[:STORM])
    assert {answer.result(30).refused for answer in sent.values()} == {()}
    calls = shore.calls()[before:]
    wanted = {disk for one in victims[:STORM] for disk in shore.disks(one)}
    assert wanted <= shore.protected()
    assert len(calls) <= len(wanted) / DISKS_PER_CALL + 3
    assert max(len(ids_of(row)) for row in calls) <= DISKS_PER_CALL
    assert most_at_once(calls, delay_s) <= CALLS_AT_ONCE


def test_a_thousand_instances_with_two_disks_are_twenty_to_forty_calls(shore: Shore) -> None:
    """As many disks as the cloud has, two for each instance; notices come in the queue's batches of sixteen."""
    known = shore.specs.values()
    disks = [disk for spec in known for disk in spec.disks if not disk.is_local][:2000]
    assert len(disks) == 2000
    spot = next(spec for spec in known if spec.instance.is_spot and spec.instance.behavior is TERMINATE)
    ids = [f"i-{number}" for number in range(1000)]
    for number, one in enumerate(ids):
        instance = replace(spot.instance, instance_id=one)
        two = tuple(replace(disk, delete_with_instance=True) for disk in disks[2 * number : 2 * number + 2])
        shore.remember(replace(spot, instance=instance, disks=two))
    shore.cloud.fault("ModifyDiskAttribute", "slow", times=0, delay_s=0.1)
    before = len(shore.calls())
    for start in range(0, 1000, 16):
        shore.protection.send(REGION, ids[start : start + 16])
    for one in ids:
        assert len(shore.protection.of(REGION, one).result(60).disk_ids) == 2
    calls = shore.calls()[before:]
    assert 20 <= len(calls) <= 40
    assert most_at_once(calls, 0.1) <= CALLS_AT_ONCE
    assert {disk.disk_id for disk in disks} <= shore.protected()


@pytest.mark.parametrize("is_first", [True, False], ids=["before the notice", "after it"])
def test_what_lost_its_standing_protection_since_the_last_sweep_is_protected_again(
    live_cloud: SimServer, config: Path, is_first: bool
) -> None:
    shore = Shore(live_cloud, config)
    victim = next(one for one in live_cloud.spot_ids() if shore.disks(one))
    ecs, wanted = shore.account.regions[REGION], shore.disks(victim)
    protect(shore.journal, ecs, shore.specs[victim], "ann", CLOCK.now())
    kept = [replace(disk, delete_with_instance=False) for disk in shore.specs[victim].disks]
    standing = replace(shore.specs[victim], disks=tuple(kept))
    shore.remember(standing)
    if not is_first:
        assert shore.send(victim)[victim].result(30).disk_ids == ()
    undo(shore.journal, ecs, standing, tuple(wanted), "ann", CLOCK.now())
    if is_first:
        shore.send(victim)
    wait_until(lambda: wanted <= shore.protected(), 10)
    shore.journal.close()


def test_what_has_its_standing_protection_again_is_not_taken_for_the_recovery_s_own(
    live_cloud: SimServer, config: Path
) -> None:
    shore = Shore(live_cloud, config)
    victim = next(one for one in live_cloud.spot_ids() if shore.disks(one))
    ecs, wanted = shore.account.regions[REGION], tuple(shore.disks(victim))
    kept = tuple(replace(disk, delete_with_instance=False) for disk in shore.specs[victim].disks)
    standing = replace(shore.specs[victim], disks=kept)
    protect(shore.journal, ecs, shore.specs[victim], "ann", CLOCK.now())
    undo(shore.journal, ecs, standing, wanted, "ann", CLOCK.now())
    protect(shore.journal, ecs, shore.specs[victim], "ann", CLOCK.now())
    shore.remember(standing)
    assert shore.send(victim)[victim].result(30).disk_ids == ()
    shore.journal.close()
