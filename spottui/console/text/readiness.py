"""Whether an instance will be recovered in time, now or if it was reclaimed now: obstacles, disks and images."""

from datetime import datetime, timedelta

from textual.content import Content

from spottui.domain.background import Background, Found
from spottui.domain.clock import NOTICE_S
from spottui.domain.forecast import Forecast, Verdict, before_image
from spottui.domain.history import InstanceRecord
from spottui.domain.instance import Disk, InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.owner import owner_of
from spottui.domain.plan import WarmImage
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain
from spottui.domain.verdicts import image_expected, verdict_of, verdict_text
from spottui.tables.moments import age, duration, when

VERDICT_STYLES = {
    Verdict.WILL_MAKE_IT: "bold $success",
    Verdict.IMAGE_READY: "bold $success",
    Verdict.TIGHT: "bold $warning",
    Verdict.DATA_KEPT: "bold $warning",
    Verdict.NOT_KNOWN: "bold $warning",
    Verdict.WILL_NOT: "bold $error",
    Verdict.NO_ROOM: "bold $error",
}
_LABEL_CELLS = 14


def readiness(
    record: InstanceRecord,
    background: Background | None,
    now: datetime,
    deadline: datetime | None = None,
    recovery: Recovery | None = None,
) -> Content:
    """Return whether an image will be ready in time, and what is lost even so.

    With a `deadline`, that of the open reclaim, for its `recovery`; without one, for a notice at `now`.
    """
    head = Content.styled(_title(deadline, now), "bold $accent")
    spec, kept = record.spec, frozenset(recovery.made("kept disk") if recovery else ())
    if spec is None:
        return Content("\n").join([head, Content("  unknown: no sweep has seen its disks yet"), Content("")])
    lines = [head, *_forecast_lines(record, spec, now, deadline, recovery)]
    lines += [Content.assemble(("  ! ", "bold $warning"), text) for text in _obstacles(record, spec)]
    lines += [_disk(disk, stops=_stops(spec), kept=disk.disk_id in kept) for disk in spec.disks]
    lines += _images(background, spec, now)
    return Content("\n").join([*lines, Content("")])


def _title(deadline: datetime | None, now: datetime) -> str:
    if deadline is None:
        return "If reclaimed now"
    return f"At its deadline, {when(deadline, now)}"


def _forecast_lines(
    record: InstanceRecord, spec: LaunchSpec, now: datetime, deadline: datetime | None, recovery: Recovery | None
) -> list[Content]:
    """Return the forecast; there is none while the image's size is unknown."""
    if recovery and recovery.state is RecoveryState.RECOVERED:
        return []
    if recovery and not recovery.state.is_final:
        return _as_it_stands(recovery, now)
    if not spec.image_gib:
        return [Content("  no forecast: image size unknown")]
    forecast = before_image(now, deadline or now + timedelta(seconds=NOTICE_S), spec.image_gib, record.timing)
    begun = "if begun now: " if deadline else ""
    lines = [_verdict(forecast.verdict, str(forecast.verdict), begun + _image_begun_now(forecast, spec, now))]
    if _stops(spec):
        lines.append(
            Content("  Stop mode: it is stopped at the deadline and started again; an image is the second route")
        )
    return lines


def _as_it_stands(recovery: Recovery, now: datetime) -> list[Content]:
    """Return the verdict of an open recovery, the same as in the table and in the plan."""
    verdict = verdict_of(recovery, now)
    if verdict is None:
        return [Content("  no forecast yet")]
    image, expected = image_text(recovery, now), image_expected(recovery, now)
    slack = f", {_slack(Forecast(expected, recovery.deadline))}" if image and expected else ""
    return [_verdict(verdict, verdict_text(recovery, now), f"{image}{slack}")]


def image_text(recovery: Recovery, now: datetime) -> str:
    """Return when the image will be ready, before a confirmation how long it takes; empty on other routes."""
    if not recovery.route.traits.needs_image_in_time:
        return ""
    if recovery.state.waits_for_permission:
        return f"image {duration(recovery.image_s)} after y" if recovery.image_s else ""
    expected = image_expected(recovery, now) if recovery.is_imaging else None
    return f"image ready in {duration((expected - now).total_seconds())}" if expected else ""


def _verdict(verdict: Verdict, text: str, image: str) -> Content:
    return Content.assemble(("  ", ""), (text, VERDICT_STYLES[verdict]), f"  {image}" if image else "")


def _image_begun_now(forecast: Forecast, spec: LaunchSpec, now: datetime) -> str:
    takes_s = (forecast.ready_at - now).total_seconds()
    return f"image of {spec.image_gib} GiB takes about {duration(takes_s)}, {_slack(forecast)}"


def _slack(forecast: Forecast) -> str:
    return f"{duration(abs(forecast.slack_s))} {'too late' if forecast.slack_s < 0 else 'to spare'}"


def _obstacles(record: InstanceRecord, spec: LaunchSpec) -> list[str]:
    obstacles = []
    if not spec.disks:
        obstacles.append("its disks are not known yet")
    if record.details_at is None:
        obstacles.append("its RAM role and user data are not captured yet")
    if any(disk.is_local for disk in spec.disks):
        obstacles.append("local disks: their data is lost at every reclaim")
    owner = owner_of(spec.instance)
    if owner:
        obstacles.append(f"auto-mode leaves it to its owner, {plain(owner.label, 64)}")
    return obstacles


def _disk(disk: Disk, *, stops: bool, kept: bool) -> Content:
    what = f"{plain(disk.kind, 16)} {plain(disk.disk_id, 64)} {disk.size_gib} GiB {plain(disk.category, 32)}"
    if disk.is_local:
        return Content.assemble(("  ✕ ", "bold $error"), f"{what}: lost, local disk")
    if stops:
        return Content.assemble(("  ✓ ", "bold $success"), f"{what}: survives, the instance is only stopped")
    if disk.delete_with_instance and not kept:
        return Content.assemble(("  ~ ", "bold $warning"), f"{what}: kept by disk protection")
    return Content.assemble(("  ✓ ", "bold $success"), f"{what}: survives the release")


def _stops(spec: LaunchSpec) -> bool:
    return spec.instance.behavior is InterruptionBehavior.STOP


def _images(background: Background | None, spec: LaunchSpec, now: datetime) -> list[Content]:
    if background is None:
        return [_image("images", "asking the cloud…")]
    none_made = "no image yet: route warm-image is not available"
    gone = f"{plain(spec.image_id, 64)}, no longer listed" if spec.image_id else "unknown"
    return [
        _image("newest image", _aged(background.newest_image, none_made, now)),
        _image("source image", _aged(background.source_image, gone, now)),
    ]


def _aged(answer: Found[WarmImage], otherwise: str, now: datetime) -> str:
    if answer.problem:
        return f"unknown: {plain(answer.problem, 400)}"
    image = answer.value
    return f"{plain(image.image_id, 64)}, {age((now - image.made).total_seconds())} old" if image else otherwise


def _image(label: str, text: str) -> Content:
    return Content.assemble((f"  {label:<{_LABEL_CELLS}}", "dim"), text)
