"""CloudMonitor of one region through the official SDK's generic call: the history of system events."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from spottui.cloud.budget import Budget
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import CONNECT_TIMEOUT_MS, PAGE, READ_TIMEOUT_MS, sdk_config
from spottui.cloud.errors import CloudError, ErrorKind, kind_of
from spottui.cloud.messages import RECLAIM_EVENT, STATE_EVENT, Reclaim, Released, past_event
from spottui.cloud.sdk_errors import translate

ACTION = "DescribeSystemEventAttribute"


class CloudMonitor:
    """The calls of one account and region; thread-safe. An empty `endpoint` means the region's own."""

    def __init__(
        self, region: str, endpoint: str, credentials: CredentialSource, ca_file: Path | None, budget: Budget
    ) -> None:
        self.region = region
        self._budget = budget
        self._runtime = RuntimeOptions(connect_timeout=CONNECT_TIMEOUT_MS, read_timeout=READ_TIMEOUT_MS)
        own = f"metrics.{region}.aliyuncs.com"
        self._client = Client(sdk_config(region, endpoint or own, credentials, ca_file))

    def history(self, since: datetime, until: datetime) -> tuple[Reclaim | Released, ...]:
        """Return the dated reclaims and releases of this region between two times; raises `CloudError`.

        Whether a region's endpoint tells of other regions too is UNCONFIRMED: those are left to their own endpoint.
        """
        found = [past_event(item) for name in (RECLAIM_EVENT, STATE_EVENT) for item in self._items(name, since, until)]
        return tuple(one for one in found if isinstance(one, Reclaim | Released) and self._is_ours(one))

    def _is_ours(self, event: Reclaim | Released) -> bool:
        return event.at is not None and event.region in ("", self.region)

    def _items(self, name: str, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        query: dict[str, str | int] = {
            "Product": "ECS",
            "EventType": "StatusNotification",
            "Name": name,
            "StartTime": _epoch_ms(since),
            "EndTime": _epoch_ms(until),
            "PageSize": PAGE,
        }
        page = 1
        while True:
            items = _items_of(self._read({**query, "PageNumber": page}))
            yield from items
            if len(items) < PAGE:
                return
            page += 1

    def _read(self, query: dict[str, str | int]) -> dict[str, Any]:
        request = OpenApiRequest(query={"RegionId": self.region, **{key: str(value) for key, value in query.items()}})
        with self._budget.call(ACTION, self.region):
            try:
                answer = self._client.call_api(_PARAMS, request, self._runtime)
            except Exception as error:
                raise translate(ACTION, error) from None
            return checked(answer.get("body"))


def checked(body: object) -> dict[str, Any]:
    """A refusal can come with HTTP 200: only `Code` 200 with `Success` is an answer (alibaba_facts.md 9.6)."""
    if not isinstance(body, dict) or "Code" not in body:
        raise CloudError(ACTION, ErrorKind.BROKEN, message="an answer of an unknown shape")
    code = str(body["Code"])
    if code == "200" and str(body.get("Success", True)).lower() == "true":
        return body
    kind = ErrorKind.DENIED if code == "403" else kind_of(code, int(code) if code.isdecimal() else None)
    raise CloudError(ACTION, kind, code, str(body.get("Message") or ""), str(body.get("RequestId") or ""))


def _items_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    outer = body.get("SystemEvents")
    items = outer.get("SystemEvent") if isinstance(outer, dict) else None
    if isinstance(items, list) and all(isinstance(item, dict) for item in items):
        return items
    raise CloudError(ACTION, ErrorKind.BROKEN, message="an answer without SystemEvents.SystemEvent")


def _epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


_PARAMS = Params(
    action=ACTION,
    version="2019-01-01",
    protocol="HTTPS",
    pathname="/",
    method="POST",
    auth_type="AK",
    style="RPC",
    req_body_type="formData",
    body_type="json",
)
