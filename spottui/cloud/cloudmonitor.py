"""CloudMonitor of one region: the history of system events."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from spottui.cloud.budget import Budget
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import PAGE
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.messages import RECLAIM_EVENT, STATE_EVENT, Reclaim, Released, past_event
from spottui.cloud.rpc import CLOUD_MONITOR, Rpc
from spottui.domain.region_key import region_id

ACTION = "DescribeSystemEventAttribute"


class CloudMonitor:
    """The calls of one account and region; thread-safe. An empty `endpoint` means the region's own.

    `region` is the key of the region.
    """

    def __init__(
        self, region: str, endpoint: str, credentials: CredentialSource, ca_file: Path | None, budget: Budget
    ) -> None:
        self.region = region
        self._budget = budget
        self._region_id = region_id(region)
        endpoint = endpoint or f"metrics.{self._region_id}.aliyuncs.com"
        self._rpc = Rpc(CLOUD_MONITOR, self._region_id, endpoint, credentials, ca_file)

    def history(self, since: datetime, until: datetime) -> tuple[Reclaim | Released, ...]:
        """Return the dated reclaims and releases of this region between two times; raises `CloudError`.

        Whether an endpoint also reports other regions is UNCONFIRMED: those are left to their own endpoint.
        """
        events = [past_event(item) for name in (RECLAIM_EVENT, STATE_EVENT) for item in self._items(name, since, until)]
        return tuple(event for event in events if isinstance(event, Reclaim | Released) and self._is_ours(event))

    def _is_ours(self, event: Reclaim | Released) -> bool:
        return event.at is not None and event.region in ("", self._region_id)

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
            with self._budget.call(ACTION, self.region):
                body = self._rpc.call(ACTION, {**query, "PageNumber": page})
            items = _items_of(body)
            yield from items
            if len(items) < PAGE:
                return
            page += 1


def _items_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    outer = body.get("SystemEvents")
    items = outer.get("SystemEvent") if isinstance(outer, dict) else None
    if isinstance(items, list) and all(isinstance(item, dict) for item in items):
        return items
    raise CloudError(ACTION, ErrorKind.BROKEN, message="an answer without SystemEvents.SystemEvent")


def _epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
