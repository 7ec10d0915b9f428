"""Identifiers as the API writes them, from a seeded random source."""

import random
import string
import uuid

_ALPHABET = string.ascii_lowercase + string.digits


class Ids:
    """Fresh identifiers; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def resource(self, prefix: str) -> str:
        """`i-bp1k3…`, `m-bp…`, `vsw-bp…`: prefix, the marker of a region, 17 characters."""
        return f"{prefix}-bp1{''.join(self._random.choices(_ALPHABET, k=17))}"

    def request(self) -> str:
        """An upper-case UUID, as request ids and event ids are."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4)).upper()

    def hexadecimal(self, length: int) -> str:
        """Upper-case hexadecimal digits."""
        return f"{self._random.getrandbits(length * 4):0{length}X}"

    def text(self, length: int) -> str:
        """Letters and digits, as keys are."""
        return "".join(self._random.choices(string.ascii_letters + string.digits, k=length))

    def mac(self) -> str:
        """A MAC address of Alibaba's range."""
        return "00:16:3e:" + ":".join(f"{self._random.getrandbits(8):02x}" for _ in range(3))
