"""The counts that auto-mode decides by, updated recovery by recovery: in a storm a thousand recoveries ask for them."""

import heapq
from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from spottui.domain.recovery import AutoAnswer, Decision, PastRun, Recovery, RecoveryState
from spottui.domain.region_key import account_of
from spottui.domain.settings import Policy
from spottui.recovery.auto_mode_rules import AUTO, HOUR, Overview, Standing, Turn, confirmations, runs


class _Part(msgspec.Struct, frozen=True):
    """The contribution of one recovery to the counts."""

    in_flight: bool
    held: tuple[Turn, float] | None
    in_line: tuple[Turn, str] | None
    confirmed: tuple[tuple[datetime, float], ...]
    endings: tuple[tuple[datetime, str, bool], ...]


class Tallies:
    """A `Tally` of each account, whose limits are its own; what fails in a row counts over all of them."""

    def __init__(self, recoveries: Iterable[Recovery] = ()) -> None:
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        for recovery in recoveries:
            self.put(recovery)

    def put(self, recovery: Recovery) -> None:
        """Count a recovery in its account as it is now in the place of what it was."""
        self._tallies[account_of(recovery.region)].put(recovery)

    def of(self, account: str) -> "Tally":
        """Return the counts of an account."""
        return self._tallies[account]

    def failures_in_a_row(self, since: datetime) -> int:
        """Return how many of auto-mode's newest recoveries failed in a row, of those that ended since then."""
        count = 0
        newest_first = heapq.merge(*(reversed(tally.endings) for tally in list(self._tallies.values())), reverse=True)
        for ended, _, has_failed in newest_first:
            if ended <= since or not has_failed:
                break
            count += 1
        return count


class Tally:
    """Counts recoveries for `Overview`; a recovery is counted anew when it has changed."""

    def __init__(self, recoveries: Iterable[Recovery] = ()) -> None:
        self._parts: dict[str, _Part] = {}
        self._in_flight = 0
        self._held: list[tuple[Turn, float]] = []
        self._line: list[tuple[Turn, str]] = []
        self._drivers: Counter[str] = Counter()
        self._confirmed: list[tuple[datetime, float]] = []
        self.endings: list[tuple[datetime, str, bool]] = []
        """When runs that auto-mode confirmed ended, of which recovery, and whether it failed; the oldest first."""
        for recovery in recoveries:
            self.put(recovery)

    def put(self, recovery: Recovery) -> None:
        """Replace the earlier contribution of a recovery by its present one."""
        new, old = _part(recovery), self._parts.get(recovery.recovery_id)
        if new == old:
            return
        if old:
            self._take_out(old)
        self._parts[recovery.recovery_id] = new
        self._in_flight += new.in_flight
        if new.held:
            insort(self._held, new.held)
        if new.in_line:
            insort(self._line, new.in_line)
            self._drivers[new.in_line[1]] += 1
        for confirmed in new.confirmed:
            insort(self._confirmed, confirmed)
        for ending in new.endings:
            insort(self.endings, ending)

    def overview(self, standing: Standing, policy: Policy, now: datetime, is_alive: Callable[[str], bool]) -> Overview:
        """Return the counts; a recovery whose console is not alive (`is_alive`) takes no slot."""
        dead = {driver for driver in list(self._drivers) if not is_alive(driver)}
        hour = self._confirmed[bisect_right(self._confirmed, (now - HOUR, float("inf"))) :]
        is_full = len(hour) >= policy.max_per_hour > 0
        return Overview(
            at=now,
            standing=standing,
            in_flight=self._in_flight,
            held=tuple(turn for turn, _ in self._held),
            held_cost=sum(cost for _, cost in self._held),
            line=tuple(turn for turn, driver in self._line if driver not in dead),
            last_hour=len(hour),
            added_cost=sum(cost for _, cost in hour),
            free_at=hour[-policy.max_per_hour][0] + HOUR if is_full else None,
        )

    def _take_out(self, old: _Part) -> None:
        self._in_flight -= old.in_flight
        if old.held:
            self._held.remove(old.held)
        if old.in_line:
            self._line.remove(old.in_line)
            self._drivers[old.in_line[1]] -= 1
            self._drivers += Counter()
        for confirmed in old.confirmed:
            self._confirmed.remove(confirmed)
        for ending in old.endings:
            self.endings.remove(ending)


def _part(recovery: Recovery) -> _Part:
    asked, turn = recovery.auto, (recovery.deadline, recovery.recovery_id)
    waits = not recovery.state.is_final and recovery.decision is Decision.NONE and not recovery.cancel
    return _Part(
        in_flight=recovery.decision is Decision.CONFIRM and not recovery.state.is_final,
        held=(turn, asked.added_cost) if asked and waits and asked.answer is AutoAnswer.GRANTED else None,
        in_line=(turn, recovery.driver) if asked and waits and asked.answer is AutoAnswer.IN_LINE else None,
        confirmed=tuple((yes.at, yes.added_cost) for yes in confirmations(recovery)),
        endings=tuple(_ending(recovery.recovery_id, run) for run in runs(recovery) if _counts(run)),
    )


def _counts(run: PastRun) -> bool:
    return run.who == AUTO and run.state in (RecoveryState.RECOVERED, RecoveryState.FAILED)


def _ending(recovery_id: str, run: PastRun) -> tuple[datetime, str, bool]:
    return run.ended, f"{recovery_id}~{run.run}", run.state is RecoveryState.FAILED
