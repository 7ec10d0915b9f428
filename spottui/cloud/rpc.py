"""Calls any action of an Alibaba Cloud RPC service by name, through the official SDK's generic call."""

import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from spottui.cloud.codes import kind_of
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs_shapes import checked
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.fields import date_of, rows
from spottui.cloud.sdk import Config, OpenApiRequest, Params, RpcClient, RuntimeOptions
from spottui.cloud.sdk_errors import translate
from spottui.domain.clock import CloudClock

ECS = "2014-05-26"
VPC = "2016-04-28"
CLOUD_MONITOR = "2019-01-01"
STS = "2015-04-01"
CLB = "2014-05-15"
ALB = "2020-06-16"
NLB = "2022-04-30"
PVTZ = "2018-01-01"


class Rpc:
    """The calls of one service (its API version), account and region; thread-safe.

    Every method raises `CloudError`; nothing is retried. `skew_s` is how far this machine's clock is ahead of the
    service's, in seconds, after the first answered call, to the second. `clock` is told the date of every answer.
    """

    def __init__(
        self,
        version: str,
        region: str,
        endpoint: str,
        credentials: CredentialSource,
        ca_file: Path | None = None,
        clock: CloudClock | None = None,
    ) -> None:
        self.region = region
        self._clock = clock
        self.skew_s: float | None = None
        self._version = version
        self._runtime = RuntimeOptions(connect_timeout=CONNECT_TIMEOUT_MS, read_timeout=READ_TIMEOUT_MS)
        self._client = RpcClient(sdk_config(region, endpoint, credentials, ca_file))

    def call(self, action: str, query: Mapping[str, object]) -> dict[str, Any]:
        """Make a call and return its body; CloudMonitor's refusals that come with HTTP 200 are raised too."""
        request = OpenApiRequest(query={"RegionId": self.region, **{k: str(v) for k, v in query.items()}})
        began, asked = time.time(), time.monotonic()
        try:
            answer = self._client.call_api(rpc_params(action, self._version), request, self._runtime)
        except Exception as error:
            raise translate(action, error) from None
        date = date_of(answer.get("headers"))
        # A Date header is cut to the second: half a second is added to it.
        self.skew_s = None if date is None else (began + time.time()) / 2 - date.timestamp() - 0.5
        if self._clock and date:
            self._clock.heard(date, time.monotonic() - asked)
        return accepted(action, checked(action, answer["body"]))

    def pages(
        self, action: str, query: Mapping[str, object], outer: str, inner: str, size: int
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of a list that comes in numbered pages of this size."""
        for number in count(1):
            page = rows(action, self.call(action, {**query, "PageSize": size, "PageNumber": number}), outer, inner)
            yield from page
            if len(page) < size:
                return


def service_endpoint(service: str, region: str, ecs_endpoint: str) -> str:
    """Return a service's endpoint: like that of ECS, public or inside a VPC, or the configured one."""
    if ecs_endpoint and "aliyuncs.com" not in ecs_endpoint:
        return ecs_endpoint
    host = f"{service}-vpc" if "-vpc" in ecs_endpoint else service
    return f"{host}.{region}.aliyuncs.com"


def accepted(action: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a body that is no refusal: CloudMonitor's can come with HTTP 200 (docs/alibaba-facts.md 9.6)."""
    code = str(body.get("Code", "200"))
    if code == "200" and str(body.get("Success", "true")).lower() == "true":
        return body
    raise CloudError(action, _kind(code), code, str(body.get("Message") or ""), str(body.get("RequestId") or ""))


def _kind(code: str) -> ErrorKind:
    kinds = {"403": ErrorKind.DENIED, "404": ErrorKind.NOT_FOUND}
    return kinds.get(code) or kind_of(code, int(code) if code.isdecimal() else None)


CONNECT_TIMEOUT_MS = 5_000
READ_TIMEOUT_MS = 10_000


def sdk_config(region: str, endpoint: str, credentials: CredentialSource, ca_file: Path | None) -> Config:
    """Make the SDK's configuration: `endpoint` is empty for the region's own, a host, or an address with a scheme."""
    scheme, _, host = endpoint.rpartition("://")
    return Config(
        credential=credentials,
        region_id=region,
        endpoint=host or None,
        protocol=(scheme or "https").upper(),
        ca=str(ca_file) if ca_file else None,
    )


def rpc_params(action: str, version: str) -> Params:
    """Return the parameters of the generic call for an RPC action of an API version.

    The body is requested raw: the SDK's JSON parsing takes three times as long as ours.
    """
    return Params(
        action=action,
        version=version,
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="byte",
    )
