"""Reading a queue message: what is taken in, what must be looked up first, and what is for others."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spottui.cloud.messages import RELEASED, STATE_EVENT, OtherEvent, Parsed, Poison, Reclaim, Released, parse_all
from spottui.cloud.mns import Message
from spottui.domain.dates import is_sane
from spottui.domain.facts import MessageSeen, PoisonSeen
from spottui.domain.interruption import Evidence, Observation, Release
from spottui.domain.region_key import account_of, region_key
from spottui.journal.reclaims import Sighting

CLOCKS_APART = timedelta(minutes=5)
"""An event dated later than its arrival by more than this is dated by its arrival."""
POISON_KEPT = 8_192
"""Characters of a poison body that are kept: a flood of poison must not fill the disk."""


@dataclass(slots=True)
class Reading:
    """One message: its reclaims in configured regions, releases, other facts, and reclaims for others.

    `doubtful` must not be acted on before the cloud has answered; `for_others` are reclaims in regions that are not
    configured, or of other accounts: another console may use this queue.
    """

    message: Message
    queue_region: str
    reclaims: list[Observation] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    rest: Sighting = field(default_factory=Sighting)
    doubtful: list[Observation | Release] = field(default_factory=list)
    for_others: list[tuple[MessageSeen, str, str]] = field(default_factory=list)


def read(message: Message, queue_region: str, regions: Collection[str], account_id: str, now: datetime) -> Reading:
    """Read one message; with an empty (unknown) `account_id` every account is ours. Never raises."""
    reading = Reading(message, queue_region)
    for parsed in parse_all(message.body):
        _sort(reading, parsed, regions, account_id, now)
    return reading


def poison(message: Message, why: str) -> PoisonSeen:
    """Return the fact of a message that cannot be read or written."""
    body, length = message.body, len(message.body)
    return PoisonSeen(why, _writable(message.message_id), _writable(body[:POISON_KEPT]), length)


def released_line() -> MessageSeen:
    """Return the fact of a message that reports a release, true or not."""
    return MessageSeen(STATE_EVENT, f"{STATE_EVENT} {RELEASED}")


def _sort(reading: Reading, parsed: Parsed, regions: Collection[str], account_id: str, now: datetime) -> None:
    message = reading.message
    match parsed:
        case Reclaim():
            region = _region(parsed, reading.queue_region)
            others = _for_others(parsed, region, regions, account_id, message)
            if others:
                reading.for_others.append((others, region, parsed.instance_id))
            else:
                reading.reclaims.append(_observation(region, parsed, message, now))
        case Released():
            region = _region(parsed, reading.queue_region)
            if region in regions:
                reading.releases.append(Release(region, parsed.instance_id, _date(parsed.at, message, now)))
            else:
                reading.rest.others.append((released_line(), region, parsed.instance_id))
        case OtherEvent():
            fact = MessageSeen(parsed.name, parsed.text)
            reading.rest.others.append((fact, reading.queue_region, parsed.instance_id))
        case Poison():
            reading.rest.others.append((poison(message, parsed.reason), reading.queue_region, ""))


def _region(event: Reclaim | Released, queue_region: str) -> str:
    """Return the key of an event's region: a queue holds events of its own account only."""
    return region_key(event.region, account_of(queue_region)) if event.region else queue_region


def _for_others(
    reclaim: Reclaim, region: str, regions: Collection[str], account_id: str, message: Message
) -> MessageSeen | None:
    """Return the fact of a reclaim for another console; an unknown account counts as ours."""
    if region not in regions:
        return MessageSeen("reclaim", message_id=message.message_id, unconfigured_region=region)
    if account_id and reclaim.account_id not in ("", account_id):
        return MessageSeen("reclaim", message_id=message.message_id, other_account=reclaim.account_id)
    return None


def _observation(region: str, reclaim: Reclaim, message: Message, now: datetime) -> Observation:
    return Observation(
        region=region,
        instance_id=reclaim.instance_id,
        source=Evidence.QUEUE,
        at=_date(reclaim.at, message, now),
        action=reclaim.action,
        message_id=message.message_id,
    )


def _date(at: datetime | None, message: Message, now: datetime) -> datetime:
    """Return the event's own date if it is plausible, else when it was enqueued."""
    arrived = message.enqueued or now
    return arrived if at is None or not is_sane(at, now) or at > arrived + CLOCKS_APART else at


def _writable(text: str) -> str:
    """Replace what no database accepts: half a surrogate pair, or a NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
