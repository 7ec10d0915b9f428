"""Life-rafts: the first goes out alone, a storm in few calls, and one bad disk costs no other its raft."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.clock import SystemClock
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import LaunchSpec
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.recovery.protect import LifeRafts
from spottui.sim.testing import SimServer
from tests.driving import wait_until

REGION = "cn-hangzhou"
STORM = 200
CLOCK = SystemClock()


class Shore:
    """A simulated cloud, a journal that knows its fleet, and the rafts between them."""

    def __init__(self, cloud: SimServer, config: Path) -> None:
        self.cloud = cloud
        self.account = CloudAccount(load(config))
        self.journal = Journal(config.parent / "state" / "journal.db")
        self.rafts = LifeRafts(self.journal, self.account.regions, self.account.lanes, CLOCK)
        self.specs = {spec.instance.instance_id: spec for spec in self._fleet()}
        self.remember(*self.specs.values())

    def remember(self, *specs: LaunchSpec) -> None:
        now = CLOCK.now()
        self.journal.fleet.save(REGION, [Captured(spec, now, now) for spec in specs])

    def send(self, *instance_ids: str) -> dict[str, Future[str]]:
        """Open an interruption for each and send its raft; return what comes of it, by recovery id."""
        seen = [Observation(REGION, one, Evidence.QUEUE, CLOCK.now()) for one in instance_ids]
        opened = self.journal.interruptions.record(seen, [], [], lambda *_: "", CLOCK.now())
        return {one.id: self.rafts.send(REGION, one.instance_id, one.id) for one in opened}

    def calls(self) -> list[dict[str, object]]:
        return self.cloud.calls("ModifyDiskAttribute")

    def kept(self, recovery_id: str) -> set[str]:
        recovery = self.journal.recoveries.get(recovery_id)
        assert recovery
        return set(recovery.made("kept disk"))

    def unprotected(self) -> set[str]:
        return {row["DiskId"] for row in self.cloud.state()["disks"] if row["DeleteWithInstance"]}

    def disks(self, instance_id: str) -> set[str]:
        return {disk.disk_id for disk in self.specs[instance_id].cloud_disks}

    def _fleet(self) -> Iterator[LaunchSpec]:
        ecs = self.account.regions[REGION]
        disks = {key: value for page in ecs.disks_by_instance() for key, value in page.items()}
        for page in ecs.fleet():
            for spec in page:
                yield replace(spec, disks=disks.get(spec.instance.instance_id, ()))


@pytest.fixture(scope="module")
def shore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shore]:
    config = tmp_path_factory.mktemp("shore") / "c.toml"
    with SimServer(config=config, instances=2 * STORM) as cloud:
        yield Shore(cloud, config)


@pytest.fixture
def victims(shore: Shore) -> list[str]:
    """Spot instances that nothing has happened to yet, with cloud disks only."""
    sent = {recovery.instance_id for recovery in shore.journal.recoveries.latest(10_000)}
    spots = [one for one in shore.cloud.spot_ids() + shore.cloud.spot_ids("Stop") if one not in sent]
    return [one for one in spots if not any(disk.is_local for disk in shore.specs[one].disks)]


def test_a_single_raft_is_a_call_of_its_own_with_its_own_audit(shore: Shore, victims: list[str]) -> None:
    before = len(shore.calls())
    ((recovery_id, landed),) = shore.send(victims[0]).items()
    assert landed.result(10) == "protected"
    assert len(shore.calls()) == before + 1
    assert shore.kept(recovery_id) == shore.disks(victims[0])
    entry = shore.journal.audit.of(recovery_id)[-1]
    assert (entry.action, entry.request_id) == ("ModifyDiskAttribute", shore.calls()[-1]["request_id"])


def test_rafts_that_come_while_calls_are_under_way_share_one_and_a_bad_disk_costs_only_its_own(
    shore: Shore, victims: list[str]
) -> None:
    first, second, *others = victims[:12]
    bad = others[3]
    spec = shore.specs[bad]
    shore.remember(replace(spec, disks=(replace(spec.disks[0], disk_id="d-gone"),)))
    shore.cloud.fault("ModifyDiskAttribute", "slow", times=2, delay_s=0.5)
    before = len(shore.calls())
    held = shore.send(first, second)
    wait_until(lambda: len(shore.calls()) == before + 2)
    shared = shore.send(*others)
    results = {one: landed.result(10) for one, landed in {**held, **shared}.items()}
    (refused,) = [one for one, said in results.items() if said != "protected"]
    assert bad in refused
    assert "InvalidDisk" in results[refused] or "NotFound" in results[refused]
    assert all(shore.kept(one) == shore.disks(one.split(".")[1]) for one in results if one != refused)
    assert shore.kept(refused) == set()
    assert "failed" in shore.journal.audit.of(refused)[-1].detail
    calls = shore.calls()[before + 2 :]
    refusals = [row for row in calls if row["status"] != 200]
    assert len(refusals) == 2, "the shared call, and the bad one alone"
    shore.remember(spec)


def test_a_throttled_raft_goes_out_when_the_api_opens_again(shore: Shore, victims: list[str]) -> None:
    shore.cloud.fault("ModifyDiskAttribute", "throttle", times=1, retry_after_ms=300)
    before = len(shore.calls())
    (landed,) = shore.send(victims[0]).values()
    assert landed.result(10) == "protected"
    assert [row["status"] for row in shore.calls()[before:]] == [400, 200]


def test_a_storm_is_few_calls_and_every_disk_is_kept(shore: Shore, victims: list[str]) -> None:
    shore.cloud.fault("ModifyDiskAttribute", "slow", times=1000, delay_s=0.1)
    before = len(shore.calls())
    assert len(victims) >= STORM
    sent = shore.send(*victims[:STORM])
    assert {landed.result(30) for landed in sent.values()} == {"protected"}
    calls = shore.calls()[before:]
    wanted = {disk for one in victims[:STORM] for disk in shore.disks(one)}
    assert wanted & shore.unprotected() == set()
    assert len(calls) < len(sent) / 4
    assert max(sum(key.startswith("DiskIds.") for key in row["params"]) for row in calls) <= 100
