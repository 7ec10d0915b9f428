"""The channels of the configuration through Apprise, each with a name that holds no secret."""

import hashlib
import logging
from typing import Any

import apprise
import msgspec

log = logging.getLogger("spottui.notify")


class Channel(msgspec.Struct, frozen=True):
    """One address; its name is made of its kind and of what Apprise shows of it with every secret masked."""

    name: str
    service: apprise.Apprise

    def send(self, title: str, text: str) -> bool:
        """Send a message and return whether it was taken. Never raises, and never logs the address."""
        try:
            return bool(self.service.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT))
        except Exception as error:
            # What a channel raises may hold its address, and with it its token.
            log.warning("notify: %s: %s", self.name, type(error).__name__)
            return False


def channels_of(addresses: tuple[str, ...]) -> tuple[Channel, ...]:
    """Make the channels; an address that Apprise does not know is said in the log, by its place in the list."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    channels: list[Channel] = []
    for number, address in enumerate(addresses, 1):
        service = apprise.Apprise()
        if not service.add(address):
            log.error("notify: Apprise does not accept address %d; the other channels work", number)
            continue
        added: Any = service[0]
        masked = str(added.url(privacy=True))
        name = f"{masked.partition(':')[0]}-{hashlib.sha256(masked.encode()).hexdigest()[:8]}"
        twins = sum(channel.name.partition("#")[0] == name for channel in channels)
        channels.append(Channel(f"{name}#{twins + 1}" if twins else name, service))
    return tuple(channels)
