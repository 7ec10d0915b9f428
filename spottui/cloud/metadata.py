"""The instance's own metadata service, which alone gives the exact time of a reclaim (docs/alibaba-facts.md 2.4)."""

import re
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from email.message import Message

from spottui.cloud.fields import date_of
from spottui.domain.clock import CloudClock
from spottui.domain.dates import date_from_outside

ADDRESS = "http://100.100.100.200"
TIMEOUT_S = 2.0
TOKEN_TTL_S = 21_600
_TOKEN = "X-aliyun-ecs-metadata-token"
_TERMINATION = "/latest/meta-data/instance/spot/termination-time"
_INSTANCE_ID = "/latest/meta-data/instance-id"
_FAR = datetime(2100, 1, 1, tzinfo=UTC)
"""The machine's own clock may not be set yet, so it cannot judge the metadata."""
_FAR_OFF = timedelta(days=36_500)
"""No signature is asked for here, so the `Date` is heard however far off this machine's clock is."""
_AN_ID = re.compile(r"i-[A-Za-z0-9-]{1,60}")


class MetadataProblem(Exception):
    """The metadata service gave no trustworthy answer; the text says what it was."""


class Metadata:
    """Asks the metadata service at an address, in hardened mode where there is one. Never goes through a proxy.

    `clock` gets the `Date` of every answer, by which the service dates a reclaim.
    """

    def __init__(self, address: str = ADDRESS) -> None:
        self.clock = CloudClock(farthest=_FAR_OFF)
        self._address = address.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._token: str | None = None

    def termination_time(self) -> datetime | None:
        """Return when this instance will be reclaimed, UTC, or None while no reclaim is announced.

        Raises `MetadataProblem`: neither silence nor a page that is no time is evidence of anything.
        """
        text = self._read(_TERMINATION)
        return None if text is None else _moment(text)

    def instance_id(self) -> str:
        """Return the id of this instance; raises `MetadataProblem`."""
        text = (self._read(_INSTANCE_ID) or "").strip()
        if not _AN_ID.fullmatch(text):
            raise MetadataProblem(f"{text[:40]!r} where an instance id is expected")
        return text

    def _read(self, path: str) -> str | None:
        """Return the value at a path, None if there is none."""
        if self._token is None:
            self._token = self._new_token()
        status, text = self._ask("GET", path, {_TOKEN: self._token} if self._token else {})
        if status in (401, 403):
            self._token = None
            raise MetadataProblem(f"the token was refused ({status}); requesting a new one")
        if status == 404:
            return None
        if status != 200:
            raise MetadataProblem(f"an answer with status {status}")
        return text

    def _new_token(self) -> str:
        """Return a token, empty if the service has none: then requests carry none."""
        status, text = self._ask("PUT", "/latest/api/token", {f"{_TOKEN}-ttl-seconds": str(TOKEN_TTL_S)})
        if status >= 500:
            raise MetadataProblem(f"no token: status {status}")
        return text.strip() if status == 200 and text.strip().isprintable() else ""

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        request = urllib.request.Request(f"{self._address}{path}", method=method, headers=headers)
        asked = time.monotonic()
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                self._set_clock(answer.headers, asked)
                return int(answer.status), answer.read(4096).decode("utf-8", "replace")
        except urllib.error.HTTPError as refusal:
            self._set_clock(refusal.headers, asked)
            return refusal.code, ""
        except (OSError, ValueError) as error:
            raise MetadataProblem(f"no answer from {self._address} ({type(error).__name__})") from None

    def _set_clock(self, headers: Message, asked: float) -> None:
        if date := date_of(dict(headers)):
            self.clock.heard(date, time.monotonic() - asked)


def _moment(text: str) -> datetime:
    """Read `2015-01-05T18:02:00Z`."""
    at = date_from_outside(text, _FAR)
    if at is None:
        raise MetadataProblem(f"{text.strip()[:40]!r} where a time is expected")
    return at
