"""`spottui recover`: one recovery in the foreground, by the same engine and journal as the console's."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spottui.cli.break_glass import meant, open_again
from spottui.cli.common import Failed, Wrong, agree, refuse_if_read_only, with_settings
from spottui.cli.completion import spot_instances
from spottui.cli.console import whoami
from spottui.cli.ending import Ending, in_time, leave
from spottui.cli.on_demand import end_on_demand, gone_back
from spottui.cli.plan_printing import plan_record, show_plan
from spottui.cli.printing import Printing
from spottui.cli.progress import Progress
from spottui.domain.routes import Route

if TYPE_CHECKING:
    from datetime import datetime

    from spottui.desk import Desk
    from spottui.domain.plan import Plan
    from spottui.domain.recovery import Recovery
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui recover i-bp1abcdef --dry-run
  spottui recover i-bp1abcdef --yes
  spottui recover i-bp1abcdef --when-locked --yes   wait for the reclaim
  spottui recover i-bp1abcdef --to-spot             an on-demand replacement
  spottui recover cn-hangzhou.i-bp1abcdef.1764312000 --journal here.db
"""
WAIT_S = 0.5


@click.command(epilog=_EXAMPLES)
@with_settings
@click.argument("instance", shell_complete=spot_instances)
@click.option("--region", default="", help="Its region; by default every configured region is searched.")
@click.option(
    "--route",
    type=click.Choice([route.value for route in Route]),
    help="Route to try first; by default the plan decides.",
)
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Use this journal file while the configured journal is unreachable.",
)
@click.option("--when-locked", is_flag=True, help="Wait until the instance is being reclaimed.")
@click.option("--to-spot", is_flag=True, help="Launch an on-demand replacement as spot again.")
@click.option(
    "--delete-on-demand",
    is_flag=True,
    help="With --to-spot: also delete it once the spot instance serves; no question.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and exit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per change, or the plan with --dry-run.")
