"""What Prometheus may scrape on loopback: counted from the journal, so that a restart counts nothing twice.

No instance is a label: a fleet of spot instances would make a new time series every hour.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from spottui import __version__
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import AutoMode, SourceHealth
from spottui.journal import Journal
from spottui.journal.deliveries import waiting

BUCKETS_S = (30, 60, 90, 120, 180, 240, 300, 600)

Labels = tuple[tuple[str, str], ...]


def render(journal: Journal, sources: Iterable[SourceHealth], auto: AutoMode, now: datetime) -> str:
    """Return everything in the Prometheus text format."""
    recoveries = journal.recoveries.all()
    lines = [
        *_metric("spottui_build_info", "gauge", "The version.", {(("version", __version__),): 1}),
        *_of_reclaims(recoveries),
        *_of_recoveries(recoveries),
        *_metric("spottui_letters_waiting", "gauge", "Notifications not yet taken.", {(): _waiting(journal)}),
        *_metric("spottui_auto_armed", "gauge", "Whether auto-mode is armed.", {(): int(auto.armed)}),
        *_of_sources(sources, now),
    ]
    return "\n".join(lines) + "\n"


def _waiting(journal: Journal) -> int:
    with journal.store.read() as connection:
        return waiting(connection)


def _of_reclaims(recoveries: Iterable[Recovery]) -> Iterator[str]:
    counted: Counter[Labels] = Counter()
    duplicates: Counter[Labels] = Counter()
    for interruption in (one.interruption for one in recoveries):
        counted[("region", interruption.region), ("evidence", _strongest(interruption))] += 1
        duplicates[(("region", interruption.region),)] += interruption.duplicates
    yield from _metric("spottui_interruptions_total", "counter", "Reclaims, each once.", counted)
    yield from _metric("spottui_duplicates_suppressed_total", "counter", "Signs of a known reclaim.", duplicates)


def _of_recoveries(recoveries: Iterable[Recovery]) -> Iterator[str]:
    ended: Counter[Labels] = Counter()
    running: Counter[Labels] = Counter()
    took: list[float] = []
    for recovery in recoveries:
        if not recovery.state.is_final:
            running[(("region", recovery.region),)] += 1
            continue
        ended[("region", recovery.region), ("state", recovery.state.value)] += 1
        if recovery.state is RecoveryState.RECOVERED and recovery.ended:
            took.append((recovery.ended - recovery.started).total_seconds())
    yield from _metric("spottui_recoveries_total", "counter", "Recoveries that ended, by how.", ended)
    yield from _metric("spottui_recoveries_under_way", "gauge", "Recoveries that have not ended.", running or {(): 0})
    yield from _histogram("spottui_recovery_seconds", "From the first sign to the replacement running.", took)


def _of_sources(sources: Iterable[SourceHealth], now: datetime) -> Iterator[str]:
    up: dict[Labels, float] = {}
    ages: dict[Labels, float] = {}
    for source in sources:
        labels = (("source", source.name), ("region", source.region))
        up[labels] = int(source.failure is None and not source.is_stale(now))
        age_s = source.age_s(now)
        if age_s is not None:
            ages[labels] = round(age_s, 3)
    yield from _metric("spottui_source_up", "gauge", "Whether a source answers.", up)
    yield from _metric("spottui_source_age_seconds", "gauge", "Since a source's last good answer.", ages)


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
