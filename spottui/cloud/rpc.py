"""Any action of one Alibaba Cloud RPC service by its name, through the official SDK's generic call."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from spottui.cloud.codes import kind_of
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import CONNECT_TIMEOUT_MS, READ_TIMEOUT_MS, sdk_config
from spottui.cloud.ecs_shapes import checked
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.sdk import OpenApiRequest, Params, RpcClient, RuntimeOptions
from spottui.cloud.sdk_errors import translate

ECS = "2014-05-26"
VPC = "2016-04-28"
CLOUD_MONITOR = "2019-01-01"
STS = "2015-04-01"


class Rpc:
    """The calls of one service (its API version), account and region; thread-safe.

    Every method raises `CloudError`; nothing is retried. `skew_s` is how far this machine's clock is ahead of the
    service's, in seconds, after the first answered call, to the second.
    """

    def __init__(
        self, version: str, region: str, endpoint: str, credentials: CredentialSource, ca_file: Path | None = None
    ) -> None:
        self.region = region
        self.skew_s: float | None = None
        self._version = version
        self._runtime = RuntimeOptions(connect_timeout=CONNECT_TIMEOUT_MS, read_timeout=READ_TIMEOUT_MS)
        self._client = RpcClient(sdk_config(region, endpoint, credentials, ca_file))

    def call(self, action: str, query: Mapping[str, object]) -> dict[str, Any]:
        """Make a call and return its body; CloudMonitor's refusals that come with HTTP 200 are raised too."""
        request = OpenApiRequest(query={"RegionId": self.region, **{k: str(v) for k, v in query.items()}})
        began = time.time()
        try:
            answer = self._client.call_api(_params(action, self._version), request, self._runtime)
        except Exception as error:
            raise translate(action, error) from None
        self.skew_s = _skew_s(answer.get("headers"), (began + time.time()) / 2)
        return accepted(action, checked(action, answer.get("body")))


def accepted(action: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a body that is no refusal: CloudMonitor's can come with HTTP 200 (docs/alibaba-facts.md 9.6)."""
    code = str(body.get("Code", "200"))
    if code == "200" and str(body.get("Success", "true")).lower() == "true":
        return body
    raise CloudError(action, _kind(code), code, str(body.get("Message") or ""), str(body.get("RequestId") or ""))


def _kind(code: str) -> ErrorKind:
    known = {"403": ErrorKind.DENIED, "404": ErrorKind.NOT_FOUND}
    return known.get(code) or kind_of(code, int(code) if code.isdecimal() else None)


def _skew_s(headers: object, at: float) -> float | None:
    """A Date header is cut to the second: half a second is added to it."""
    date = next((v for k, v in headers.items() if str(k).lower() == "date"), "") if isinstance(headers, dict) else ""
    try:
        return at - parsedate_to_datetime(str(date)).timestamp() - 0.5
    except (TypeError, ValueError):
        return None


def _params(action: str, version: str) -> Params:
    return Params(
        action=action,
        version=version,
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
