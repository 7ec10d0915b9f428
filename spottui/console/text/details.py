"""What is known about one row: as labelled facts, and as JSON."""

import json
from collections.abc import Sequence
from datetime import datetime

import msgspec
from textual.content import Content

from spottui import words
from spottui.console.selection import Selection, interruption_of
from spottui.domain.facts import Logged, PoisonSeen, SignSeen
from spottui.domain.history import Past
from spottui.domain.instance import Instance
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.verdicts import image_expected, verdict_text
from spottui.domain.view import DeskView, LiveConsole
from spottui.tables.moments import age, duration, utc_clock

_LABEL_CELLS = 18
_LINE_CHARACTERS = 65_536

Fact = tuple[str, str]


def row_json(selection: Selection, view: DeskView | None) -> str:
    """Return the event, or the instance with its interruption and its recovery, as JSON in ASCII."""
    is_event = selection.event is not None
    reclaim = interruption_of(view, selection.region, selection.resource_id) if view and not is_event else None
    parts = {
        "event": selection.event,
        "instance": selection.instance,
        "interruption": reclaim,
        "recovery": selection.recovery,
    }
    present = {name: part for name, part in parts.items() if part is not None}
    return json.dumps(msgspec.to_builtins(present, builtin_types=(datetime,)), indent=2, default=datetime.isoformat)


def json_title(selection: Selection) -> str:
    """Return what a row's JSON is called."""
    return f"{plain(selection.resource_id, 60) or 'the event'} as JSON"


def json_lines(text: str) -> Content:
    """Return JSON as lines for a page."""
    return Content("\n").join(plain(line, _LINE_CHARACTERS) for line in text.splitlines())


def event_details(event: Logged) -> Content:
    """Return one event with its whole text and, for poison, the raw body."""
    facts = [
        ("at", _when(event.at)),
        ("kind", str(words.event_kind(event.fact) or "")),
        ("region", words.region(event.region)),
        ("instance", event.instance_id),
        ("recovery", event.recovery_id),
        ("RequestId", words.request_id(event.fact)),
        ("text", words.text(event)),
    ]
    parts = [section("Event", facts)]
    if isinstance(event.fact, PoisonSeen) and event.fact.body:
        parts.append(_body(event.fact))
    return Content("\n").join(parts)


def _body(poison: PoisonSeen) -> Content:
    """Return the raw message as it came, line by line, with nothing in it interpreted."""
    kept = len(poison.body)
    body = poison.body + (f" … the first {kept} of {poison.length} characters" if poison.length > kept else "")
    lines = [f"  {plain(line, _LINE_CHARACTERS)}" for line in body[:_LINE_CHARACTERS].split("\n")]
    more = len(body) - _LINE_CHARACTERS
    title = Content.styled(f"Body, {len(body):,} characters", "bold $accent")
    return Content("\n").join([title, *map(Content, lines), Content(f"  … {more:,} more" if more > 0 else "")])


def instance_facts(instance: Instance) -> list[Fact]:
    """Return what the last sweep saw of an instance."""
    return [
        ("id", instance.instance_id),
        ("name", instance.name),
        ("region", words.region(instance.region)),
        ("zone", instance.zone),
        ("type", instance.instance_type),
        ("status", str(instance.status)),
        ("spot strategy", instance.spot_strategy),
        ("lock", "Recycling" if instance.recycling else "none"),
        ("at the deadline", str(instance.behavior)),
        ("private IP", instance.private_ip),
        ("public IP", instance.public_ip),
        ("EIP", instance.eip_id),
        ("created", _when(instance.created)),
        *((f"tag {key}", value) for key, value in instance.tags),
    ]


def reclaim_facts(reclaim: Interruption, log: Sequence[Logged]) -> list[Fact]:
    """Return the facts of a reclaim; `log` says when each of its signs first came, as far as it has been read."""
    return [
        ("deadline", f"{_when(reclaim.deadline)}{' at most' if reclaim.is_upper_bound else ''}"),
        ("first seen", _when(reclaim.first_seen)),
        ("evidence", _evidence(reclaim, log)),
        ("confirmed", "yes" if reclaim.confirmed else "NO LOCK SEEN: may be a drill"),
        ("seen again", f"{reclaim.duplicates} times"),
        ("action", reclaim.action),
    ]


