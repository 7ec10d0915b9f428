"""Messages of a topic on their way to an HTTP endpoint on this machine; the simulated cloud calls nobody outside."""

import asyncio
import base64
import logging
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import md5
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp

_LOG = logging.getLogger("spottui.sim")
_TRIES, _PAUSE_S, _PATIENCE_S = 4, 10.0, 5.0
_KINDS = {"XML": "text/xml;charset=utf-8", "JSON": "application/json;charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Push:
    """One notification for one HTTP endpoint, in the subscription's format."""

    endpoint: str
    text: str
    format: str
    message_id: str


async def push(order: Push, speed: float) -> bool:
    """POST it, as BACKOFF_RETRY says up to three times more at pauses of ten simulated seconds.

    An answer of 2xx is a success. False when it was given up, or when the endpoint is not on this machine.
    """
    if not _is_here(order.endpoint):
        _LOG.warning(
            "a topic's subscriber is not on this machine, nothing is sent: %s", urlsplit(order.endpoint).netloc
        )
        return False
    body = order.text.encode()
    headers = {
        "Content-Type": _KINDS.get(order.format, "text/plain;charset=utf-8"), "x-mns-version": "2015-06-06",
        "Content-MD5": base64.b64encode(md5(body, usedforsecurity=False).hexdigest().encode()).decode(),
        "Date": formatdate(usegmt=True), "x-mns-request-id": order.message_id.replace("-", ""),
        "x-mns-message-id": order.message_id,
    }  # fmt: skip
    for attempt in range(_TRIES):
        if attempt:
            await asyncio.sleep(_PAUSE_S / max(speed, 1.0))
        if await _post(order.endpoint, body, headers):
            return True
    return False


async def _post(endpoint: str, body: bytes, headers: dict[str, str]) -> bool:
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(endpoint, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status // 100 == 2
    except (aiohttp.ClientError, TimeoutError):
        return False


def _is_here(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
