"""A shift's hand-over, from the journal only: what needs a person, what is open, what happened."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spottui import words
from spottui.cli.records import recovery_record
from spottui.cli.statistics import currency_of, incident_rows, summary
from spottui.domain import facts as f
from spottui.domain.facts import Logged, Stop
from spottui.domain.history import Past
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.domain.verdicts import verdict_text
from spottui.domain.view import LiveConsole
from spottui.journal import Journal
from spottui.tables.moments import age
from spottui.tables.prices import signed

_LONGEST = 400
_DECISIONS = (f.Decided, f.CancelAsked, f.Retried)
_OF_ALL = (f.Armed, f.NotArmed, f.Disarmed, f.SourceFailed, f.SourceAnswers, f.PoisonSeen)


@dataclass(frozen=True, slots=True)
class HandOver:
    """A shift: `pasts` are the recoveries that ended in it, `log` the decisions, and facts about no recovery.

    `needs` are recoveries that wait for a person or failed last, `open` the others that are not over. `failing` are the
    sources that failed in it and have not answered since, and `not_armed` why auto-mode stopped by itself, if it has
    not been armed since.
    """

    began: datetime
    ended: datetime
    consoles: tuple[LiveConsole, ...]
    needs: tuple[Recovery, ...]
    open: tuple[Recovery, ...]
    pasts: tuple[Past, ...]
    failing: tuple[Logged, ...]
    not_armed: Logged | None
    log: tuple[Logged, ...]


def hand_over(journal: Journal, began: datetime, ended: datetime) -> HandOver:
    """Return the shift from `began` until now, `ended`."""
    recoveries = journal.history.between(began, ended)
    facts = journal.log.between(began, ended)
    going = [recovery for recovery in recoveries if not recovery.state.is_final]
    over = [recovery for recovery in recoveries if recovery.state.is_final]
    needs = (*(recovery for recovery in going if _waits_for_a_person(recovery)), *_failed_last(recoveries))
    return HandOver(
        began,
        ended,
        journal.consoles.living(),
        needs,
        tuple(recovery for recovery in going if recovery not in needs),
        tuple(Past.of(recovery, journal.recoveries.plan(recovery.recovery_id)) for recovery in over),
        tuple(_failing(facts)),
        _stopped(facts),
        tuple(logged for logged in facts if isinstance(logged.fact, (*_DECISIONS, *_OF_ALL))),
    )


def as_text(shift: HandOver) -> str:
    """Return it as plain text, for a terminal, a chat or a ticket."""
    return "\n".join((
        f"Shift {shift.began:%Y-%m-%d %H:%M} to {shift.ended:%Y-%m-%d %H:%M} UTC", "",
        *_section("Needs somebody", [*_alarms(shift), *(_recovery_text(needy, shift.ended) for needy in shift.needs)]),
        *_section("Open", [_recovery_text(recovery, shift.ended) for recovery in shift.open]),
        *_section("Happened", [_total(shift.pasts), *map(_past_text, shift.pasts)] if shift.pasts else []),
        *_section("Decisions and sources", [_fact_text(logged) for logged in shift.log]),
    )).rstrip()  # fmt: skip


def as_record(shift: HandOver) -> dict[str, Any]:
    """Return it as JSON values; recoveries as in `status --json`, ended ones as the rows of `report --since --json`."""
    rows = incident_rows(shift.pasts)
    return {
        "began": shift.began.isoformat(timespec="seconds"),
        "ended": shift.ended.isoformat(timespec="seconds"),
        "needs_somebody": [recovery_record(recovery, shift.ended) for recovery in shift.needs],
        "alarms": _alarms(shift),
        "open": [recovery_record(recovery, shift.ended) for recovery in shift.open],
        "happened": rows,
        "summary": summary(rows),
        "log": [{"at": logged.at.isoformat(timespec="seconds"), "text": words.text(logged)} for logged in shift.log],
    }


def _waits_for_a_person(recovery: Recovery) -> bool:
    return recovery.state is RecoveryState.NEEDS_YOU and not recovery.is_queued


def _failed_last(recoveries: Iterable[Recovery]) -> Iterator[Recovery]:
    """Only the newest recovery of an instance counts: a failure that was recovered later needs no attention."""
    newest = {
        (recovery.region, recovery.instance_id): recovery
        for recovery in sorted(recoveries, key=lambda recovery: recovery.started)
    }
    return (recovery for recovery in newest.values() if recovery.state is RecoveryState.FAILED)


def _failing(facts: Sequence[Logged]) -> Iterator[Logged]:
    last = {
        (logged.fact.source, logged.region): logged
        for logged in facts
        if isinstance(logged.fact, f.SourceFailed | f.SourceAnswers)
    }
    return (logged for logged in last.values() if isinstance(logged.fact, f.SourceFailed))


def _stopped(facts: Sequence[Logged]) -> Logged | None:
    """A person who disarms knows it; a stop file or consecutive failures are news for the next shift."""
    last = next(
        (logged for logged in reversed(facts) if isinstance(logged.fact, f.Armed | f.NotArmed | f.Disarmed)), None
    )
    if last is None or isinstance(last.fact, f.Armed):
        return None
    stopped = last.fact.stopped if isinstance(last.fact, f.NotArmed | f.Disarmed) else None
    return last if stopped is not None and stopped.stop is not Stop.PERSON else None


def _alarms(shift: HandOver) -> list[str]:
    """Return problems of the console itself: no watcher, failing sources, disarmed auto-mode."""
    silent = [console for console in shift.consoles if not console.answers]
    nobody = [] if len(silent) < len(shift.consoles) else ["NOT WATCHED: no console running"]
    of_log = [*shift.failing, *([shift.not_armed] if shift.not_armed else [])]
    return [*nobody, *map(words.silent_console, silent), *map(_fact_text, of_log)]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in lines or ["nothing"]), ""]


def _recovery_text(recovery: Recovery, now: datetime) -> str:
    verdict = "" if recovery.state.is_final else verdict_text(recovery, now)
    why = words.reason(recovery.reason, recovery.region) or words.next_step(recovery.next_step)
    is_timed = not (recovery.state.is_final or recovery.interruption.is_manual)
    deadline = f"deadline {recovery.deadline:%H:%M:%S} UTC" if is_timed else ""
    said = " · ".join(text for text in (recovery.state.value, deadline, verdict, why, words.trouble(recovery)) if text)
    return f"{_named(recovery)} {plain(said, _LONGEST)}"


def _past_text(past: Past) -> str:
    recovery, outcome = past.recovery, past.outcome
    took = f" in {age(outcome.recovery_s)}" if outcome.recovery_s is not None else ""
    why = words.reason(recovery.reason, recovery.region)
    ended = f"{recovery.ended:%H:%M:%S} " if recovery.ended else ""
    return f"{ended}{_named(recovery)} {recovery.state.value}{took}{plain(f': {why}' if why else '', _LONGEST)}"


def _total(pasts: Sequence[Past]) -> str:
    figures = summary(incident_rows(pasts))
    ends = ", ".join(f"{figures[state]} {state}" for state in RecoveryState if figures.get(state))
    times = (("p50", "recovery_s_median"), ("p90", "recovery_s_p90"), ("max", "recovery_s_max"))
    took = " · ".join(f"{name} {figures[key]} s" for name, key in times if figures[key] is not None)
    added = figures["added_per_hour"]
    cost = signed(float(str(added)), currency_of(pasts)) if added else ""
    retained = f"{figures['kept_gib']} GiB retained" if figures["kept_gib"] else ""
    return "; ".join(text for text in (ends, took, cost, retained) if text)


def _fact_text(logged: Logged) -> str:
    where = logged.instance_id or words.region(logged.region)
    return plain(" ".join(text for text in (f"{logged.at:%H:%M:%S}", where, words.text(logged)) if text), _LONGEST)


def _named(recovery: Recovery) -> str:
    names = (recovery.name, recovery.instance_id, words.region(recovery.region))
    return plain(" ".join(filter(None, names)), _LONGEST)
