"""What a retry reuses of the runs before it."""

from spottui.domain import retrying
from spottui.domain.recovery import Recovery
from spottui.domain.retrying import ReusedKind
from spottui.domain.routes import Route
from spottui.domain.text import plain


def reused(recovery: Recovery, route: Route) -> str:
    """Return what a retry by this route need not make again, and how old its data is."""
    said = [
        _REUSED[one.kind].format(plain(one.resource_id, 40), f" of {one.since:%H:%M:%S} UTC" if one.since else "")
        for one in retrying.reused(recovery, route)
    ]
    return "; ".join(said) or "nothing of the last run"


_REUSED = {
    ReusedKind.REPLACEMENT: "{0} has already been launched, and is only checked again",
    ReusedKind.IMAGE: "image {0}{1}, finished",
    ReusedKind.UNFINISHED_IMAGE: "image {0}{1}, in progress",
    ReusedKind.SNAPSHOT_GROUP: "snapshot group {0}{1}",
}
