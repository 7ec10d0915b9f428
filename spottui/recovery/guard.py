"""The guard of auto-mode: what it may do without a person, and why it does not."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from spottui.domain.clock import Clock
from spottui.domain.feed import EventKind, Line
from spottui.domain.forecast import TIGHT_S, Forecast
from spottui.domain.recovery import Decision
from spottui.domain.settings import Policy
from spottui.domain.view import AutoMode
from spottui.journal import Journal

AUTO = "auto-mode"
"""Who confirmed, when nobody did."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Auto-mode may go on when the veto window ends."""

    veto_until: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Auto-mode may not go on; `waits` when it will ask again by itself."""

    reason: str
    waits: bool


class Guard:
    """Armed or not, and the limits. Thread-safe."""

    def __init__(self, journal: Journal, policy: Policy, clock: Clock) -> None:
        self._journal = journal
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._armed = False
        self._reason = ""

    def arm(self, who: str) -> None:
        """Let auto-mode confirm by itself."""
        self._set(True, "", f"armed by {who}")

    def disarm(self, who: str, reason: str) -> None:
        """Leave every confirmation to people; `reason` stays on the screen."""
        self._set(False, reason, f"disarmed by {who}" + (f": {reason}" if reason else ""))

    def state(self) -> AutoMode:
        """Return whether it is armed, why not, and its limits."""
        self._obey_stop_file()
        with self._lock:
            armed, reason = self._armed, self._reason
        policy = self._policy
        return AutoMode(armed, self._in_flight(), policy.max_at_once, policy.max_per_hour, policy.veto_window_s, reason)

    def ask(self, forecast: Forecast) -> Grant | Refusal:
        """Say whether a confirmed interruption may be recovered by auto-mode now."""
        self._obey_stop_file()
        now = self._clock.now()
        if not self._armed:
            return Refusal("auto-mode is not armed", waits=False)
        if self._in_flight() >= self._policy.max_at_once:
            return Refusal(f"waits: {self._policy.max_at_once} recoveries at once are the limit", waits=True)
        if self._last_hour(now) >= self._policy.max_per_hour:
            return Refusal(f"auto-mode has used its {self._policy.max_per_hour} recoveries of this hour", waits=True)
        return Grant(now + timedelta(seconds=_window_s(self._policy.veto_window_s, forecast)))

    def confirm(self, recovery_id: str) -> bool:
        """Confirm for auto-mode, unless a person said something or another recovery took the last place meanwhile."""
        with self._lock:
            if not self._armed or self._in_flight() >= self._policy.max_at_once:
                return False
            if self._last_hour(self._clock.now()) >= self._policy.max_per_hour:
                return False
            decided = self._journal.recoveries.decide(
                recovery_id,
                Decision.CONFIRM,
                AUTO,
                self._clock.now(),
                only_if=lambda recovery: recovery.decision is Decision.NONE and not recovery.cancel,
            )
            return decided is not None

    def _in_flight(self) -> int:
        running = self._journal.recoveries.unfinished()
        return sum(recovery.decision is Decision.CONFIRM for recovery in running)

    def _last_hour(self, now: datetime) -> int:
        return self._journal.recoveries.allowed_by(AUTO, now - timedelta(hours=1))

    def _obey_stop_file(self) -> None:
        stop_file = self._policy.stop_file
        if self._armed and stop_file and Path(stop_file).exists():
            self.disarm("the stop file", f"{stop_file} exists; remove it and arm again")

    def _set(self, armed: bool, reason: str, text: str) -> None:
        with self._lock:
            self._armed, self._reason = armed, reason
        self._journal.events.add(Line(EventKind.AUTO, "", "", f"auto-mode {text}"), self._clock.now())


def _window_s(veto_window_s: float, forecast: Forecast) -> float:
    """The veto window gives way as slack shrinks, and is none when it is tight."""
    return max(0.0, min(veto_window_s, forecast.slack_s - TIGHT_S))
