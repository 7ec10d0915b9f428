"""Request signatures of the RPC APIs, verified: ACS3-HMAC-SHA256 and the legacy RPC form (HMAC-SHA1)."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from spottui.sim.errors import ApiError
from spottui.sim.world import World

_V3 = "ACS3-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Request:
    """What a signature covers. `headers` with lower-case names, `query` decoded."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    body: bytes


def verify(world: World, request: Request) -> str:
    """The AccessKey id of who signed, or the API's refusal; dates are judged by wall time plus the set skew."""
    if request.headers.get("authorization", "").startswith(_V3):
        return _verify_v3(world, request)
    if "Signature" in request.query or "Signature" in request.form:
        return _verify_v2(world, request)
    raise ApiError("IncompleteSignature", 400, "The request signature does not conform to Aliyun standards.")


def _verify_v3(world: World, request: Request) -> str:
    _check_date(world, request.headers.get("x-acs-date", ""))
    given: dict[str, str] = dict(
        re.findall(r"(Credential|SignedHeaders|Signature)=([^,\s]+)", request.headers["authorization"])
    )
    secret = secret_of(world, given.get("Credential", ""), request.headers.get("x-acs-security-token", ""))
    body_hash = hashlib.sha256(request.body).hexdigest()
    signed = given.get("SignedHeaders", "")
    query = "&".join(f"{k}={quote(v, safe='~')}" for k, v in sorted(request.query.items()))
    headers = "".join(f"{h}:{request.headers.get(h, '').strip()}\n" for h in signed.split(";"))
    canonical = "\n".join((request.method, "/", query, headers, signed, body_hash))
    to_sign = f"{_V3}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    expected = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    if request.headers.get("x-acs-content-sha256", "") != body_hash:
        raise _mismatch(to_sign)
    _compare(expected, given.get("Signature", ""), to_sign)
    _check_nonce(world, request.headers.get("x-acs-signature-nonce", ""))
    return given.get("Credential", "")


def _verify_v2(world: World, request: Request) -> str:
    params = {**request.query, **request.form}
    _check_date(world, params.get("Timestamp", ""))
    secret = secret_of(world, params.get("AccessKeyId", ""), params.get("SecurityToken", ""))
    given = params.pop("Signature")
    query = "&".join(f"{_quote(k)}={_quote(v)}" for k, v in sorted(params.items()))
    to_sign = f"{request.method}&%2F&{_quote(query)}"
    digest = hmac.new(f"{secret}&".encode(), to_sign.encode(), hashlib.sha1).digest()
    _compare(base64.b64encode(digest).decode(), given, to_sign)
    _check_nonce(world, params.get("SignatureNonce", ""))
    return params.get("AccessKeyId", "")


def _check_date(world: World, text: str) -> None:
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ApiError(
            "IllegalTimestamp", 400, "The input parameter Timestamp that is mandatory is not well formed."
        ) from None
    if abs(time.time() + world.settings.skew_wall_s - at) > world.settings.date_tolerance_s:
        raise ApiError("InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired.")


def secret_of(world: World, access_key_id: str, security_token: str) -> str:
    """The secret of a key; a temporary one is good only with its security token and until that expires.

    Raises:
        ApiError: 404 InvalidAccessKeyId.NotFound, 400 InvalidSecurityToken.Malformed or .Expired.
    """
    temporary, keys = world.security_tokens.get(access_key_id), world.owner_of(access_key_id).keys
    if temporary is None and access_key_id not in keys:
        raise ApiError("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.")
    if temporary is None:
        return keys[access_key_id]
    if not hmac.compare_digest(temporary.token.encode(), security_token.encode()):
        raise ApiError("InvalidSecurityToken.Malformed", 400, "Specified SecurityToken is malformed.")
    if world.clock.now() >= temporary.expires_at:
        raise ApiError("InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired.")
    return temporary.secret


def _compare(expected: str, given: str, to_sign: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise _mismatch(to_sign)


def _mismatch(to_sign: str) -> ApiError:
    # The previous SDK splits this message at its colon to tell a wrong secret from a wrong string to sign.
    said = f"Specified signature is not matched with our calculation. server string to sign is:{to_sign}"
    return ApiError("SignatureDoesNotMatch", 400, said)


def _check_nonce(world: World, nonce: str) -> None:
    now = time.time()
    if not nonce or nonce in world.nonces:
        raise ApiError("SignatureNonceUsed", 400, "The request signature nonce has been used.")
    world.nonces[nonce] = now
    # In order of arrival, so the oldest come first; past the tolerance the date refuses a replay.
    while (oldest := next(iter(world.nonces))) and now - world.nonces[oldest] > 2 * world.settings.date_tolerance_s:
        del world.nonces[oldest]


def _quote(text: str) -> str:
    return quote(text, safe="~")
