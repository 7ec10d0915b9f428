"""ClientTokens and names that are the same whenever they are made again."""

import hashlib
import re
from datetime import UTC, datetime


def client_token(interruption_id: str, action: str, attempt: int = 0) -> str:
    """Return the ClientToken of one mutating call: at most 64 ASCII characters (docs/alibaba-facts.md 4.4).

    Made from the interruption, the API action and the attempt, so that a restart says the same token; a definite
    refusal moves on to the next attempt and so to a new token.
    """
    return hashlib.sha256(f"{interruption_id}|{action}|{attempt}".encode()).hexdigest()[:48]


def image_name(source: str) -> str:
    """Return the name of the images of a source, `region.instance`: a letter first, letters, digits, `-` and `_`.

    2 to 128 characters. It is the same in every journal: of two who make the image of one instance at once the cloud
    refuses the second, since the name is taken (`InvalidImageName.Duplicated`, docs/alibaba-facts.md 3.1).
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in source)
    return f"spottui-{safe}"[:128]


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
    match = re.fullmatch(rf"{_BEGINNING}-{re.escape(instance_id)}-([0-9]{{8}}T[0-9]{{4}})(-[0-9]{{1,2}})?", name)
    try:
        return datetime.strptime(match[1], _MINUTES).replace(tzinfo=UTC) if match else None
    except ValueError:
        return None
