"""The slots of time in which something is made ready, and the names by which everybody knows what is of which slot."""

import hashlib
import re
from datetime import UTC, datetime

_BEGINNING = "spottui-ready"
_MINUTES = "%Y%m%dT%H%M"


def slot_start(instance_id: str, every_s: float, now: datetime) -> datetime:
    """Return when the slot of an instance began that `now` lies in.

    Slots of `every_s` seconds begin at a minute that the instance's id decides: the instances of a fleet are spread
    evenly over the time, and every console has the same slots.
    """
    every = int(every_s)
    offset = int.from_bytes(hashlib.sha256(instance_id.encode()).digest()[:8]) % (every // 60) * 60
    return datetime.fromtimestamp((int(now.timestamp()) - offset) // every * every + offset, UTC)


def ready_name(instance_id: str, slot: datetime, attempt: int = 0) -> str:
    """Return the name of what is made for an instance in a slot; `attempt` counts those of it that were lost.

    The names of images are unique in an account: the cloud itself refuses a second image of the same slot.
    """
    name = f"{_BEGINNING}-{instance_id}-{slot:{_MINUTES}}"
    return f"{name}-{attempt + 1}" if attempt else name


def slot_of(name: str, instance_id: str) -> datetime | None:
    """Return the slot for which something of that name was made; None for a name that `ready_name` does not give."""
    found = re.fullmatch(rf"{_BEGINNING}-{re.escape(instance_id)}-([0-9]{{8}}T[0-9]{{4}})(-[0-9]{{1,2}})?", name)
    try:
        return datetime.strptime(found[1], _MINUTES).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
