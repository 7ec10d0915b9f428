"""What a recovery does next, and what a retry need not do again."""

from spottui.domain import retrying
from spottui.domain.reasons import Doing, NextStep
from spottui.domain.recovery import Recovery
from spottui.domain.retrying import ReusedKind
from spottui.domain.routes import Route, Source
from spottui.domain.text import plain
from spottui.words.failures import LONGEST
from spottui.words.phrases import clock_utc

_SENTENCES = {
    Doing.IMAGE: "image of all cloud disks",
    Doing.SNAPSHOT: "snapshot of the kept disks",
    Doing.SNAPSHOT_DATA_DISKS: "snapshot of {disks} of data, usable within seconds",
    Doing.IMAGE_OF_KEPT_DISKS: "image of the kept disks",
    Doing.IMAGE_OF_SYSTEM_DISK: "image of the system disk, for which the launch waits until the deadline",
    Doing.IMAGE_OF_KEPT_SYSTEM_DISK: "image of the kept system disk",
    Doing.IMAGE_READY: "image ready",
    Doing.DRAIN: "drain {resource}, at most {seconds:.0f} s",
    Doing.AWAIT_RELEASE: "wait for the release at {at}, then make an image; data kept on {disks}",
    Doing.AWAIT_STOP: "wait for it to stop, then start it",
    Doing.START: "start it",
    Doing.START_AGAIN: "start it: {resource}, retried until an image of it is made",
    Doing.AWAIT_PRIVATE_IP: "wait for the release at {at}, then launch with its private IP {resource}",
    Doing.LAUNCH: "launch {instance_type} in {zone}{on_demand}",
    Doing.AWAIT_ROOM: "no capacity at any of {count} places; each is retried {seconds:.0f} s after its refusal",
    Doing.AWAIT_RUNNING: "wait for {resource} to run",
    Doing.ATTACH: "attach the kept data disks to {resource}",
    Doing.MOVE_EIP: "move EIP {resource} to {to}",
    Doing.MOVE_INTERFACE: "move network interface {resource} to {to}",
    Doing.MOVE_RECORDS: "point {records} in {resource} to {to}",
    Doing.SEE_AGAIN: "check that {resource} keeps running",
    Doing.AWAIT_HEALTHY: "wait until load balancers report {resource} healthy",
    Doing.PROBE: "probe {resource} until it passes{of}, at most {seconds:.0f} s",
    Doing.EARLIER_VERSION: "{resource}",
}
_SOURCES = {
    Source.IMAGE_OF_INSTANCE: "image",
    Source.KEPT_DISKS: "image of the kept disk after the release",
    Source.EARLIER_IMAGE: "earlier image",
    Source.EARLIER_IMAGE_AND_SNAPSHOTS: "earlier image and snapshots of the data disks",
}


def next_step(next_step: NextStep | None) -> str:
    """Return what comes next; empty where nothing does."""
    if next_step is None:
        return ""
    return plain(_planned(next_step) if next_step.doing is Doing.PLANNED else _sentence(next_step), LONGEST)


def _planned(next_step: NextStep) -> str:
    """What a yes does first."""
    if next_step.route and not next_step.route.traits.launches:
        return "start it once stopped"
    place = f"{next_step.instance_type} in {next_step.zone}" if next_step.zone else next_step.instance_type
    then = (_SOURCES[(next_step.route or Route.IMAGE).traits.source], place, next_step.then_zone)
    return ", then ".join(part for part in then if part)


def _sentence(next_step: NextStep) -> str:
    count = next_step.count or 0
    return _SENTENCES[next_step.doing].format(
        resource=next_step.resource,
        to=next_step.to,
        of=f": {next_step.to}" if next_step.to else "",
        instance_type=next_step.instance_type,
        zone=next_step.zone,
        on_demand=" on-demand" if next_step.on_demand else "",
        at=clock_utc(next_step.at),
        seconds=next_step.seconds or 0.0,
        count=count,
        disks="1 disk" if count == 1 else f"{count} disks",
        records="1 DNS record" if count == 1 else f"{count} DNS records",
    )


def reused(recovery: Recovery, route: Route) -> str:
    """Return what a retry by this route need not make again, and how old its data is."""
    said = [
        _REUSED[part.kind].format(plain(part.resource_id, 40), f" of {part.since:%H:%M:%S} UTC" if part.since else "")
        for part in retrying.reused(recovery, route)
    ]
    return "; ".join(said) or "nothing of the last run"


_REUSED = {
    ReusedKind.REPLACEMENT: "{0} has already been launched, and is only checked again",
    ReusedKind.IMAGE: "image {0}{1}, finished",
    ReusedKind.UNFINISHED_IMAGE: "image {0}{1}, in progress",
    ReusedKind.SNAPSHOT_GROUP: "snapshot group {0}{1}",
}
