"""Everything that is known of one row, as plain text."""

from collections.abc import Callable, Sequence
from datetime import datetime

from textual.content import Content

from spottui import words
from spottui.console.pages.page import Page
from spottui.domain.facts import Logged, PoisonSeen
from spottui.domain.history import Past
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.prospect import image_expected, said_of
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.view import DeskView, LiveConsole
from spottui.tables.moments import age, duration

_LABEL_CELLS = 18
_BODY_CHARACTERS = 65_536

Fact = tuple[str, str]


class DetailsPage(Page):
    """One text that does not change by itself, or is looked at anew."""

    def __init__(self, title: str, look: Callable[[], Content]) -> None:
        super().__init__(title)
        self._look = look

    def text(self) -> Content:
        """Return the facts as they are now."""
        return self._look()


def event_details(event: Logged) -> Content:
    """Return one event with its whole text and, for poison, the raw body."""
    facts = [
        ("at", _when(event.at)),
        ("kind", str(words.event_kind(event.fact) or "")),
        ("region", event.region),
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
    """The raw message as it came, one line for each of its lines, nothing in it interpreted."""
    kept = len(poison.body)
    body = poison.body + (f" … the first {kept} of {poison.length} characters" if poison.length > kept else "")
    lines = [f"  {plain(line, _BODY_CHARACTERS)}" for line in body[:_BODY_CHARACTERS].split("\n")]
    more = len(body) - _BODY_CHARACTERS
    title = Content.styled(f"Body, {len(body):,} characters", "bold $accent")
    return Content("\n").join([title, *map(Content, lines), Content(f"  … {more:,} more" if more > 0 else "")])


def instance_facts(instance: Instance) -> list[Fact]:
    """Return what the last sweep saw of an instance."""
    return [
        ("id", instance.instance_id),
        ("name", instance.name),
        ("region", instance.region),
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


def reclaim_facts(reclaim: Interruption) -> list[Fact]:
    """Return what is known of a reclaim."""
    return [
        ("deadline", f"{_when(reclaim.deadline)}{' at most' if reclaim.is_upper_bound else ''}"),
        ("first seen", _when(reclaim.first_seen)),
        ("evidence", ", ".join(f"{sign} {sign.name.lower()}" for sign in reclaim.evidence)),
        ("confirmed", "yes" if reclaim.confirmed else "NO LOCK SEEN: may be a drill"),
        ("seen again", f"{reclaim.duplicates} times"),
        ("action", reclaim.action),
    ]


def recovery_facts(recovery: Recovery, view: DeskView) -> list[Fact]:
    """Return how a recovery stands now."""
    now, waits = view.at, recovery.state.waits_for_permission
    return [
        ("id", recovery.recovery_id),
        ("state", str(recovery.state)),
        ("reason", words.reason(recovery.reason, recovery.region)),
        ("route", str(recovery.route)),
        ("verdict", said_of(recovery, now)),
        ("image expected", _when(image_expected(recovery, now) if recovery.is_imaging else None)),
        ("image takes", f"{duration(recovery.image_s)} after a yes" if recovery.image_s and waits else ""),
        ("image", _image(recovery)),
        ("new instance", recovery.new_instance_id),
        ("next", words.next_step(recovery.next_step)),
        ("trouble", "" if recovery.state.is_final else words.trouble(recovery)),
        ("progress seen", _when(recovery.unseen_since)),
        ("said yes", recovery.who),
        ("driver", _driver(recovery, view)),
        ("started", _when(recovery.started)),
        ("ended", _when(recovery.ended)),
        *((f"made: {made.kind}", made.resource_id) for made in recovery.created),
    ]


def _driver(recovery: Recovery, view: DeskView) -> str:
    """Who goes on with it, where that can be another console than this one."""
    if len(view.consoles) < 2 or not recovery.driver or recovery.state.is_final:
        return ""
    if recovery.driver == view.own:
        return "this console"
    one = next((console for console in view.consoles if console.id == recovery.driver), None)
    return _console(one) if one else "a console that has ended: another one takes it over"


def _console(one: LiveConsole) -> str:
    return f"{one.host} pid {one.pid}" if one.answers else f"console {one.host} pid {one.pid} does not answer"


def _image(recovery: Recovery) -> str:
    progress = f" {recovery.progress} %" if recovery.progress >= 0 else ", its progress is not known"
    return f"{recovery.image_id}{progress}" if recovery.image_id else ""


def past_facts(past: Sequence[Past]) -> list[Fact]:
    """Return a line for each past reclaim: when it began and what became of it."""
    return [(f"{one.interruption.first_seen:%Y-%m-%d %H:%M}", _outcome(one.recovery)) for one in past]


def _outcome(recovery: Recovery) -> str:
    took = f" in {age((recovery.ended - recovery.started).total_seconds())}" if recovery.ended else ""
    more = f", now {recovery.new_instance_id}" if recovery.new_instance_id else ""
    forecast = f", forecast {recovery.verdict}" if recovery.verdict else ""
    reason = words.reason(recovery.reason, recovery.region) if recovery.state.came_to_nothing else ""
    return f"{recovery.state}{took}{forecast}{more}{f': {reason}' if reason else ''}"


def timeline(events: list[Logged]) -> Content:
    """Return the events of an instance in a section of their own."""
    lines = [Content.styled("Timeline", "bold $accent")]
    told = ((event.at, words.event_kind(event.fact) or "", plain(words.text(event), 500)) for event in events)
    lines += [Content(f"  {at:%H:%M:%S}Z  {kind:<9}  {text}") for at, kind, text in told]
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