def _evidence(reclaim: Interruption, log: Sequence[Logged]) -> str:
    """Return each source with the time of its first sign, in the order of these times."""
    came: dict[Evidence, datetime] = {}
    for logged in log:
        if isinstance(logged.fact, SignSeen) and logged.recovery_id == reclaim.id:
            came[logged.fact.source] = min(logged.at, came.get(logged.fact.source, logged.at))
    known = sorted(reclaim.evidence, key=lambda sign: came.get(sign, reclaim.first_seen))
    times = {sign: f" {utc_clock(came[sign])}Z" if sign in came else "" for sign in known}
    return ", ".join(f"{sign} {sign.name.lower()}{times[sign]}" for sign in known)


def recovery_facts(recovery: Recovery, view: DeskView) -> list[Fact]:
    """Return the facts of a recovery as of now."""
    now, waits = view.at, recovery.state.waits_for_permission
    return [
        ("id", recovery.recovery_id),
        ("state", str(recovery.state)),
        ("reason", words.reason(recovery.reason, recovery.region)),
        ("route", str(recovery.route)),
        ("verdict", verdict_text(recovery, now)),
        ("image expected", _when(image_expected(recovery, now) if recovery.is_imaging else None)),
        ("image takes", f"{duration(recovery.image_s)} after y" if recovery.image_s and waits else ""),
        ("image", _image(recovery)),
        ("new instance", recovery.new_instance_id),
        ("next", words.next_step(recovery.next_step)),
        ("trouble", "" if recovery.state.is_final else words.trouble(recovery)),
        ("progress seen", _when(recovery.unseen_since)),
        ("confirmed by", recovery.who),
        ("driver", _driver(recovery, view)),
        ("started", _when(recovery.started)),
        ("ended", _when(recovery.ended)),
        *((f"made: {made.kind}", made.resource_id) for made in recovery.created),
    ]


def _driver(recovery: Recovery, view: DeskView) -> str:
    """Return which console drives a recovery, if several could."""
    if len(view.consoles) < 2 or not recovery.driver or recovery.state.is_final:
        return ""
    if recovery.driver == view.own:
        return "this console"
    console = next((console for console in view.consoles if console.id == recovery.driver), None)
    return _console(console) if console else "a console that has ended; another one takes over"


def _console(console: LiveConsole) -> str:
    return (
        f"{console.host} pid {console.pid}"
        if console.answers
        else f"console {console.host} pid {console.pid} does not answer"
    )


def _image(recovery: Recovery) -> str:
    progress = f" {recovery.progress} %" if recovery.progress >= 0 else ", progress unknown"
    return f"{recovery.image_id}{progress}" if recovery.image_id else ""


def past_facts(past: Sequence[Past]) -> list[Fact]:
    """Return a line for each past reclaim: when it began and what became of it."""
    return [(f"{reclaim.interruption.first_seen:%Y-%m-%d %H:%M}", _outcome(reclaim.recovery)) for reclaim in past]


def _outcome(recovery: Recovery) -> str:
    took = f" in {age((recovery.ended - recovery.started).total_seconds())}" if recovery.ended else ""
    more = f", now {recovery.new_instance_id}" if recovery.new_instance_id else ""
    forecast = f", forecast {recovery.verdict}" if recovery.verdict else ""
    reason = words.reason(recovery.reason, recovery.region) if recovery.state.came_to_nothing else ""
    return f"{recovery.state}{took}{forecast}{more}{f': {reason}' if reason else ''}"


def timeline(events: list[Logged]) -> Content:
    """Return the events of an instance in a section of their own."""
    lines = [Content.styled("Timeline", "bold $accent")]
    rows = ((event.at, words.event_kind(event.fact) or "", plain(words.text(event), 500)) for event in events)
    lines += [Content(f"  {at:%H:%M:%S}Z  {kind:<9}  {text}") for at, kind, text in rows]
    return Content("\n").join([*(lines if len(lines) > 1 else [*lines, Content("  nothing yet")]), Content("")])


def section(title: str, facts: list[Fact]) -> Content:
    """Return a title and a line for each fact that has a value."""
    lines = [Content.styled(title, "bold $accent")]
    lines += [
        Content.assemble((f"  {plain(label, 64)} ".ljust(_LABEL_CELLS + 2), "dim"), plain(value, 4000))
        for label, value in facts
        if value
    ]
    return Content("\n").join([*lines, Content("")])


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
