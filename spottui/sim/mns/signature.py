"""MNS request signatures (HMAC-SHA1 over the request as sent), verified."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from spottui.sim.errors import ApiError, MnsError
from spottui.sim.signature import secret_of
from spottui.sim.world import World


def verify(world: World, method: str, resource: str, headers: Mapping[str, str], body: bytes) -> str:
    """The AccessKey id of who signed, or the refusal; `resource` is path and query as sent, header names lower case."""
    _check_date(world, headers.get("date", ""))
    _check_md5(headers.get("content-md5", ""), body)
    scheme, _, given = headers.get("authorization", "").partition(" ")
    access_key_id, _, signature = given.partition(":")
    if not scheme:
        raise MnsError("MissingAuthorizationHeader", 400, "Authorization header is required.")
    if scheme != "MNS" or not signature:
        raise MnsError("InvalidAuthorizationHeader", 400, "The Authorization header format is invalid.")
    expected = _sign(_secret(world, access_key_id, headers), method, resource, headers)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise MnsError(
            "SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature "
            "you provided. Check your access key and signing method. Consult the service documentation for details.",
        )  # fmt: skip
    return access_key_id


def _secret(world: World, access_key_id: str, headers: Mapping[str, str]) -> str:
    try:
        return secret_of(world, access_key_id, headers.get("security-token", ""))
    except ApiError as refusal:
        if refusal.status == 404:
            raise MnsError("InvalidAccessKeyId", 403, "The AccessKey Id you provided is not exist.") from None
        raise MnsError("InvalidSecurityToken", 403, "The security token you provided is not valid.") from None


def _sign(secret: str, method: str, resource: str, headers: Mapping[str, str]) -> str:
    own = "".join(f"{k}:{headers[k]}\n" for k in sorted(headers) if k.startswith("x-mns-"))
    md5, kind, date = (headers.get(name, "") for name in ("content-md5", "content-type", "date"))
    to_sign = f"{method}\n{md5}\n{kind}\n{date}\n{own}{resource}"
    return base64.b64encode(hmac.new(secret.encode(), to_sign.encode(), hashlib.sha1).digest()).decode()


def _check_date(world: World, text: str) -> None:
    if not text:
        raise MnsError("MissingDateHeader", 400, "Date header is required.")
    try:
        at = parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise MnsError("InvalidDateHeader", 400, "The date header is not valid.") from None
    if abs(time.time() + world.settings.skew_wall_s - at) > world.settings.date_tolerance_s:
        raise MnsError("TimeExpired", 408, "The http request you sent is expired.")


def _check_md5(given: str, body: bytes) -> None:
    digest = hashlib.md5(body, usedforsecurity=False)
    # The SDK sends Base64 of the hexadecimal digest; the RFC says of the raw one.
    accepted = (base64.b64encode(digest.hexdigest().encode()), base64.b64encode(digest.digest()))
    if given and given.encode() not in accepted:
        raise MnsError("InvalidDegist", 400, "The value of the Content-MD5 header is not valid.")
