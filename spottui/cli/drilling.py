"""A drill on its way: sent, awaited at the queue or in the journal of the console that watches, never acted on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spottui.cli.consoles import live_consoles
from spottui.cloud.errors import CloudError
from spottui.cloud.event_rules import drill_body
from spottui.cloud.messages import Reclaim, parse
from spottui.cloud.mns import Message
from spottui.cloud.region_tools import RegionTools
from spottui.domain.interruption import Evidence
from spottui.domain.settings import Settings
from spottui.journal import Journal

LOOK_S = 0.2
CLOCKS_APART = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a drill was seen, in words, and how many seconds after it was sent."""

    where: str
    seconds: float


def send_drill(tools: RegionTools, instance_id: str, *, via_queue: bool) -> str:
    """Send the debug event through CloudMonitor, or put its body on the queue; return the call's id."""
    if via_queue:
        return tools.queue.send(drill_body(tools.settings.id, instance_id))
    return tools.rules.send_drill(instance_id)


def await_drill(
    settings: Settings, tools: RegionTools, instance_id: str, timeout_s: float, send: Callable[[], str]
) -> tuple[str, Arrival | None]:
    """Send a drill and wait for it; return the send's id, and where it arrived or None.

    A console that lives takes the message itself and writes it down: then the journal is watched, so that nothing is
    taken away from it. Without one the queue is read here, and what is not this drill is given back.
    """
    journal = Journal(Path(settings.journal))
    began = time.monotonic()
    watched = bool(live_consoles(Path(settings.journal)))
    before = _sightings(journal, tools, instance_id)
    sent = datetime.now(UTC)
    call_id = send()
    try:
        while time.monotonic() - began < timeout_s:
            if watched:
                seen = _sightings(journal, tools, instance_id) > before
                where = "the journal of the console that watches"
            else:
                seen = _at_queue(tools, instance_id, sent)
                where = f"the queue {tools.settings.queue}"
            if seen:
                return call_id, Arrival(where, time.monotonic() - began)
            if watched:
                time.sleep(LOOK_S)
        return call_id, None
    finally:
        journal.close()


def _sightings(journal: Journal, tools: RegionTools, instance_id: str) -> int:
    """How often messages have spoken of an instance: a drill of a known reclaim only counts as one more."""
    mine = [
        one
        for one in journal.interruptions.latest(200)
        if (one.region, one.instance_id) == (tools.settings.id, instance_id)
    ]
    return sum(one.duplicates + (Evidence.QUEUE in one.evidence) for one in mine)


def _at_queue(tools: RegionTools, instance_id: str, sent: datetime) -> bool:
    """Take one batch, delete this drill and give everything else back at once.

    A message with a time of its own may be a real notice: it counts, and is left to the consoles.
    """
    messages = tools.queue.receive()
    mine = [message for message in messages if _speaks_of(message, tools.settings.id, instance_id, sent)]
    timeless = [message for message in mine if _time_of(message) is None]
    for message in messages:
        if message not in timeless:
            _give_back(tools, message)
    if timeless:
        tools.queue.delete(timeless)
    return bool(mine)


def _give_back(tools: RegionTools, message: Message) -> None:
    try:
        tools.queue.give_back(message)
    except CloudError:
        # Without the permission it comes again by itself when its visibility timeout is over.
        return


def _speaks_of(message: Message, region: str, instance_id: str, sent: datetime) -> bool:
    found = parse(message.body)
    return (
        isinstance(found, Reclaim)
        and (found.instance_id, found.region or region) == (instance_id, region)
        and message.enqueued >= sent - CLOCKS_APART
    )


def _time_of(message: Message) -> datetime | None:
    found = parse(message.body)
    return found.at if isinstance(found, Reclaim) else None
