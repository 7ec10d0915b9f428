"""One instance: readiness, price history, launch spec and past reclaims."""

from datetime import datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content

from spottui.console.messages import Answered
from spottui.console.pages.acting_page import ActingPage
from spottui.console.pages.page import CLOSE, COPY, SCROLL
from spottui.console.pages.timeline import TimelinePage
from spottui.console.selection import Selection, about, interruption_of, recovery_of
from spottui.console.session import Session
from spottui.console.text.cells import column_cells, flow, hanging
from spottui.console.text.charts import price_section
from spottui.console.text.details import (
    Fact,
    instance_facts,
    past_facts,
    reclaim_facts,
    recovery_facts,
    section,
    timeline,
)
from spottui.console.text.readiness import readiness
from spottui.console.text.recovery_summary import recovery_summary
from spottui.console.widgets.keys import Key
from spottui.domain.background import Background
from spottui.domain.facts import Logged
from spottui.domain.history import InstanceRecord
from spottui.domain.instance import Instance
from spottui.domain.interruption import Interruption
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.recovery import Recovery
from spottui.domain.text import plain
from spottui.domain.view import DeskView
from spottui.tables.events import shown
from spottui.tables.instances import BACK, EARLY, on_demand_of, warnings_of
from spottui.tables.moments import age
from spottui.tables.timeline import steps
from spottui.words.market import early_warning_of, symbol, way_back_in_full

_LEAST_CELLS = 84
"""Two columns from a width of 180 on: names of disks and images are long."""
_LOWEST, _HIGHEST = 6, 10
_PAST_SHOWN = 20
_SIGN_CELLS = 2


