"""A detail that is refused holds up neither the sweep nor another instance, and is asked for again."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from spottui import words
from spottui.cloud.account import CloudAccount
from spottui.cloud.errors import CloudError
from spottui.config import load
from spottui.domain.launch_spec import DISKS, RAM_ROLE, USER_DATA, ImageTraits
from spottui.domain.losses import lost
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.sim.testing import SimServer
from spottui.watch.fleet import DETAILS_AGE, UNREAD_AGE, FleetSweep
from tests.watch.given import REGION, HandClock


class Region:
    """A simulated region, and the sweep of it with a clock that is turned by hand."""

    def __init__(self, cloud: SimServer, config: Path) -> None:
        self.cloud = cloud
        self.clock = HandClock()
        self.journal = Journal(config.parent / "state" / "journal.db")
        self.ecs = CloudAccount(load(config)).regions[REGION]
        self.seen: list[int] = []
        self.details_at_fleet: list[int] = []
        self.sweep = FleetSweep(
            self.ecs,
            self.journal,
            self.clock,
            lambda _, page: self.seen.append(len(page)),
            lambda _: self.details_at_fleet.append(self.asked("DescribeUserData")),
        )
        self.spots = sorted(cloud.spot_ids() + cloud.spot_ids("Stop"))

    def refuse(self, action: str, instance_id: str = "", code: str = "Forbidden.RAM", status: int = 403) -> None:
        """Refuse an action for good, of one instance or of all."""
        name = "InstanceId" if action == "DescribeUserData" else "InstanceIds"
        match = {name: f"*{instance_id}*"} if instance_id else {}
        self.cloud.fault(action, "error", match=match, times=1000, code=code, status=status)

    def captured(self) -> dict[str, Captured]:
        return {key: one for key, one in self.journal.fleet.load(REGION).items() if one.spec.instance.is_spot}

    def asked(self, action: str) -> int:
        return len(self.cloud.calls(action))


@pytest.fixture
def region(config: Path) -> Iterator[Region]:
    with SimServer(config=config, instances=10) as cloud:
        yield Region(cloud, config)


def test_each_spot_instance_is_captured_with_its_details(region: Region) -> None:
    region.sweep.poll()
    assert region.details_at_fleet == [0], "the fleet is known before the details of any instance"
    found = region.captured()
    assert sorted(found) == region.spots
    state = {row["InstanceId"]: row for row in region.cloud.state()["instances"]}
    for key, one in found.items():
        assert one.spec.user_data == region.ecs.user_data(key)
        assert one.spec.ram_role == region.ecs.ram_roles([key]).get(key, "")
        assert one.spec.image == ImageTraits("x86_64", "Ubuntu", "UEFI-Preferred", "v2")
        assert one.spec.image_id == state[key]["ImageId"]
        assert (one.spec.unread, one.details_at) == ((), region.clock.now())


@pytest.mark.parametrize(("code", "status"), [("Forbidden.RAM", 403), ("Odd.New", 400), ("InternalError", 500)])
def test_refused_user_data_of_one_instance_stops_nothing_and_is_said(region: Region, code: str, status: int) -> None:
    bad = region.spots[0]
    region.refuse("DescribeUserData", bad, code, status)
    region.sweep.poll()
    found = region.captured()
    assert {key: one.spec.unread for key, one in found.items() if one.spec.unread} == {bad: (USER_DATA,)}
    assert all(one.details_at for one in found.values())
    assert any(USER_DATA in words.loss(loss) for loss in lost(found[bad].spec))


def test_a_refused_role_of_one_instance_stops_nothing(region: Region) -> None:
    region.refuse("DescribeInstanceRamRole", region.spots[0])
    region.sweep.poll()
    found = region.captured()
    assert {key: one.spec.unread for key, one in found.items() if one.spec.unread} == {region.spots[0]: (RAM_ROLE,)}
    roles = dict(region.ecs.ram_roles(region.spots[1:]))
    assert {key: one.spec.ram_role for key, one in found.items() if one.spec.ram_role} == roles


def test_what_was_refused_is_asked_for_again_in_ten_minutes_and_the_rest_in_an_hour(region: Region) -> None:
    bad = region.spots[0]
    region.cloud.fault("DescribeUserData", "error", match={"InstanceId": bad}, code="Forbidden.RAM", status=403)
    region.sweep.poll()
    before = region.asked("DescribeUserData")
    region.sweep.poll()
    assert region.asked("DescribeUserData") == before
    region.clock.at += UNREAD_AGE
    region.clock.turn(1)
    region.sweep.poll()
    assert region.asked("DescribeUserData") == before + 1
    assert region.captured()[bad].spec.unread == ()
    region.clock.at += DETAILS_AGE
    region.sweep.poll()
    assert region.asked("DescribeUserData") == before + len(region.spots)


def test_what_was_read_once_is_kept_when_it_is_refused_later(region: Region) -> None:
    region.sweep.poll()
    before = {key: (one.spec.user_data, one.spec.ram_role) for key, one in region.captured().items()}
    region.refuse("DescribeUserData")
    region.refuse("DescribeInstanceRamRole")
    region.clock.at += DETAILS_AGE
    region.clock.turn(1)
    region.sweep.poll()
    after = region.captured()
    assert {key: (one.spec.user_data, one.spec.ram_role) for key, one in after.items()} == before
    assert not any(one.spec.unread for one in after.values())


def test_a_throttle_ends_the_look_and_marks_nothing_as_refused(region: Region) -> None:
    region.cloud.fault("DescribeUserData", "throttle", times=1, retry_after_ms=100)
    with pytest.raises(CloudError, match="Throttling"):
        region.sweep.poll()
    found = region.captured()
    assert sorted(found) == region.spots
    assert not any(one.details_at or one.spec.unread for one in found.values())


def test_one_instance_whose_user_data_never_comes_does_not_hide_those_behind_it(region: Region) -> None:
    region.cloud.fault("DescribeUserData", "reset", match={"InstanceId": region.spots[0]}, times=1000)
    for _ in range(3):
        with suppress(CloudError):
            region.sweep.poll()
    found = region.captured()
    assert {key for key, one in found.items() if one.spec.unread} == {region.spots[0]}
    assert all(one.details_at for one in found.values())


@pytest.mark.parametrize(("code", "status"), [("Forbidden.RAM", 403), ("InternalError", 500)])
def test_disks_that_cannot_be_read_hide_no_instance_and_stay_as_they_were(
    region: Region, code: str, status: int
) -> None:
    region.cloud.fault("DescribeDisks", "error", code=code, status=status)
    with pytest.raises(CloudError, match="DescribeDisks"):
        region.sweep.poll()
    assert len(region.sweep.instances) == 10
    assert {one.spec.unread for one in region.captured().values()} == {(DISKS,)}
    region.sweep.poll()
    disks = {key: one.spec.disks for key, one in region.captured().items()}
    assert all(disks.values())
    region.details_at_fleet.clear()
    region.cloud.fault("DescribeDisks", "error", code=code, status=status)
    with pytest.raises(CloudError, match="DescribeDisks"):
        region.sweep.poll()
    assert {key: one.spec.disks for key, one in region.captured().items()} == disks
    assert not region.details_at_fleet, "a fleet without its disks has not been read"
    assert not any(one.spec.unread for one in region.captured().values())
