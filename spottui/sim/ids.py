"""Identifiers as the API writes them, from a seeded random source."""

import random
import string
import uuid
from typing import Any

_ALPHABET = string.ascii_lowercase + string.digits


class Ids:
    """Fresh identifiers; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        # Two streams: how often a client asks must not change the ids of what it makes.
        self._random = random.Random(seed)
        self._requests = random.Random(~seed)

    def resource(self, prefix: str) -> str:
        """`i-bp1k3…`, `m-bp…`, `vsw-bp…`: prefix, the marker of a region, 17 characters."""
        return f"{prefix}-bp1{''.join(self._random.choices(_ALPHABET, k=17))}"

    def event(self) -> str:
        """An upper-case UUID for an event, a serial number in lower case."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4)).upper()

    def request(self) -> str:
        """An upper-case UUID for a request."""
        return str(uuid.UUID(int=self._requests.getrandbits(128), version=4)).upper()

    def mns_request(self) -> str:
        """24 upper-case hexadecimal digits, as MNS numbers its requests."""
        return f"{self._requests.getrandbits(96):024X}"

    def pick(self, count: int) -> int:
        """A whole number below `count`, for what the cloud decides by chance."""
        return self._random.randrange(count)

    def text(self, length: int) -> str:
        """Letters and digits, as keys are."""
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=length))

    def secret(self, length: int) -> str:
        """Letters and digits of a temporary key, which does not move the ids of resources either."""
        return "".join(self._requests.choices(string.ascii_letters + string.digits, k=length))

    def save(self) -> list[Any]:
        """The states of both streams."""
        return [self._random.getstate(), self._requests.getstate()]

    def load(self, saved: list[Any]) -> None:
        """Go on where `save` was."""
        for stream, (version, words, gauss) in zip((self._random, self._requests), saved, strict=True):
            stream.setstate((version, tuple(words), gauss))

    def mac(self) -> str:
        """A MAC address of Alibaba's range."""
        return "00:16:3e:" + ":".join(f"{self._random.getrandbits(8):02x}" for _ in range(3))
