"""What a queue message says to this console: what is taken in, what must be looked up first, and what is for others."""

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
"""An event that claims to be later than its arrival by more than this is dated by its arrival."""
POISON_KEPT = 8_192
"""Characters of a body that are kept to be looked at: a flood of poison must not fill the disk."""


@dataclass(slots=True)
class Reading:
    """One message: the reclaims in it of the configured regions, the releases, what else it says, what is for others.

    `doubtful` is what nobody may act on before the cloud has spoken; `for_others` are reclaims in regions that are not
    configured, or of other accounts: another console may live by this queue.
    """

    message: Message
    queue_region: str
    reclaims: list[Observation] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    rest: Sighting = field(default_factory=Sighting)
    doubtful: list[Observation | Release] = field(default_factory=list)
    for_others: list[tuple[MessageSeen, str, str]] = field(default_factory=list)


def read(message: Message, queue_region: str, regions: Collection[str], account_id: str, now: datetime) -> Reading:
    """Read one message; `account_id` is empty where it is not known, and then every account is ours. Never raises."""
    reading = Reading(message, queue_region)
    for parsed in parse_all(message.body):
        _sort(reading, parsed, regions, account_id, now)
    return reading


def poison(message: Message, why: str) -> PoisonSeen:
    """Return the fact of a message that nobody understands, or that cannot be written."""
    body, length = message.body, len(message.body)
    return PoisonSeen(why, _writable(message.message_id), _writable(body[:POISON_KEPT]), length)


def released_line() -> MessageSeen:
    """Return the line of a message that says that an instance is gone, true or not."""
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
    """Return the line of a reclaim that another console has to hear of; where no account is known, ours is meant."""
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
    """Return the event's own date where it can be true, else when it came into the queue."""
    arrived = message.enqueued or now
    return arrived if at is None or not is_sane(at, now) or at > arrived + CLOCKS_APART else at


def _writable(text: str) -> str:
    """What no database takes, half a surrogate pair or a NUL, becomes a mark."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
