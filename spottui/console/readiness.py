"""Would an instance make it if the notice came now: the forecast, what stands against it, its disks and its images."""

from datetime import datetime, timedelta

from textual.content import Content

from spottui.domain.background import Background, Found
from spottui.domain.clock import NOTICE_S
from spottui.domain.forecast import Forecast, Verdict, before_image
from spottui.domain.history import InstanceRecord
from spottui.domain.instance import Disk, InterruptionBehavior
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import WarmImage
from spottui.domain.text import plain
from spottui.tables.moments import age

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


def readiness(record: InstanceRecord, background: Background | None, now: datetime) -> Content:
    """Return whether an image would be ready in time if the notice came now, and what would be lost all the same."""
    head = Content.styled("If the notice came now", "bold $accent")
    spec = record.spec
    if spec is None:
        return Content("\n").join([head, Content("  not known: no sweep has seen its disks yet"), Content("")])
    lines = [head, *_outlook(record, spec, now)]
    lines += [Content.assemble(("  ! ", "bold $warning"), text) for text in _obstacles(record, spec)]
    lines += [_disk(disk, stops=_stops(spec)) for disk in spec.disks]
    lines += _images(background, spec, now)
    return Content("\n").join([*lines, Content("")])


def _outlook(record: InstanceRecord, spec: LaunchSpec, now: datetime) -> list[Content]:
    """What is not known makes no verdict: no image has no size."""
    if not spec.image_gib:
        return [Content("  no forecast: the size of an image of it is not known")]
    forecast = before_image(now, now + timedelta(seconds=NOTICE_S), spec.image_gib, record.timing)
    lines = [_verdict(forecast, spec, now)]
    if _stops(spec):
        lines.append(Content("  in Stop mode it is stopped, and started again first; an image is the way after that"))
    return lines


def _verdict(forecast: Forecast, spec: LaunchSpec, now: datetime) -> Content:
    takes_s = (forecast.ready_at - now).total_seconds()
    said = f"  image of {spec.image_gib} GiB in about {age(takes_s)}, {abs(forecast.slack_s):.0f} s "
    verdict = forecast.verdict
    return Content.assemble(
        ("  ", ""),
        (str(verdict), VERDICT_STYLES[verdict]),
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


def _disk(disk: Disk, *, stops: bool) -> Content:
    what = f"{plain(disk.kind, 16)} {plain(disk.disk_id, 64)} {disk.size_gib} GiB {plain(disk.category, 32)}"
    if disk.is_local:
        return Content.assemble(("  ✕ ", "bold $error"), f"{what}: lost, it is local")
    if stops:
        return Content.assemble(("  ✓ ", "bold $success"), f"{what}: survives, it is only stopped")
    if disk.delete_with_instance:
        return Content.assemble(("  ~ ", "bold $warning"), f"{what}: kept by the life-raft")
    return Content.assemble(("  ✓ ", "bold $success"), f"{what}: survives the release")


def _stops(spec: LaunchSpec) -> bool:
    return spec.instance.behavior is InterruptionBehavior.STOP


def _images(background: Background | None, spec: LaunchSpec, now: datetime) -> list[Content]:
    if background is None:
        return [_image("images", "asking the cloud…")]
    none_made = "none by a recovery: no route warm-image"
    gone = f"{plain(spec.image_id, 64)}, which is not listed any more" if spec.image_id else "not known"
    return [
        _image("newest image", _aged(background.newest_image, none_made, now)),
        _image("made of", _aged(background.source_image, gone, now)),
    ]


def _aged(found: Found[WarmImage], otherwise: str, now: datetime) -> str:
    if found.problem:
        return f"not known: {plain(found.problem, 400)}"
    image = found.value
    return f"{plain(image.image_id, 64)}, {age((now - image.made).total_seconds())} old" if image else otherwise


def _image(label: str, text: str) -> Content:
    return Content.assemble((f"  {label:<{_LABEL_CELLS}}", "dim"), text)
