"""What Prometheus may scrape on loopback: counted from the journal, so that a restart counts nothing twice.

No instance is a label: a fleet of spot instances would make a new time series every hour.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from spottui import __version__
from spottui.domain.facts import Logged, SignSeen
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.region_key import fields_of
from spottui.domain.view import AutoMode, SourceHealth
from spottui.journal import Journal
from spottui.journal.store import JournalAway

BUCKETS_S = (30, 60, 90, 120, 180, 240, 300, 600)

ENDS = tuple(state.value for state in RecoveryState if state.is_final)
EVIDENCE = ("lock", "event", "engineer")

Labels = tuple[tuple[str, str], ...]


class Tally:
    """What each recovery of a journal counts for: read once, then kept up by the log, so that no scrape reads it again.

    Thread-safe. A counter never goes down: a reclaim counts once nothing about it can change, with its lock or when it
    is over, and a recovery that is tried again counts with each of its ends. The series of `regions`, those of the
    configuration, begin with zero: Prometheus sees no increase in the first value of a series.
    """

    def __init__(self, journal: Journal, regions: Sequence[str]) -> None:
        self._journal = journal
        self._regions = regions
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._latency_s: dict[str, float] = {}
        journal.follow(self._count)
        self._counted = {recovery.recovery_id: _Counted.of(recovery) for recovery in journal.recoveries.all()}

    @property
    def regions(self) -> list[str]:
        """The regions of the configuration, then others that the journal knows."""
        return list(dict.fromkeys((*self._regions, *(counted.region for counted in self._counted.values()))))

    @property
    def journal_is_up(self) -> bool:
        """Whether the journal can be written now."""
        return not self._journal.writer.problem

    def all(self) -> "list[_Counted]":
        """Return what each recovery counts for now; while the journal does not answer, as far as it was read."""
        with self._lock:
            changed, self._changed = self._changed, set()
        while changed:
            try:
                recovery = self._journal.recoveries.get(recovery_id := changed.pop())
            except JournalAway:
                with self._lock:
                    self._changed |= {recovery_id, *changed}
                break
            if recovery:
                self._counted[recovery_id] = _Counted.of(recovery)
        return list(self._counted.values())

    def latency_s(self) -> dict[str, float]:
        """Return by region how old the last notice of a queue was when it was written down; empty before the first."""
        with self._lock:
            return dict(self._latency_s)

    def _count(self, logged: Sequence[Logged]) -> None:
        with self._lock:
            self._changed.update(entry.recovery_id for entry in logged if entry.recovery_id)
            for entry in logged:
                if isinstance(entry.fact, SignSeen) and entry.fact.source is Evidence.QUEUE:
                    self._latency_s[entry.region] = max((entry.at - entry.fact.began).total_seconds(), 0.0)


class _Counted(msgspec.Struct, frozen=True):
    """What one recovery counts for; `evidence` is empty while it may still change."""

    region: str
    evidence: str
    duplicates: int
    ends: tuple[str, ...]
    took_s: float | None
    under_way: bool
    needs_you: bool
    reclaimed_until: datetime | None

    @classmethod
    def of(cls, recovery: Recovery) -> "_Counted":
        reclaim, state = recovery.interruption, recovery.state
        is_recovered = state is RecoveryState.RECOVERED and recovery.ended is not None
        is_locked = reclaim.locked and reclaim.unlocked_at is None and reclaim.released_at is None
        return cls(
            region=recovery.region,
            evidence=_strongest(reclaim) if reclaim.locked or state.is_final else "",
            duplicates=reclaim.duplicates,
            ends=(*(run.state.value for run in recovery.past_runs), *((state.value,) if state.is_final else ())),
            took_s=(recovery.ended - recovery.started).total_seconds() if is_recovered and recovery.ended else None,
            under_way=not state.is_final,
            needs_you=state is RecoveryState.NEEDS_YOU and not recovery.is_queued,
            reclaimed_until=reclaim.over_at if is_locked else None,
        )


def render(tally: Tally, letters: int | None, sources: Iterable[SourceHealth], auto: AutoMode, now: datetime) -> str:
    """Return everything in the Prometheus text format.

    `letters` are the notifications that no channel has accepted yet, None where the journal does not say.
    """
    counted = tally.all()
    lines = [
        *_metric("spottui_build_info", "gauge", "Version of spottui.", {(("version", __version__),): 1}),
        *_metric("spottui_journal_up", "gauge", "1 while the journal can be written.", {(): int(tally.journal_is_up)}),
        *_of_reclaims(counted, tally.regions, now),
        *_of_recoveries(counted, tally.regions),
        *_of_letters(letters),
        *_metric("spottui_auto_armed", "gauge", "1 while auto-mode is armed.", {(): int(auto.armed)}),
        *_of_queues(tally.latency_s()),
        *_of_sources(sources, now),
    ]
    return "\n".join(lines) + "\n"


def _of_reclaims(counted: Sequence[_Counted], regions: Iterable[str], now: datetime) -> Iterator[str]:
    counter: Counter[Labels] = Counter(_zeroes(regions, "evidence", EVIDENCE))
    duplicates: Counter[Labels] = Counter(_zeroes(regions))
    reclaiming: Counter[Labels] = Counter(_zeroes(regions))
    for counts in counted:
        region = _labels(counts.region)
        duplicates[region] += counts.duplicates
        reclaiming[region] += counts.under_way or (counts.reclaimed_until is not None and now < counts.reclaimed_until)
        if counts.evidence:
            counter[(*region, ("evidence", counts.evidence))] += 1
    text = "Reclaims, each counted once: with its lock, or when it is over."
    yield from _metric("spottui_interruptions_total", "counter", text, counter)
    yield from _metric(
        "spottui_duplicates_suppressed_total", "counter", "Repeated signs of a known reclaim.", duplicates
    )
    yield from _metric("spottui_reclaiming", "gauge", "Instances that are being reclaimed now.", reclaiming)


def _of_recoveries(counted: Sequence[_Counted], regions: Iterable[str]) -> Iterator[str]:
    ended: Counter[Labels] = Counter(_zeroes(regions, "state", ENDS))
    running: Counter[Labels] = Counter(_zeroes(regions))
    needy: Counter[Labels] = Counter(_zeroes(regions))
    for counts in counted:
        ended.update((*_labels(counts.region), ("state", state)) for state in counts.ends)
        running[_labels(counts.region)] += counts.under_way
        needy[_labels(counts.region)] += counts.needs_you
    yield from _metric("spottui_recoveries_total", "counter", "Recoveries that ended, by outcome.", ended)
    yield from _metric("spottui_recoveries_under_way", "gauge", "Recoveries in progress.", running)
    yield from _metric("spottui_needs_you", "gauge", "Recoveries that wait for a decision.", needy)
    took = [counts.took_s for counts in counted if counts.took_s is not None]
    yield from _histogram("spottui_recovery_seconds", "Seconds from the first sign to the replacement running.", took)


def _of_letters(letters: int | None) -> Iterator[str]:
    text = "Notifications that no channel has accepted yet."
    yield from _metric("spottui_letters_waiting", "gauge", text, {} if letters is None else {(): letters})


def _of_queues(latency_s: Mapping[str, float]) -> Iterator[str]:
    values: dict[Labels, float] = {_labels(region): round(seconds, 3) for region, seconds in latency_s.items()}
    text = "Age of the queue's last notice when it was recorded."
    yield from _metric("spottui_queue_latency_seconds", "gauge", text, values)


def _of_sources(sources: Iterable[SourceHealth], now: datetime) -> Iterator[str]:
    up: dict[Labels, float] = {}
    ages: dict[Labels, float] = {}
    for source in sources:
        labels = (("source", source.name), *_labels(source.region))
        up[labels] = int(source.failure is None and not source.is_stale(now))
        age_s = source.age_s(now)
        if age_s is not None:
            ages[labels] = round(age_s, 3)
    yield from _metric("spottui_source_up", "gauge", "1 while a source responds.", up)
    yield from _metric("spottui_source_age_seconds", "gauge", "Seconds since a source's last good answer.", ages)


def _labels(region: str) -> "Labels":
    return tuple(fields_of(region).items())


def _zeroes(regions: Iterable[str], label: str = "", values: Sequence[str] = ("",)) -> dict[Labels, int]:
    """Every series of these regions before its first event, by one more label where there is one."""
    return {(*_labels(region), *(((label, value),) if label else ())): 0 for region in regions for value in values}


def _strongest(interruption: Interruption) -> str:
    """A drill is one that is only an event for ever."""
    if interruption.locked:
        return "lock"
    return "engineer" if Evidence.ENGINEER in interruption.evidence else "event"


def _histogram(name: str, text: str, values: list[float]) -> Iterator[str]:
    yield from (f"# HELP {name} {text}", f"# TYPE {name} histogram")
    for bound in BUCKETS_S:
        yield f'{name}_bucket{{le="{bound}"}} {sum(value <= bound for value in values)}'
    yield from (
        f'{name}_bucket{{le="+Inf"}} {len(values)}',
        f"{name}_sum {sum(values):g}",
        f"{name}_count {len(values)}",
    )


def _metric(name: str, kind: str, text: str, values: Mapping[Labels, float]) -> Iterator[str]:
    yield from (f"# HELP {name} {text}", f"# TYPE {name} {kind}")
    for labels, value in values.items():
        inside = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels)
        yield f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
