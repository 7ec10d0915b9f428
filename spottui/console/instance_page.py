"""Everything that is known of one instance: would it make it now, how is it launched, what happened before."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content

from spottui.console.details import Fact, instance_facts, past_facts, reclaim_facts, recovery_facts, section, timeline
from spottui.console.messages import Answered
from spottui.console.page import Page
from spottui.domain.clock import NOTICE_S
from spottui.domain.forecast import Forecast, Verdict, before_image
from spottui.domain.history import InstanceRecord
from spottui.domain.instance import Disk
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.text import plain
from spottui.tables.moments import age

if TYPE_CHECKING:
    from spottui.console.main import MainScreen

_VERDICT_STYLES = {
    Verdict.WILL_MAKE_IT: "bold $success",
    Verdict.TIGHT: "bold $warning",
    Verdict.WILL_NOT: "bold $error",
}


class InstancePage(Page):
    """Follows one instance; what the journal remembers of it is asked for when the page opens."""

    def __init__(self, main: "MainScreen", region: str, instance_id: str) -> None:
        super().__init__(plain(instance_id, 64))
        self._main, self._here = main, (region, instance_id)
        self._record: InstanceRecord | None = None
        self._problem = "Reading the journal…"

    def on_mount(self) -> None:
        """Ask what the journal remembers."""
        region, instance_id = self._here
        self._main.feed.ask(lambda desk: desk.record(region, instance_id), self)

    def text(self) -> Content:
        """Return what is known now."""
        view, here, now = self._main.view, self._here, self._main.clock.now()
        if view is None:
            return Content("")
        parts = [section("Instance", instance_facts(i)) for i in view.instances if (i.region, i.instance_id) == here]
        parts += [section("Reclaim", reclaim_facts(r)) for r in view.interruptions if (r.region, r.instance_id) == here]
        parts += [section("Recovery", recovery_facts(r)) for r in view.recoveries if (r.region, r.instance_id) == here]
        if self._problem:
            parts.append(Content.styled(plain(self._problem, 400) + "\n", "$warning"))
        if self._record:
            parts[1:1] = [readiness(self._record, now)]
            parts += [_launch(self._record, now), _past(self._record)]
        parts.append(timeline([event for event in view.events if event.instance_id == here[1]]))
        return Content("\n").join(parts)

    @on(Answered)
    def _remember(self, message: Answered) -> None:
        self._problem = message.problem
        if isinstance(message.answer, InstanceRecord):
            self._record = message.answer
        self.tick()


def readiness(record: InstanceRecord, now: datetime) -> Content:
    """Return whether an image would be ready in time if the notice came now, and what would be lost all the same."""
    head = Content.styled("If the notice came now", "bold $accent")
    spec = record.spec
    if spec is None:
        return Content("\n").join([head, Content("  not known: no sweep has seen its disks yet"), Content("")])
    forecast = before_image(now, now + timedelta(seconds=NOTICE_S), spec.image_gib, record.timing)
    lines = [head, _verdict(forecast, spec, now)]
    lines += [Content.assemble(("  ! ", "bold $warning"), text) for text in _obstacles(record, spec)]
    lines += [_disk(disk) for disk in spec.disks]
    return Content("\n").join([*lines, Content("")])


def _verdict(forecast: Forecast, spec: LaunchSpec, now: datetime) -> Content:
    takes_s = (forecast.ready_at - now).total_seconds()
    said = f"  image of {spec.image_gib} GiB in about {age(takes_s)}, {abs(forecast.slack_s):.0f} s "
    verdict = forecast.verdict
    return Content.assemble(
        ("  ", ""),
        (str(verdict), _VERDICT_STYLES[verdict]),
        said + ("too late" if forecast.slack_s < 0 else "to spare"),
    )


def _obstacles(record: InstanceRecord, spec: LaunchSpec) -> list[str]:
    told = []
    if not spec.disks:
        told.append("its disks are not known yet")
    if record.details_at is None:
        told.append("its RAM role and user data are not captured yet")
    if any(disk.is_local for disk in spec.disks):
        told.append("it has local disks: what is on them is lost with every reclaim")
    if spec.instance.scaling_group:
        told.append(f"scaling group {plain(spec.instance.scaling_group, 64)} replaces it by itself")
    return told


def _disk(disk: Disk) -> Content:
    what = f"{plain(disk.kind, 16)} disk {plain(disk.disk_id, 64)} {plain(disk.category, 32)} {disk.size_gib} GiB"
    if disk.is_local:
        return Content.assemble(("  ✕ ", "bold $error"), f"{what}: lost, a local disk cannot be saved")
    if disk.delete_with_instance:
        return Content.assemble(("  ~ ", "bold $warning"), f"{what}: goes with it until the life-raft keeps it")
    return Content.assemble(("  ✓ ", "bold $success"), f"{what}: survives, it is kept at the release")


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
        ("price limit", f"{spec.spot_price_limit:g} an hour" if spec.spot_price_limit else ""),
        ("protection hour", f"{spec.spot_duration} h" if spec.spot_duration is not None else ""),
        ("metadata", " ".join(part for part in (spec.http_endpoint, spec.http_tokens) if part)),
        ("details captured", captured),
    ]
    return section("Launch spec", facts)


def _past(record: InstanceRecord) -> Content:
    return section("Past reclaims", past_facts(record.past) or [("none", "the journal knows of no reclaim")])
