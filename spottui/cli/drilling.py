"""Sends a drill and waits for it at the queue, or in the journal of a watching console; never acts on it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from spottui import words
from spottui.cli.progress import Progress
from spottui.cloud.errors import CloudError
from spottui.cloud.event_rules import drill_body
from spottui.cloud.messages import Reclaim, parse_all
from spottui.cloud.mns import Message
from spottui.cloud.region_tools import RegionTools
from spottui.domain.interruption import Evidence
from spottui.domain.settings import Settings
from spottui.domain.text import plain
from spottui.journal import Journal
from spottui.journal.incidents import incident

POLL_S = 0.2
CLOCKS_APART = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a drill was seen, seconds after it was sent, and how the console there handled it."""

    where: str
    seconds: float
    shown_as: str = ""


class Lost(Exception):
    """A call failed while or after the drill was sent; the text says how far it got."""


def send_drill(tools: RegionTools, instance_id: str, *, via_queue: bool) -> str:
    """Send the debug event through CloudMonitor, or put its body on the queue; return the call's id."""
    if via_queue:
        return tools.queue.send(drill_body(tools.settings.id, instance_id))
    return tools.rules.send_drill(instance_id)


def await_drill(
    settings: Settings,
    tools: RegionTools,
    instance_id: str,
    timeout_s: float,
    send: Callable[[], str],
    progress: Progress,
) -> tuple[str, Arrival | None]:
    """Send a drill and wait for it; return the send's id, and where it arrived or None. Raises `Lost`.

    A live console receives and journals the message itself: then only the journal is watched. Without one the queue is
    read here, and all other messages are returned.
    """
    journal = Journal(settings.journal, read_only=True)
    began, sent = time.monotonic(), datetime.now(UTC)
    watched = bool(journal.consoles.living())
    before = _sightings(journal, tools, instance_id)
    try:
        call_id = _sent(send)
        while (waited_s := time.monotonic() - began) < timeout_s:
            progress.show("waiting for the drill", waited_s, timeout_s)
            if watched and _sightings(journal, tools, instance_id) > before:
                took_s, shown_as = time.monotonic() - began, _shown_as(journal, instance_id)
                return call_id, Arrival("the journal of the running console", took_s, shown_as)
            if watched:
                time.sleep(POLL_S)
            elif _at_queue(tools, instance_id, sent, call_id):
                return call_id, Arrival(f"the queue {tools.settings.queue}", time.monotonic() - began)
        return call_id, None
    finally:
        journal.close()


def _sent(send: Callable[[], str]) -> str:
    try:
        return send()
    except CloudError as error:
        if error.kind.effect_unknown:
            raise Lost(
                f"{error.line}. It is unknown whether the drill was sent; a console shows it if it was. {error.advice}"
            ) from None
        raise


def _sightings(journal: Journal, tools: RegionTools, instance_id: str) -> int:
    """Return how many messages named an instance: a drill during a known reclaim only adds one to them."""
    mine = [recovery.interruption for recovery in journal.recoveries.of_instance(tools.settings.key, instance_id)]
    return sum(reclaim.duplicates + (Evidence.QUEUE in reclaim.evidence) for reclaim in mine)


def _shown_as(journal: Journal, instance_id: str) -> str:
    reclaimed = incident(journal, instance_id)
    if reclaimed is None:
        return ""
    recovery = reclaimed.recovery
    said = words.reason(recovery.reason, recovery.region) or words.next_step(recovery.next_step)
    evidence = f"{recovery.state}, evidence {reclaimed.interruption.marks}"
    return plain(f"{evidence}: {said}" if said else evidence, 300)


def _at_queue(tools: RegionTools, instance_id: str, sent: datetime, call_id: str) -> bool:
    """Receive one batch, delete this drill, and return everything else at once.

    A message with its own time may be a real notice: it counts as arrived, and is left to the consoles.
    """
    try:
        messages = tools.queue.receive()
    except CloudError as error:
        raise Lost(f"{error.line}. The drill [{call_id}] was sent; a console will show it. {error.advice}") from None
    mine = [message for message in messages if _is_about(message, tools.settings.id, instance_id, sent)]
    timeless = [message for message in mine if _is_timeless(message)]
    for message in messages:
        if message not in timeless:
            _give_back(tools, message)
    try:
        tools.queue.delete(timeless)
    except CloudError as error:
        raise Lost(
            f"{error.line}. The drill [{call_id}] arrived and stays in the queue: the next console shows it. "
            f"{error.advice}"
        ) from None
    return bool(mine)


def _give_back(tools: RegionTools, message: Message) -> None:
    try:
        tools.queue.give_back(message)
    except CloudError:
        # Without the permission it reappears when its visibility timeout ends.
        return


def _is_about(message: Message, region: str, instance_id: str, sent: datetime) -> bool:
    return (message.enqueued or sent) >= sent - CLOCKS_APART and any(
        isinstance(said, Reclaim) and (said.instance_id, said.region or region) == (instance_id, region)
        for said in parse_all(message.body)
    )


def _is_timeless(message: Message) -> bool:
    """A message with more than one event is not our drill."""
    said = parse_all(message.body)
    return len(said) == 1 and isinstance(said[0], Reclaim) and said[0].at is None
