"""Continues a recovery in another journal while its own is unreachable, with the same id and so the same tokens."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spottui.domain.settings import Settings

_RECOVERY_ID = re.compile(r"[a-z]{2}-[a-z0-9-]+(@[A-Za-z0-9_-]+)?\.i-[A-Za-z0-9-]+\.\d{1,12}")


def meant(settings: "Settings", named: str) -> tuple[str, str]:
    """Return the instance and the id of its recovery, as given or as found in the tags of what it created.

    The id is empty if nothing names a recovery; raises `CloudError`.
    """
    if _RECOVERY_ID.fullmatch(named):
        return named.split(".")[1], named
    from spottui.cli.instances import find_instance
    from spottui.cloud.ecs import OUR_TAG
    from spottui.cloud.leftovers import our_snapshots
    from spottui.cloud.region_tools import credentials_of, region_tools

    every = region_tools(settings, credentials_of(settings))
    instance_id = named if named.startswith("i-") else find_instance(every, named)[1].instance_id
    of_images = [image.tags for tools in every for image in tools.ecs.our_images().values()]
    of_snapshots = [snapshot.tags for tools in every for snapshot in our_snapshots(tools.ecs).values()]
    tags = [dict(tags_of).get(OUR_TAG, "") for tags_of in (*of_images, *of_snapshots)]
    recovery_ids = [tag for tag in tags if _RECOVERY_ID.fullmatch(tag) and tag.split(".")[1] == instance_id]
    return instance_id, max(recovery_ids, key=lambda tag: int(tag.rpartition(".")[2]), default="")


def open_again(settings: "Settings", recovery_id: str) -> None:
    """Open the recovery in this journal, unless it exists; a new request gets the time of a notice from now."""
    from spottui.domain.clock import NOTICE_S
    from spottui.domain.interruption import Evidence, Observation
    from spottui.journal import Journal
    from spottui.journal.reclaims import Sighting, take_in

    region, instance_id, epoch = recovery_id.split(".")
    now = datetime.now(UTC)
    began, release_at = datetime.fromtimestamp(int(epoch), UTC), now + timedelta(seconds=NOTICE_S)
    asked = Observation(region, instance_id, Evidence.ENGINEER, began, release_at=release_at)
    with Journal(settings.journal) as journal:
        if journal.recoveries.get(recovery_id) is None:
            journal.run(lambda transaction: take_in(transaction, Sighting([asked]), lambda *_: "", "", now))
