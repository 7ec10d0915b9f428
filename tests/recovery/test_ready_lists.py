"""A list of pages may skip an image that is there: nothing that is to stay goes for it, and nothing is made twice."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui.cloud.ecs_shapes import Image, Snapshot
from spottui.domain.instance import Disk
from spottui.domain.ready import KeptReady
from spottui.domain.settings import ReadySettings
from spottui.domain.tokens import client_token, ready_name, slot_start
from spottui.recovery.ready_steps import MadeReady, Step, possible_steps
from tests.journal.given import plan_of

EVERY_S = 6 * 3600
SPEC = plan_of().spec
INSTANCE_ID = SPEC.instance.instance_id
NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
STATUSES = st.sampled_from(["Available", "Creating", "CreateFailed"])


def image(slot: datetime, number: int, status: str) -> tuple[datetime, Image]:
    snapshots = (f"s-{number}",)
    return slot, Image(f"m-{number}", status, 0, False, snapshots=snapshots, complete=status == "Available")


def snapshot(slot: datetime, number: int) -> tuple[datetime, Snapshot]:
    return slot, Snapshot(f"s-{number}", "d-1", "accomplished", 100)


def by_action(steps: tuple[Step, ...], action: str) -> set[tuple[str, str]]:
    return {(step.target, step.token) for step in steps if step.action == action}


@given(st.lists(STATUSES, min_size=1, max_size=6), st.integers(1, 3), st.data())
def test_a_skipped_image_costs_nothing_and_is_not_made_again_under_another_name(
    statuses: list[str], keep: int, data: st.DataObject
) -> None:
    disk = Disk("d-1", "/dev/xvda", "system", "cloud_essd", 40)
    kept = KeptReady(replace(SPEC, disks=(disk,)), ReadySettings({}, "6h", keep), None)
    newest = slot_start(INSTANCE_ID, EVERY_S, NOW)
    slots = [newest - timedelta(seconds=EVERY_S * number) for number in range(len(statuses))]
    images = [image(slot, number, status) for number, (slot, status) in enumerate(zip(slots, statuses, strict=True))]
    snapshots = [snapshot(slot, number) for number, slot in enumerate(slots)]
    skipped = data.draw(st.integers(0, len(images) - 1))
    seen = [one for number, one in enumerate(images) if number != skipped]
    whole = possible_steps(kept, MadeReady(images, snapshots), NOW, ()).steps
    part = possible_steps(kept, MadeReady(seen, snapshots), NOW, ()).steps
    assert by_action(part, "DeleteImage") <= by_action(whole, "DeleteImage")
    # The cloud refuses to delete the snapshot of an image that is there.
    assert {target for target, _ in by_action(part, "DeleteSnapshot")} <= {f"s-{skipped}"}
    assert not by_action(part, "CreateSnapshot")
    first = client_token(f"{SPEC.instance.region}.{ready_name(INSTANCE_ID, newest)}", "CreateImage")
    # With the token, and the name, of the call that made it.
    expected = {("s-0", first)} if skipped == 0 else by_action(whole, "CreateImage")
    assert by_action(part, "CreateImage") == expected
