"""Whose data lives on where: what an old recovery made may go when the last of its heirs runs."""

from datetime import UTC, datetime
from pathlib import Path

from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import ImageSource
from spottui.config import load
from spottui.domain.clock import SystemClock
from spottui.domain.facts import CallAnswered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.recovery import RecoveryState
from spottui.journal import Journal
from spottui.recovery.janitor import Janitor
from spottui.sim.testing import SimServer
from tests.journal.given import enter, known, observe, record

REGION = "cn-hangzhou"
NOW = datetime.now(UTC)


def recovered(journal: Journal, instance_id: str, new_id: str) -> str:
    """Write a recovery that ended well into the journal."""
    (recovery_id,) = observe(journal, Observation(REGION, instance_id, Evidence.LOCK, NOW), now=NOW)
    record(journal, recovery_id, CallAnswered("RunInstances", "token", resources=(new_id,)), now=NOW)
    enter(journal, recovery_id, RecoveryState.RECOVERED, NOW)
    return recovery_id


def test_an_image_may_go_when_the_replacement_of_its_replacement_runs(config: Path, tmp_path: Path) -> None:
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
        assert held_by() == "the replacement i-gone is not seen running"
        recovered(journal, "i-gone", third)
        assert held_by() == ""
