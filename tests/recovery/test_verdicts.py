"""What a recovery shows of its future while it runs against the simulated cloud: no more than is known."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spottui.config import load
from spottui.domain.recovery import Recovery
from spottui.domain.verdicts import verdict_of, verdict_text
from spottui.journal import Journal
from spottui.sim.testing import SimServer
from tests.driving import add_policy, wait_until
from tests.recovery.test_routes import Acting, details


@pytest.fixture
def desk(live_cloud: SimServer, config: Path) -> Iterator[Acting]:
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    desk = Acting(config, "by hand")
    yield desk
    desk.close()


def reclaim(cloud: SimServer, desk: Acting, notice_s: float = 300) -> str:
    """Let an instance be reclaimed, and wait until its plan has its places; return its id."""
    victim = cloud.spot_ids()[0]
    cloud.interrupt([victim], notice_s=notice_s)
    recovery_id = desk.until(victim, "needs you")["recovery_id"]
    wait_until(lambda: all(one["stock"] for one in desk("plan", recovery_id)["candidates"]))
    return victim


def shows(desk: Acting, victim: str, field: str) -> dict[str, Any]:
    """Return the recovery once this field of it says something."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = [desk("recovery", victim)]
        return bool(found[0][field])

    wait_until(there, every_s=0.1)
    return found[0]


def said(recovery: dict[str, Any]) -> str:
    return verdict_text(msgspec.convert(recovery, Recovery), datetime.now(UTC))


def test_what_is_sold_out_everywhere_says_so_before_and_after_the_yes_until_a_place_has_room(
    desk: Acting, live_cloud: SimServer
) -> None:
    live_cloud.stock(0)
    victim = reclaim(live_cloud, desk)
    waiting = shows(desk, victim, "no_room")
    assert said(waiting) == "NO ROOM · image WILL MAKE IT"
    assert {one["stock"] for one in desk("plan", waiting["recovery_id"])["candidates"]} == {"sold out"}
    assert desk("confirm", waiting["recovery_id"]) is None
    desk.until(victim, "launching")
    launching = shows(desk, victim, "trouble")
    assert launching["says"]["trouble"] == "RunInstances: OperationDenied.NoStock"
    assert said(launching) == "NO ROOM · image ready"


def test_while_it_waits_for_a_yes_nothing_is_written_that_moves_with_the_clock(
    desk: Acting, live_cloud: SimServer, config: Path
) -> None:
    victim = reclaim(live_cloud, desk)
    known = msgspec.convert(shows(desk, victim, "image_s"), Recovery)
    with Journal(load(config).journal, read_only=True) as journal:
        written = journal.log.of(known.recovery_id)
        polls = len(live_cloud.calls("DescribeInstances"))
        wait_until(lambda: len(live_cloud.calls("DescribeInstances")) > polls + 6)
        assert journal.log.of(known.recovery_id) == written
    assert (known.forecast_at, known.verdict) == (None, None)
    assert [str(verdict_of(known, at)) for at in (known.started, known.deadline)] == ["WILL MAKE IT", "WILL NOT"]


def test_kept_disks_wait_for_the_release_and_are_no_image_meanwhile(desk: Acting, live_cloud: SimServer) -> None:
    victim = reclaim(live_cloud, desk, notice_s=8)
    recovery_id = desk("recovery", victim)["recovery_id"]
    assert desk("confirm", recovery_id, "kept-disk") is None
    waiting = shows(desk, victim, "awaits_release")
    deadline = datetime.fromisoformat(waiting["deadline"])
    assert (waiting["route"], waiting["progress"], said(waiting)) == ("kept-disk", 0, "DATA KEPT")
    assert (
        waiting["says"]["next"]
        == f"wait for the release at {deadline:%H:%M:%S} UTC, then make an image; data kept on 1 disk"
    )
    over = desk.until(victim, "recovered", "failed")
    assert (over["state"], over["awaits_release"]) == ("recovered", False)


def test_a_progress_that_cannot_be_asked_for_is_old_says_why_and_is_told_of_once(
    desk: Acting, live_cloud: SimServer
) -> None:
    live_cloud.world(image_base_s=6)
    victim = reclaim(live_cloud, desk)
    live_cloud.fault("DescribeImages", "error", times=3, code="InternalError", status=500)
    assert desk("confirm", desk("recovery", victim)["recovery_id"]) is None
    unseen = shows(desk, victim, "unseen_since")
    assert unseen["says"]["trouble"] == "DescribeImages: InternalError, retried every 2 s"
    assert said(unseen) == "NOT KNOWN"
    over = desk.until(victim, "recovered", "failed")
    assert (over["state"], over["unseen_since"], over["trouble"]) == ("recovered", None, None)
    polls = [line for line in details(desk, over) if line.startswith("DescribeImages")]
    assert [line.split()[1] for line in polls] == ["InternalError:", "answers"]


def test_a_refusal_stays_in_sight_until_something_overtakes_it(desk: Acting, live_cloud: SimServer) -> None:
    live_cloud.world(permissions={"CreateImage": "forbidden"})
    victim = reclaim(live_cloud, desk)
    recovery_id = desk("recovery", victim)["recovery_id"]
    assert desk("confirm", recovery_id) is None
    refused = desk.until(victim, "failed")
    assert refused["says"]["trouble"] == "CreateImage: Forbidden.RAM"
    live_cloud.world(permissions={"CreateImage": "allow"})
    assert desk("retry", recovery_id) is None
    assert desk.until(victim, "recovered")["trouble"] is None
