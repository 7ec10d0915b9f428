"""Calls counted by action and region and minute; a bucket that is full opens again with the next minute.

There is one account here, so account, API and region are the key that docs/alibaba-facts.md 1.4 names.
"""

from spottui.sim.errors import ApiError
from spottui.sim.settings import Settings

_MINUTE_S = 60


class Buckets:
    """How often each action was called in each region in its newest minute."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    def take(self, settings: Settings, action: str, region: str, now: float) -> None:
        """Count a call.

        Raises:
            ApiError: 400 Throttling.User, with `retry_after_ms` where the settings say so.
        """
        limit = settings.limits.get(action, settings.limits.get("*"))
        if limit is None:
            return
        minute = int(now // _MINUTE_S)
        known, used = self._used.get((action, region), (minute, 0))
        used = used if known == minute else 0
        if used >= limit:
            left_ms = int(((minute + 1) * _MINUTE_S - now) * 1000) + 1
            raise throttled(
                left_ms if settings.throttle_says_when else None, settings.throttle_code, settings.throttle_status
            )
        self._used[action, region] = (minute, used + 1)


def throttled(retry_after_ms: int | None = None, code: str = "Throttling.User", status: int = 400) -> ApiError:
    """The refusal of flow control, in one of its codes (docs/alibaba-facts.md 7.3)."""
    whose = {"Throttling.User": "user", "Throttling.Api": "api"}.get(code, "request")
    refusal = ApiError(code, status, f"Request was denied due to {whose} flow control.")
    refusal.retry_after_ms = retry_after_ms
    return refusal
