"""Whose data lives on where: what an old recovery made may go when the last of its heirs runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import ImageSource
from spottui.config import load
from spottui.domain.clock import SystemClock
from spottui.domain.facts import CallAnswered, RouteTaken
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.domain.settings import ReadySettings
from spottui.journal import Journal
from spottui.recovery.janitor import Janitor
from spottui.recovery.ready_leftovers import KEPT_READY
from spottui.recovery.standing_protection import protect, undo
from spottui.sim.testing import SimServer
from tests.journal.given import enter, known, observe, record
from tests.recovery.calm_fleet import calm

REGION = "cn-hangzhou"
NOW = datetime.now(UTC)


def recovered(journal: Journal, instance_id: str, new_id: str, route: Route = Route.IMAGE) -> str:
    """Write a recovery that ended well into the journal."""
    (recovery_id,) = observe(journal, Observation(REGION, instance_id, Evidence.LOCK, NOW), now=NOW)
    record(journal, recovery_id, RouteTaken(route), now=NOW)
    record(journal, recovery_id, CallAnswered("RunInstances", "token", resources=(new_id,)), now=NOW)
    enter(journal, recovery_id, RecoveryState.RECOVERED, NOW)
    return recovery_id


@pytest.mark.parametrize("route", Route)
def test_an_image_may_go_when_the_replacement_of_its_replacement_runs_with_its_data(
    config: Path, tmp_path: Path, route: Route
) -> None:
    with SimServer(config=config, instances=6) as cloud:
        first, second, third = cloud.spot_ids()[:3]
        account, journal = CloudAccount(load(config)), Journal(tmp_path / "j.db")
        recovery_id = recovered(journal, first, second)
        image = account.regions[REGION].create_image(ImageSource(first), "spottui-x", recovery_id, "t").resource_id
        janitor = Janitor(journal, account.regions, SystemClock(), load(config))

        def held_by() -> str:
            return next(one.held_by for one in janitor.leftovers() if one.resource_id == image)

        assert held_by() == ""
        (left,) = [one for one in janitor.leftovers() if one.resource_id == image]
        assert (left.since, left.priced_as) == (known(journal, recovery_id).started, "snapshot")
        recovered(journal, second, "i-gone")
        assert held_by() == "the replacement i-gone has not been seen running"
        recovered(journal, "i-gone", third, route)
        lacks_data = route is Route.WARM_IMAGE
        assert held_by() == ("the replacement i-gone has not been seen running" if lacks_data else "")


def test_what_was_made_ready_stays_with_its_instance_and_goes_when_that_is_gone(tmp_path: Path) -> None:
    with calm(tmp_path, ReadySettings({"app": ""}, "1h", 1, "1h")) as site:
        site.rounds(site.console(), minutes=70, every=2)
        instance_id = next(row["Tags"]["spottui:ready"] for row in site.there("snapshot_groups"))
        janitor = Janitor(site.journal, site.account.regions, site.clock, site.settings)

        def held_by() -> dict[str, str]:
            return {one.kind: one.held_by for one in janitor.leftovers() if one.instance_id == instance_id}

        assert set(held_by()) == {"image", "snapshot group"}
        assert set(held_by().values()) == {KEPT_READY}
        (left,) = [one for one in janitor.leftovers() if one.instance_id == instance_id and one.kind == "image"]
        assert (left.gib, left.expires) == (60, (site.clock.at + timedelta(days=7)).date())
        spec, ecs = site.journal.fleet.of(REGION)[instance_id].spec, site.account.regions[REGION]
        disks = protect(site.journal, ecs, spec, "ann", NOW).changed
        assert set(disks) == {disk.disk_id for disk in spec.cloud_disks}
        site.cloud.interrupt([instance_id], notice_s=60)
        (recovery_id,) = observe(site.journal, Observation(REGION, instance_id, Evidence.LOCK, NOW), now=NOW)
        with pytest.raises(Refused, match="being reclaimed"):
            undo(site.journal, ecs, spec, disks, "ann", NOW)
        site.cloud.advance(120)
        assert "its recovery is suspected" in held_by()["image"]
        record(site.journal, recovery_id, CallAnswered("RunInstances", "token", resources=("i-gone",)), now=NOW)
        enter(site.journal, recovery_id, RecoveryState.RECOVERED, NOW)
        assert held_by()["image"] == "the replacement i-gone has not been seen running"
        other = next(one for one in site.cloud.spot_ids() if one != instance_id)
        record(site.journal, recovery_id, CallAnswered("RunInstances", "token", resources=(other,)), now=NOW)
        assert set(held_by().values()) == {""}
        gone = [one.resource_id for one in janitor.leftovers() if one.may_go]
        assert set(disks) < set(gone), "they outlived their instance, and the replacement has their data"
        assert set(dict(janitor.clean_up(gone, "ann")).values()) == {""}
        assert [site.there(kind, instance_id) for kind in ("images", "snapshots", "snapshot_groups")] == [[], [], []]
