"""What auto-mode would do about a reclaim of an instance that began now, in lines for people."""

from datetime import timedelta
from pathlib import Path

from spottui.cloud.ecs import Ecs
from spottui.domain.clock import NOTICE_S, SystemClock
from spottui.domain.forecast import TIGHT_S, ImageTiming, before_image
from spottui.domain.plan import Plan
from spottui.domain.settings import Settings
from spottui.domain.text import plain
from spottui.journal import Journal
from spottui.recovery.planner import capture, make_plan


def plan_now(settings: Settings, ecs: Ecs, instance_id: str) -> Plan | None:
    """Return the plan that a recovery would have now, None when the instance is not known; raises `CloudError`."""
    journal = Journal(Path(settings.journal))
    try:
        spec = capture(ecs, journal, SystemClock(), instance_id)
    finally:
        journal.close()
    return make_plan(spec, f"{ecs.region}.{instance_id}", settings) if spec else None


def what_auto_mode_would_do(settings: Settings, ecs: Ecs, instance_id: str) -> list[str]:
    """Return the steps of a recovery by the plan that it would have; raises `CloudError`."""
    plan = plan_now(settings, ecs, instance_id)
    if plan is None:
        return ["no plan: the instance is not listed any more"]
    spec, timing, now = plan.spec, _timing(settings, plan.spec.main_category), SystemClock().now()
    forecast = before_image(now, now + timedelta(seconds=NOTICE_S), spec.image_gib, timing)
    window_s = max(0.0, min(settings.policy.veto_window_s, forecast.slack_s - TIGHT_S))
    disks = ", ".join(disk.disk_id for disk in spec.cloud_disks) or "no cloud disk"
    first, *others = plan.candidates
    return [
        f"protect  {disks} at once",
        "wait     for the Recycling lock; a drill sets none, so this one ends here",
        f"confirm  {window_s:.0f} s after the lock, if auto-mode is armed and nobody vetoes",
        f"image    {spec.image_gib} GiB in about {timing.estimate_s(spec.image_gib):.0f} s of {NOTICE_S:.0f} s: "
        f"{forecast.verdict}",
        f"launch   {first.instance_type} in {', then '.join(one.zone for one in (first, *others))}",
        *[f"note     {plain(warning)}" for warning in plan.warnings],
    ]


def _timing(settings: Settings, category: str) -> ImageTiming:
    journal = Journal(Path(settings.journal))
    try:
        return journal.image_timings.timing(category)
    finally:
        journal.close()
