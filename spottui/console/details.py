"""Everything that is known of one row, as plain text."""

from collections.abc import Callable
from datetime import datetime

from textual.content import Content

from spottui.console.page import Page
from spottui.domain.feed import Event
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.view import DeskView

_LABEL_CELLS = 18

Fact = tuple[str, str]


class DetailsPage(Page):
    """The facts and the timeline of an instance and of its recovery; follows what the desk shows."""

    def __init__(self, title: str, look: Callable[[], Content]) -> None:
        super().__init__(title)
        self._look = look

    def text(self) -> Content:
        """Return the facts as they are now."""
        return self._look()


def instance_details(view: DeskView, region: str, instance_id: str) -> Content:
    """Return an instance, its interruption, its recoveries and every event that names it."""
    here = (region, instance_id)
    parts = [_section("Instance", _instance(i)) for i in view.instances if (i.region, i.instance_id) == here]
    parts += [_section("Reclaim", _reclaim(r)) for r in view.interruptions if (r.region, r.instance_id) == here]
    parts += [_section("Recovery", _recovery(r)) for r in view.recoveries if (r.region, r.instance_id) == here]
    parts.append(_timeline([event for event in view.events if event.instance_id == instance_id]))
    return Content("\n").join(parts)


def event_details(event: Event) -> Content:
    """Return one event with its whole text and, for poison, the raw body."""
    facts = [
        ("at", _when(event.at)),
        ("kind", str(event.kind)),
        ("region", event.region),
        ("instance", event.instance_id),
        ("recovery", event.recovery_id),
        ("RequestId", event.request_id),
        ("text", event.text),
        ("body", event.body),
    ]
    return _section("Event", facts)


def _instance(instance: Instance) -> list[Fact]:
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


def _reclaim(reclaim: Interruption) -> list[Fact]:
    return [
        ("deadline", _when(reclaim.deadline)),
        ("first seen", _when(reclaim.first_seen)),
        ("evidence", ", ".join(f"{sign} {sign.name.lower()}" for sign in reclaim.evidence)),
        ("confirmed", "yes" if reclaim.confirmed else "NO LOCK SEEN: may be a drill"),
        ("seen again", f"{reclaim.duplicates} times"),
        ("action", reclaim.action),
    ]


def _recovery(recovery: Recovery) -> list[Fact]:
    return [
        ("id", recovery.recovery_id),
        ("state", str(recovery.state)),
        ("reason", recovery.reason),
        ("route", str(recovery.route)),
        ("verdict", str(recovery.verdict or "")),
        ("image expected", _when(recovery.forecast_at)),
        ("image", f"{recovery.image_id} {recovery.progress} %" if recovery.image_id else ""),
        ("new instance", recovery.new_instance_id),
        ("next", recovery.next_step),
        ("said yes", recovery.who),
        ("started", _when(recovery.started)),
        ("ended", _when(recovery.ended)),
        *((f"made: {made.kind}", made.resource_id) for made in recovery.created),
    ]


def _timeline(events: list[Event]) -> Content:
    lines = [Content.styled("Timeline", "bold $accent")]
    lines += [Content(f"  {event.at:%H:%M:%S}  {event.kind:<9}  {plain(event.text, 500)}") for event in events]
    return Content("\n").join(lines if len(lines) > 1 else [*lines, Content("  nothing yet")])


def _section(title: str, facts: list[Fact]) -> Content:
    lines = [Content.styled(title, "bold $accent")]
    lines += [
        Content.assemble((f"  {plain(label, 64):<{_LABEL_CELLS}}", "dim"), plain(value, 4000))
        for label, value in facts
        if value
    ]
    return Content("\n").join([*lines, Content("")])


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
