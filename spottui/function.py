"""For accounts whose CloudMonitor subscription ends in a Function Compute function: hands the notice on to the queue.

Handler `spottui.function.handler`; environment `SPOTTUI_MNS_ENDPOINT` and `SPOTTUI_QUEUE`; the function's RAM role
needs `mns:SendMessage` on that queue. The queue is durable and deduplicated by the consoles, so the platform may call
as often as it likes: the body travels unchanged and names the same reclaim each time.
"""

import base64
import logging
import os
import re
from typing import Any

from spottui.cloud.credentials import CredentialSource, GivenCredentials
from spottui.cloud.messages import Poison, Reclaim, parse
from spottui.cloud.queue_setup import QueueSetup
from spottui.cloud.sdk import quiet_sdks

log = logging.getLogger("spottui.function")

LONGEST = 60_000
"""Bytes of a body: Base64 makes it a third longer, and a message of the queue holds 64 KiB."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/=_\s-]+")


class NotHandedOver(Exception):
    """The event did not reach the queue; raised so that the platform retries, and then raises an alarm."""


def handler(event: bytes | str, context: Any) -> str:
    """Put one event on the queue and return the result, for the function's log.

    Events that are no reclaim are not handed on. Raises `NotHandedOver` for a body that cannot be understood and
    `CloudError` when the queue did not take it, or may not have: the platform's next call is harmless.
    """
    body = event if isinstance(event, bytes) else event.encode("utf-8", "replace")
    parsed = parse(body)
    if isinstance(parsed, Poison):
        raise NotHandedOver(f"not understood: {parsed.reason}")
    if not isinstance(parsed, Reclaim):
        return f"not a reclaim: {parsed}"
    if len(body) > LONGEST:
        raise NotHandedOver(f"{len(body)} bytes do not fit into a message")
    message_id = _queue(context).send_encoded(_encoded(body))
    said = f"{parsed.instance_id} in {parsed.region or 'its region'}: handed over as message {message_id}"
    log.info(said)
    return said


def _encoded(body: bytes) -> str:
    return body.decode() if _BASE64.fullmatch(body) else base64.b64encode(body).decode()


def _queue(context: Any) -> QueueSetup:
    endpoint, name = os.environ.get("SPOTTUI_MNS_ENDPOINT", ""), os.environ.get("SPOTTUI_QUEUE", "")
    if not endpoint or not name:
        raise NotHandedOver("set SPOTTUI_MNS_ENDPOINT and SPOTTUI_QUEUE in the function's environment")
    quiet_sdks()
    return QueueSetup(endpoint, name, _credentials(context), long_poll_s=1)


def _credentials(context: Any) -> CredentialSource:
    """The platform gives the temporary key of the function's role anew with each call."""
    role = getattr(context, "credentials", None)
    if role is None:
        return CredentialSource(None)
    return GivenCredentials(
        _first(role, "access_key_id", "accessKeyId"),
        _first(role, "access_key_secret", "accessKeySecret"),
        _first(role, "security_token", "securityToken"),
    )


def _first(role: Any, *names: str) -> str:
    return next((str(getattr(role, name)) for name in names if getattr(role, name, None)), "")