def recover(
    settings: "Settings",
    instance: str,
    region: str,
    route: str | None,
    journal: Path | None,
    when_locked: bool,
    to_spot: bool,
    delete_on_demand: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Recover INSTANCE (an id or a name) as the console would; exit 0 when its replacement runs.

    Resumes a recovery in progress: there is only one per reclaim, whoever starts it. After ctrl+c the next start of
    spottui resumes it from the same step.

    Once an on-demand instance is back on spot, --to-spot asks whether to delete it; --yes alone leaves it running.

    With --journal, a recovery of the configured journal is resumed under the same identity, so that nothing is created
    twice when that journal is back. Pass the recovery's id instead of INSTANCE if you know it.
    """
    from msgspec.structs import replace

    _refuse_contradictions(to_spot, delete_on_demand, bool(route or when_locked or journal))

    recovery_id = ""
    if journal:
        settings = replace(settings, journal=str(journal))
        instance, recovery_id = meant(settings, instance)
    if not instance.startswith("i-"):
        instance = _id_of(settings, instance)
    regions = _meant_regions(settings, region)
    asked = _Asked(instance, regions, route, when_locked, yes, to_spot, delete_on_demand)
    if dry_run:
        plan = _plan_without_a_desk(settings, asked)
        if as_json:
            click.echo(json.dumps(plan_record(plan)))
        else:
            show_plan(plan)
        return
    refuse_if_read_only()
    if recovery_id:
        open_again(settings, recovery_id)
    with Printing():
        code = _recover(settings, asked, as_json=as_json)
    leave(code)


def _refuse_contradictions(to_spot: bool, delete_on_demand: bool, is_of_reclaim: bool) -> None:
    if to_spot and is_of_reclaim:
        raise Wrong("--to-spot excludes --route, --when-locked and --journal.")
    if delete_on_demand and not to_spot:
        raise Wrong("--delete-on-demand is the end of a way back: pass --to-spot with it.")


def _id_of(settings: "Settings", name: str) -> str:
    from spottui.cli.instances import find_instance
    from spottui.cloud.region_tools import credentials_of, region_tools

    return find_instance(region_tools(settings, credentials_of(settings)), name)[1].instance_id


def _meant_regions(settings: "Settings", region: str) -> tuple[str, ...]:
    """Return the keys of a region, which may be one of several accounts; of all without one."""
    from spottui.domain.region_key import region_id

    meant = tuple(key for key in settings.region_keys if region in ("", key, region_id(key)))
    return meant or (region,)


@dataclass(slots=True)
class _Asked:
    """What was asked for on the command line, and whether a yes was given: from then on a recovery may have begun."""

    instance: str
    regions: tuple[str, ...]
    route: str | None
    when_locked: bool
    yes: bool
    to_spot: bool = False
    deletes: bool = False
    agreed: bool = False


_LEFT_BEFORE = "interrupted; nothing was started."
_LEFT_AFTER = (
    "interrupted after the yes: the next start of spottui resumes the recovery from the same step; "
    "`spottui status` shows it."
)


def _recover(settings: "Settings", asked: _Asked, *, as_json: bool) -> int:
    """Return the exit code. The process must end then: what the engine drives has no other end."""
    from spottui.cli.assembly import open_desk
    from spottui.domain.clock import SystemClock

    try:
        desk = open_desk(settings, SystemClock(), auto=False, read_only=False)
        try:
            back = gone_back(desk, asked.instance, asked.regions) if asked.to_spot else None
            code = 0 if back else _follow(desk, _begun(desk, asked, as_json=as_json), as_json=as_json)
            if asked.to_spot and code == 0:
                end_on_demand(desk, asked.instance, asked.regions, yes=asked.deletes)
            return code
        finally:
            in_time(desk.close)
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"spottui: {_LEFT_AFTER if asked.agreed else _LEFT_BEFORE}", err=True)
        return 1
    except Exception as problem:
        return _exit_code_of(problem)


def _begun(desk: "Desk", asked: _Asked, *, as_json: bool) -> str:
    """Confirm the recovery, one that waits for a yes or came to nothing or a new one, and return its id.

    A notice that comes while the plan is read begins a recovery with a plan of its own, which is shown then.
    """
    from spottui.domain.refusal import Refused

    if asked.when_locked:
        _wait_for_lock(desk, asked.instance)
    try:
        return _confirmed(desk, asked, as_json=as_json)
    except Refused:
        if asked.to_spot or not _waiting(desk, asked.instance):
            raise
        click.echo("the plan has changed", err=True)
        return _confirmed(desk, asked, as_json=as_json)


def _confirmed(desk: "Desk", asked: _Asked, *, as_json: bool) -> str:
    from spottui import words
    from spottui.domain.commands import Confirm, Retry
    from spottui.domain.plan import by_route
    from spottui.domain.retrying import retried_route

    route = Route(asked.route) if asked.route else None
    waiting = None if asked.to_spot else _waiting(desk, asked.instance)
    ended = None if waiting or asked.to_spot else _came_to_nothing(desk, asked.instance)
    recovery = waiting or ended
    if recovery:
        region, plan = recovery.region, desk.plan(recovery.recovery_id)
    else:
        region, plan = _planned(desk, asked)
    if plan is None:
        raise Failed(f"{asked.instance} has no plan yet; try again in a moment.")
    if not as_json:
        first = route or (retried_route(ended, plan) if ended else plan.route)
        shown = plan if first is plan.route else by_route(plan, first)
        show_plan(shown, words.reused(ended, first) if ended else "")
    agree("Recover it?", yes=asked.yes)
    asked.agreed = True
    if waiting:
        desk.carry_out(waiting.recovery_id, Confirm(plan.digest, route), whoami())
        return waiting.recovery_id
    if ended:
        desk.carry_out(ended.recovery_id, Retry(plan.digest, route), whoami())
        return ended.recovery_id
    return desk.recover(region, asked.instance, plan.digest, whoami(), route)


def _waiting(desk: "Desk", instance: str) -> "Recovery | None":
    """Return the recovery of an instance that has its plan and waits for a yes."""
    recoveries = (
        recovery
        for recovery in desk.view().recoveries
        if recovery.instance_id == instance and recovery.state.waits_for_permission
    )
    return next((recovery for recovery in recoveries if desk.plan(recovery.recovery_id)), None)


def _came_to_nothing(desk: "Desk", instance: str) -> "Recovery | None":
    """Return the newest recovery of an instance if it failed, the reclaim is in progress, and it has a plan.

    To try that again uses the image that it made. Later the image is old, and a new recovery makes its own.
    """
    view = desk.view()
    of_it = (recovery for recovery in view.recoveries if recovery.instance_id == instance)
    newest = max(of_it, key=lambda recovery: recovery.started, default=None)
    if newest is None or not newest.state.came_to_nothing or newest.interruption.is_manual:
        return None
    is_going_on = view.at < newest.deadline or newest.interruption.released_at is not None
    return newest if is_going_on and desk.plan(newest.recovery_id) else None


def _planned(desk: "Desk", asked: _Asked) -> "tuple[str, Plan]":
    from spottui.domain.refusal import Refused

    refusals: list[str] = []
    for region in asked.regions:
        try:
            return region, desk.plan_for(region, asked.instance, to_spot=asked.to_spot)
        except Refused as refusal:
            refusals.append(str(refusal))
    raise Failed(" ".join(refusals))


def _plan_without_a_desk(settings: "Settings", asked: _Asked) -> "Plan":
    """A desk would go on with every recovery that was left: a dry run only asks."""
    from spottui.cli.what_if import plan_now
    from spottui.cloud.region_tools import credentials_of, region_tools

    for tools in region_tools(settings, credentials_of(settings)):
        if tools.settings.key not in asked.regions:
            continue
        plan = plan_now(settings, tools.ecs, asked.instance, to_spot=asked.to_spot)
        if plan:
            return _chosen(plan, asked.route)
    raise Failed(f"{asked.instance} is not listed in {', '.join(asked.regions)}.")


def _chosen(plan: "Plan", name: str | None) -> "Plan":
    """Whether there is an earlier image is looked up when it begins."""
    from msgspec.structs import replace

    from spottui.domain.plan import by_route

    if name is None:
        return plan
    route = Route(name)
    if route.traits.serves_at_once:
        return replace(plan, routes=(route, *(other for other in plan.routes if other is not route)))
    return by_route(plan, route)


def _wait_for_lock(desk: "Desk", instance: str) -> None:
    view = desk.view()
    click.echo(f"waiting for a reclaim lock on {instance}", err=True)
    while not any(
        reclaim.instance_id == instance and reclaim.locked and reclaim.over_at > view.at
        for reclaim in view.interruptions
    ):
        view = desk.wait(view.version, WAIT_S) or view


def _follow(desk: "Desk", recovery_id: str, *, as_json: bool) -> int:
    """Show each change until the recovery is over, and return the exit code."""
    from spottui.cli.records import line, recovery_record
    from spottui.domain.recovery import RecoveryState

    stopping = threading.Event()
    said: object = None
    view = desk.view()
    with Ending() as ending, Progress() as progress:
        ending.ask = lambda _: stopping.set()
        while not stopping.is_set():
            now = next((recovery for recovery in view.recoveries if recovery.recovery_id == recovery_id), None)
            if now:
                shown = recovery_record(now, view.at) if as_json else _line(now, view.at)
                seconds = (view.at - now.started).total_seconds()
                if shown != said:
                    said = shown
                    progress.clear()
                    record = line(view.at, "recovery", recovery_record(now, view.at))
                    click.echo(record if as_json else f"{seconds:6.1f} s  {shown}")
                # A hook would not be known to have run if this process ended before it.
                if now.state.is_final and not now.open_hooks:
                    return 0 if now.state is RecoveryState.RECOVERED else 1
                _show_progress(progress, now, view.at)
            view = desk.wait(view.version, WAIT_S) or view
    raise Failed("interrupted: the next start of spottui resumes the recovery from the same step.")


def _show_progress(progress: Progress, now: "Recovery", at: "datetime") -> None:
    """The image is what takes long, and the deadline is what it must not miss."""
    if now.is_imaging:
        left_s = (now.deadline - at).total_seconds()
        until = "" if now.interruption.is_manual else f", {left_s:.0f} s until the deadline"
        progress.show(f"image{until}", now.progress, 100)


def _line(now: "Recovery", at: "datetime") -> str:
    from spottui import words
    from spottui.domain.text import plain
    from spottui.domain.verdicts import verdict_text

    progress = f" {now.progress} %" if now.is_imaging else ""
    verdict = "" if now.state.is_final else verdict_text(now, at)
    why = words.next_step(now.next_step) if now.awaits_release else words.reason(now.reason, now.region)
    ids = now.new_instance_id or now.image_id
    said = (f"{now.state.value}{progress}", verdict, ids, plain(why or words.trouble(now)))
    return "  ".join(text for text in said if text)


def _exit_code_of(problem: Exception) -> int:
    from spottui.cli.common import fail_with

    try:
        if isinstance(problem, click.ClickException):
            raise problem
        fail_with(problem)
    except click.ClickException as words:
        words.show()
        return words.exit_code
