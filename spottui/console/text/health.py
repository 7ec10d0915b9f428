"""How fresh the sources are, what is wrong with them, and why a panel is empty."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TypeGuard

import msgspec

from spottui import words
from spottui.domain.arming_facts import Stop
from spottui.domain.reasons import Failure
from spottui.domain.text import plain
from spottui.domain.view import ApiBudget, DeskView, SourceHealth
from spottui.tables.moments import age

SOURCES = ("queue", "lock", "sweep")

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
_CAUSE_CELLS = 24
_QUEUE_NOT_READ = "queue is not read (read-only): its messages belong to the acting console."
_NOT_THEN = "Nothing in the journal up to this moment."
_OPENING = "Opening the journal and the cloud clients…"


class Freshness(msgspec.Struct, frozen=True):
    """One source in the region where it is worst; `age_s` is None if it never answered.

    `read` is False if it is not read at all, as the queue by a read-only console.
    """

    name: str
    age_s: float | None
    stale: bool
    read: bool = True


class Problem(msgspec.Struct, frozen=True):
    """What is wrong: `head`, the cause first, is always shown, `more` as far as there is room.

    A `note` is nothing wrong, and is shown while nothing is.
    """

    head: str
    more: str = ""
    note: bool = False


def freshness(view: DeskView, name: str, now: datetime) -> Freshness:
    """Return how fresh a source is in the region where it is worst."""
    sources = [source for source in view.sources if source.name == name]
    ages = [source.age_s(now) for source in sources]
    known_ages = [age_s for age_s in ages if age_s is not None]
    worst = max(known_ages) if known_ages and len(known_ages) == len(ages) else None
    stale = any(source.is_stale(now) for source in sources)
    return Freshness(name, worst, stale, is_read(view, name))


def shown_sources(view: DeskView) -> tuple[str, ...]:
    """Return the names of the sources for the header: the usual ones, then any others. A replay has none."""
    always = () if view.replay else SOURCES
    return tuple(dict.fromkeys((*always, *(source.name for source in view.sources))))


def status_fields(view: DeskView, now: datetime) -> tuple[object, ...]:
    """Return all that header, status and titles show of a view, except its counts and the ages of its sources."""
    sources = tuple(
        (source.name, source.region, source.failure, source.next_try, source.last_ok is None, source.is_stale(now))
        for source in view.sources
    )
    wide = (view.profile, view.regions, view.account, view.elsewhere, view.read_only, view.starting, view.replay)
    return (*wide, view.unswept, view.auto, view.problem, view.budgets, view.consoles, sources)


def is_read(view: DeskView, name: str) -> bool:
    """Whether this console reads a source at all."""
    return (
        not view.read_only
        or view.starting
        or view.replay is not None
        or any(source.name == name for source in view.sources)
    )


def has_started(view: DeskView | None) -> TypeGuard[DeskView]:
    """Whether the desk has opened: before, there is no view, or what the journal alone says."""
    return view is not None and not view.starting


def regions_without_answer(view: DeskView, name: str) -> tuple[str, ...]:
    """Return the regions in which a source has not answered yet."""
    answered = {source.region for source in view.sources if source.name == name and source.last_ok is not None}
    return tuple(region for region in view.regions if region not in answered)


def problems(view: DeskView | None, failed: str, now: datetime, trouble: str = "") -> tuple[Problem, ...]:
    """Return what is wrong, the worst first; without that, what a person should note."""
    if failed:
        return (Problem(_failure(view, failed)),)
    if trouble:
        what = "Journal unreadable, the screen is out of date" if has_started(view) else "Waiting to start"
        return (Problem(plain(f"{what}: {trouble}", 1000)),)
    if view is None:
        return ()
    problems = [Problem(plain(view.problem))] if view.problem else []
    problems += [_source_problem(source, now) for source in view.sources if source.failure or source.is_stale(now)]
    problems += [
        _budget_problem(budget, now) for budget in view.budgets if budget.closed_until and budget.closed_until > now
    ]
    problems += _silent_consoles(view)
    if (stopped := view.auto.stopped) and not view.auto.armed:
        is_off = Problem(f"AUTO is off: {plain(words.stopped(stopped))}", note=stopped.stop is Stop.PERSON)
        problems += [] if problems and is_off.note else [is_off]
    if view.auto.armed:
        problems += [_resting(place, until, now) for place, until in view.auto.resting if until > now]
    return tuple(problems)


def _silent_consoles(view: DeskView) -> Iterator[Problem]:
    """Return the consoles that do not answer: while they hold their locks, nobody takes over their recoveries."""
    silent = (console for console in view.consoles if not console.answers)
    return (Problem(words.silent_console(console)) for console in silent)


def _budget_problem(budget: ApiBudget, now: datetime) -> Problem:
    opens = _seconds_until(budget.closed_until, now) if budget.closed_until else 0
    waiting = f" · {budget.waiting} calls waiting" if budget.waiting else ""
    return Problem(plain(f"{budget.action} throttled · {budget.region} · opens in {opens}s{waiting}"))


def _resting(place: str, until: datetime, now: datetime) -> Problem:
    return Problem(plain(f"AUTO avoids {place} for {_seconds_until(until, now)}s: launches failed there"))


def stale_title(view: DeskView, name: str, now: datetime) -> str:
    """Return `STALE 42s` for a source, an empty text while it is fresh.

    Before the first answer, rows of an earlier run are `CACHED`, and no rows mean `NO ANSWER YET`.
    """
    fresh = freshness(view, name, now)
    if not fresh.stale:
        return _cached(view, name)
    if fresh.age_s is not None:
        return f"STALE {age(fresh.age_s)}"
    return "STALE" if (view.events if name == "queue" else view.instances) else "NO ANSWER YET"


def _cached(view: DeskView, name: str) -> str:
    if name != "sweep" or view.replay is not None:
        return ""
    return "CACHED" if view.unswept else ""


def no_instances(view: DeskView | None, failed: str, now: datetime) -> str:
    """Return why the instances panel is empty."""
    return _unknown(view, failed, "sweep", "The fleet", now) or f"No spot instance in {_regions(view)}."


def no_events(view: DeskView | None, failed: str, now: datetime) -> str:
    """Return why the events panel is empty."""
    if view and not failed and not is_read(view, "queue"):
        return f"No event yet. The {_QUEUE_NOT_READ}"
    return _unknown(view, failed, "queue", "The queue", now) or "No event yet. Listening to the queue."


def no_recoveries(view: DeskView | None, failed: str, now: datetime, *, any_lock: bool) -> str:
    """Return why the recoveries panel is empty; `any_lock` says whether any instance is locked even so."""
    what = "Reclaims"
    if waiting := _unknown(view, failed, "lock", what, now):
        return waiting
    if view and not is_read(view, "queue"):
        return f"{'No recovery is open.' if any_lock else 'No lock is seen.'} The {_QUEUE_NOT_READ}"
    waiting = _unknown(view, failed, "queue", what, now)
    nothing = "No recovery is open." if any_lock else "Nothing is being reclaimed."
    return waiting or f"{nothing} r on an instance recovers it anyway."


def _unknown(view: DeskView | None, failed: str, source: str, what: str, now: datetime) -> str:
    if failed:
        return f"{what}: unknown. {_failure(view, failed)}"
    if not has_started(view):
        return _OPENING
    if view.replay:
        return _NOT_THEN
    sources = [health for health in view.sources if health.name == source]
    broken = [health for health in sources if health.failure]
    if broken:
        return f"{what}: unknown. {_in_full(broken[0], now)}"
    if not sources or any(health.last_ok is None for health in sources):
        return f"{what}: waiting for the first answer from {_regions(view)}…"
    return ""


def _failure(view: DeskView | None, failed: str) -> str:
    what = "has stopped, the screen is out of date" if has_started(view) else "cannot start"
    return plain(f"spottui {what}: {failed}", 1000)


def _source_problem(source: SourceHealth, now: datetime) -> Problem:
    cause, more = _cause(source.failure) if source.failure else (f"no answer for {age(source.age_s(now))}", "")
    parts = [cause, f"{source.name} {source.region}"]
    if source.next_try is not None:
        parts.append(f"next try {_seconds_until(source.next_try, now)}s")
    return Problem(plain(" · ".join(parts)), plain(more, 400))


def _cause(failure: Failure) -> tuple[str, str]:
    """Return the cause of a failure, which is its Code if the cloud gave one, and what else is known about it."""
    request_id = f"[RequestId {failure.request_id}]" if failure.request_id else ""
    advice = ". ".join(part for part in (request_id, words.advice(failure)) if part)
    if failure.code:
        detail = f"{failure.action}: {failure.message}" if failure.message else failure.action
        return failure.code, f"{detail} {advice}".strip()
    message = plain(_ERRNO.sub("", failure.message), _CAUSE_CELLS)
    cause = ": ".join(part for part in (failure.kind, message) if part)
    return cause, f"{failure.action} {advice}".strip()


def _in_full(source: SourceHealth, now: datetime) -> str:
    next_try = "" if source.next_try is None else f" · next try in {_seconds_until(source.next_try, now)}s"
    error = words.fault(source.failure) if source.failure else ""
    return plain(f"{source.name} {source.region}: {error}", 1000) + next_try


def _seconds_until(moment: datetime, now: datetime) -> int:
    return max(int((moment - now).total_seconds()), 0)


def _regions(view: DeskView | None) -> str:
    return ", ".join(plain(region, 64) for region in view.regions) if view else ""