class InstancePage(ActingPage):
    """Follows one instance; journal and cloud are asked once, when the page opens.

    The log of its recovery is read again with each view: the last failure is at the top.
    """

    KEYS = (CLOSE, Key("T", "T", "Timeline"), COPY, SCROLL)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("T", "timeline", show=False)]

    def __init__(self, session: Session, region: str, instance_id: str) -> None:
        super().__init__(session, plain(instance_id, 64))
        self._here = (region, instance_id)
        self._record: InstanceRecord | None = None
        self._background: Background | None = None
        self._log: tuple[Logged, ...] = ()
        self._read_at: tuple[str, int] | None = None
        self._problem = "Reading the journal…"

    def on_mount(self) -> None:
        """Ask for its record in the journal."""
        self._ask()

    def tick(self) -> None:
        """Show what has changed; ask again for a launch spec that no sweep had captured yet."""
        if self._record and self._record.spec is None:
            self._ask()
        self._read_log()
        super().tick()

    def text(self) -> Content:
        """Return the page as of now."""
        view, now, record = self._session.view, self._session.clock.now(), self._record
        if view is None:
            return Content("")
        recovery, deadline = self._recovery, self._deadline(view)
        reclaims, is_open = self._reclaims(view)
        parts = [Content.styled(plain(self._problem, 400) + "\n", "$warning")] if self._problem else []
        # The cloud reclaims no on-demand instance.
        if record and (deadline or record.spec is None or record.spec.instance.is_spot):
            parts.append(readiness(record, self._background, now, deadline, recovery if deadline else None))
        parts += reclaims if is_open else []
        parts += [*self._prices(record.spec, now), _past(record)] if record else []
        parts.append(timeline([event for event in shown(view.events) if event.instance_id == self._here[1]]))
        parts += [*([_launch(record, now)] if record else []), *([] if is_open else reclaims)]
        parts += [
            section("Instance", instance_facts(instance)) for instance in view.instances if self._is_here(instance)
        ]
        known = next((instance for instance in (*view.instances, *view.gone) if self._is_here(instance)), None)
        told = _heads(known, view) if known else []
        heads = [part for line in told for part in hanging(line, self.room, _SIGN_CELLS)]
        if recovery:
            made = steps(self._log, now)
            heads += recovery_summary(recovery, made, now, self.room)
        return Content("\n").join([*heads, Content(""), flow(parts, self.room, _LEAST_CELLS)])

    def recoveries(self) -> tuple[Recovery, ...]:
        """Return the recovery of the instance."""
        return (self._recovery,) if self._recovery else ()

    def selection(self, key: str = "") -> Selection:
        """Return the instance with its recovery, if it has one."""
        view = self._session.view
        return about(view, *self._here, self._recovery) if view else Selection()

    def action_timeline(self) -> None:
        """Open the timeline of its recovery."""
        if self._recovery:
            self.app.push_screen(TimelinePage(self._session, self._recovery))
        else:
            self.notify("This instance has no recovery.", severity="warning")

    @property
    def _recovery(self) -> Recovery | None:
        return recovery_of(self._session.view, *self._here) if self._session.view else None

    def _deadline(self, view: DeskView) -> datetime | None:
        """Return the deadline of its open reclaim; None if there is none, or a recovery was only started by hand."""
        reclaim = interruption_of(view, *self._here)
        return reclaim.deadline if reclaim and not reclaim.is_manual else None

    def _read_log(self) -> None:
        if (view := self._session.view) is None or (recovery := self._recovery) is None:
            return
        recovery_id, asked_at = recovery.recovery_id, (recovery.recovery_id, view.version)
        if asked_at != self._read_at:
            self._read_at = asked_at
            self._session.worker.ask(lambda desk: desk.timeline(recovery_id), self)

    def _reclaims(self, view: DeskView) -> tuple[list[Content], bool]:
        """Return its reclaims and recoveries as sections, and whether one is open: then they come first."""
        recoveries = [recovery for recovery in view.recoveries if self._is_here(recovery)]
        sections = [section("Reclaim", reclaim_facts(i, self._log)) for i in view.interruptions if self._is_here(i)]
        sections += [section("Recovery", recovery_facts(recovery, view)) for recovery in recoveries]
        return sections, any(not recovery.state.is_final for recovery in recoveries)

    def _prices(self, spec: LaunchSpec | None, now: datetime) -> list[Content]:
        if self._background is None or spec is None:
            return []
        height = min(max(self.app.size.height // 5, _LOWEST), _HIGHEST)
        width = column_cells(self.room, _LEAST_CELLS)
        return [price_section(self._background.prices, spec.spot_price_limit, now, width, height)]

    def _is_here(self, resource: Instance | Interruption | Recovery) -> bool:
        return (resource.region, resource.instance_id) == self._here

    @on(Answered)
    def _remember(self, message: Answered) -> None:
        self._problem = message.problem
        if isinstance(message.answer, InstanceRecord):
            self._record = message.answer
            if message.answer.spec:
                self._session.worker.ask(lambda desk: desk.background(*self._here), self)
        elif isinstance(message.answer, Background):
            self._background = message.answer
        elif isinstance(message.answer, tuple):
            self._log = message.answer
        super().tick()

    def _ask(self) -> None:
        self._session.worker.ask(lambda desk: desk.record(*self._here), self)


def _heads(instance: Instance, view: DeskView) -> list[Content]:
    status = "gone" if instance in view.gone else str(instance.status)
    facts = (instance.instance_type, instance.zone, status, instance.spot_strategy)
    facts_text = " · ".join(plain(fact, 40) for fact in facts)
    warnings, on_demand = warnings_of(instance, view.fleet_background), on_demand_of(instance, view.fleet_background)
    currency = on_demand.way_back.price.currency if on_demand and on_demand.way_back else ""
    back = [f"{BACK} {way_back_in_full(on_demand, symbol(currency))}"] if on_demand else []
    return [
        Content.assemble((plain(instance.name, 64) or "(no name)", "bold"), f"  {facts_text}"),
        *(Content.styled(f"{EARLY} {early_warning_of(instance, warning)}", "$warning") for warning in warnings),
        *(Content.styled(line, "$success" if currency else "") for line in back),
    ]


def _launch(record: InstanceRecord, now: datetime) -> Content:
    spec = record.spec
    if spec is None:
        return Content("")
    captured = f"{age((now - record.details_at).total_seconds())} ago" if record.details_at else "not yet"
    facts: list[Fact] = [
        ("image", spec.image_id),
        ("vSwitch", spec.vswitch_id),
        ("security groups", " ".join(spec.security_group_ids)),
        ("key pair", spec.key_pair),
        ("RAM role", spec.ram_role),
        ("host name", spec.host_name),
        ("user data", "captured, not shown" if spec.user_data else ""),
        ("price limit", f"{spec.spot_price_limit:.3f} per hour" if spec.spot_price_limit else ""),
        (
            "protection hour",
            "" if spec.spot_duration is None else f"{spec.spot_duration} h" if spec.spot_duration else "none",
        ),
        ("metadata", ", ".join(filter(None, (spec.http_endpoint, spec.http_tokens and f"token {spec.http_tokens}")))),
        ("details captured", captured),
    ]
    return section("Launch spec", facts)


def _past(record: InstanceRecord) -> Content:
    facts, more = past_facts(record.past[:_PAST_SHOWN]), len(record.past) - _PAST_SHOWN
    if more > 0:
        facts.append(("and", f"{more} more, older"))
    return section("Past reclaims", facts or [("none", "no reclaim in the journal")])
