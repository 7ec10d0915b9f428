"""What auto-mode would do if an instance were reclaimed now, in lines for people."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from spottui import words
from spottui.cloud.ecs import Ecs
from spottui.domain.clock import NOTICE_S, SystemClock
from spottui.domain.forecast import Forecast, ImageTiming, before_image
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.region_key import account_of
from spottui.domain.settings import Policy, Settings
from spottui.journal import Journal
from spottui.recovery.auto_mode_rules import Case, Overview, Refusal, Standing, judge
from spottui.recovery.lineage import back_to_spot
from spottui.recovery.planner import capture, make_plan


def plan_now(settings: Settings, ecs: Ecs, instance_id: str, *, to_spot: bool = False) -> Plan | None:
    """Return the plan that a recovery would have now, None when the instance is not known.

    With `to_spot` it is that of an on-demand replacement which goes back to spot. Raises `CloudError`, and `Refused`
    for what is no such replacement.
    """
    journal = Journal(settings.journal, read_only=True)
    try:
        spec = capture(ecs, journal, SystemClock(), instance_id)
        if spec and to_spot:
            spec = back_to_spot(journal, spec)
    finally:
        journal.close()
    return make_plan(spec, settings) if spec else None


def what_auto_mode_would_do(settings: Settings, ecs: Ecs, instance_id: str) -> list[str]:
    """Return the steps of a recovery by the plan that it would have; raises `CloudError`."""
    plan = plan_now(settings, ecs, instance_id)
    if plan is None:
        return ["no plan: the instance is no longer listed"]
    spec, timing, now = plan.spec, _timing(settings, plan.spec.main_category), SystemClock().now()
    forecast = before_image(now, now + timedelta(seconds=NOTICE_S), spec.image_gib, timing)
    disks = ", ".join(disk.disk_id for disk in spec.cloud_disks) or "no cloud disk"
    return [
        f"protect  {disks} immediately",
        "wait     for the Recycling lock; a drill sets none, so it ends here",
        f"confirm  {_confirmed(settings.policy_of(account_of(ecs.region)), plan, forecast, now)}",
        *([f"drain    {plan.drain.name}, at most {plan.drain.timeout_s:g} s"] if plan.drain else []),
        *_by_route(plan, settings.policy, timing, forecast),
        *([f"probe    {plan.probe.name}, at most {plan.probe.settings.patience}"] if plan.probe else []),
        *[f"note     {warning}" for warning in words.warnings(plan)],
    ]


def _confirmed(policy: Policy, plan: Plan, forecast: Forecast, now: datetime) -> str:
    """Ask the guard's own rules, as if auto-mode were armed and nothing else under way."""
    instance, deadline = plan.spec.instance, now + timedelta(seconds=NOTICE_S)
    reclaim = Interruption(instance.region, instance.instance_id, int(now.timestamp()), now, deadline, (Evidence.LOCK,))
    recovery = Recovery(reclaim, instance.name, RecoveryState.NEEDS_YOU, route=plan.route)
    idle = Overview(now, Standing(armed=True))
    # Prices are looked up when it happens.
    priced = replace(plan, surveyed=True)
    answer = judge(policy, idle, Case(recovery, priced, forecast, now, {}))
    if isinstance(answer, Refusal):
        return f"not by auto-mode: {words.reason(answer.reason, instance.region)}"
    return f"{(answer.veto_until - now).total_seconds():.0f} s after the lock, if auto-mode is armed and nobody vetoes"


def _by_route(plan: Plan, policy: Policy, timing: ImageTiming, forecast: Forecast) -> list[str]:
    gib = plan.spec.image_gib
    took = f"{gib} GiB in about {timing.estimate_s(gib):.0f} s of {NOTICE_S:.0f} s: {forecast.verdict}"
    places = (
        ", then ".join(f"{candidate.instance_type} in {candidate.zone}" for candidate in plan.candidates)
        or "nowhere: no place known"
    )
    if not plan.route.traits.launches:
        patience = f"for {policy.restart_patience_s:g} s; then make an image of it"
        return [f"restart  once it has stopped, retried {patience}", f"launch   {places}"]
    if plan.route.traits.serves_at_once:
        return [f"{plan.route}  from an earlier image; an image made now is the fallback: {took}", f"launch   {places}"]
    return [f"image    {took}", f"launch   {places}"]


def _timing(settings: Settings, category: str) -> ImageTiming:
    journal = Journal(settings.journal, read_only=True)
    try:
        return journal.image_timings.timing(category)
    finally:
        journal.close()
