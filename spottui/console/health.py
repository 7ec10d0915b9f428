"""How fresh the sources are, what is wrong with them, and what an empty panel honestly says."""

from dataclasses import dataclass
from datetime import datetime

from spottui.domain.text import plain
from spottui.domain.view import DeskView, SourceHealth
from spottui.tables.moments import age

SOURCES = ("queue", "lock", "sweep")

_OPENING = "Opening the journal and the cloud clients…"


@dataclass(frozen=True, slots=True)
class Freshness:
    """One source over all regions, as its worst region has it; `age_s` is None where no answer ever came."""

    name: str
    age_s: float | None
    stale: bool


def freshness(view: DeskView, name: str, now: datetime) -> Freshness:
    """Return how fresh a source is in the region where it is worst."""
    sources = [source for source in view.sources if source.name == name]
    ages = [source.age_s(now) for source in sources]
    known = [age_s for age_s in ages if age_s is not None]
    worst = max(known) if known and len(known) == len(ages) else None
    return Freshness(name, worst, any(source.is_stale(now) for source in sources))


def problems(view: DeskView | None, failed: str, now: datetime) -> tuple[str, ...]:
    """Return what is wrong, each in one line, the worst first; empty when all is well."""
    if failed:
        return (_failure(view, failed),)
    if view is None:
        return ()
    lines = [plain(view.problem)] if view.problem else []
    lines += [_source_problem(source, now) for source in view.sources if source.error or source.is_stale(now)]
    if view.auto.reason and not view.auto.armed:
        lines.append(f"AUTO is off: {plain(view.auto.reason)}")
    return tuple(lines)


def stale_title(view: DeskView, names: tuple[str, ...], now: datetime) -> str:
    """Return `STALE 42s` for the worst of these sources, and an empty text when all are fresh."""
    stale = [fresh for name in names if (fresh := freshness(view, name, now)).stale]
    if not stale:
        return ""
    ages = [fresh.age_s for fresh in stale]
    return "NO ANSWER YET" if None in ages else f"STALE {age(max(a for a in ages if a is not None))}"


def no_instances(view: DeskView | None, failed: str, now: datetime) -> str:
    """Return why the instances panel is empty."""
    return _unknown(view, failed, "sweep", "The fleet", now) or f"No spot instance in {_regions(view)}."


def no_events(view: DeskView | None, failed: str, now: datetime) -> str:
    """Return why the events panel is empty."""
    return _unknown(view, failed, "queue", "The queue", now) or "No event yet. The queue is listened to."


def no_recoveries(view: DeskView | None, failed: str, now: datetime) -> str:
    """Return why the recoveries panel is empty."""
    waiting = _unknown(view, failed, "lock", "Whether an instance is being reclaimed", now)
    return waiting or "Nothing is being reclaimed. r on an instance recovers it all the same."


def _unknown(view: DeskView | None, failed: str, source: str, what: str, now: datetime) -> str:
    if failed:
        return f"{what}: not known. {_failure(view, failed)}"
    if view is None or view.starting:
        return _OPENING
    ours = [health for health in view.sources if health.name == source]
    broken = [health for health in ours if health.error]
    if broken:
        return f"{what}: not known. {_source_problem(broken[0], now)}"
    if not ours or any(health.last_ok is None for health in ours):
        return f"{what}: waiting for the first answer from {_regions(view)}…"
    return ""


def _failure(view: DeskView | None, failed: str) -> str:
    what = "cannot start" if view is None else "has stopped, what you see is old"
    return plain(f"spottui {what}: {failed}", 1000)


def _source_problem(source: SourceHealth, now: datetime) -> str:
    what = source.error or f"no answer for {age(source.age_s(now))}"
    next_try = "" if source.next_try is None else f" (next try in {_seconds_until(source.next_try, now)}s)"
    return plain(f"{source.name} {source.region}{next_try}: {what}", 400)


def _seconds_until(moment: datetime, now: datetime) -> int:
    return max(int((moment - now).total_seconds()), 0)


def _regions(view: DeskView | None) -> str:
    return ", ".join(plain(region, 64) for region in view.regions) if view else ""
