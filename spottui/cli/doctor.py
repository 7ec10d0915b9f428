"""`spottui doctor`: checks everything that a notice needs to arrive and a recovery needs to work."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from spottui.cli.check import Check, Verdict
from spottui.cli.common import with_settings
from spottui.cli.progress import Progress

if TYPE_CHECKING:
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui doctor                    exit 1 when a check fails
  spottui doctor --watch-only       skip what only a recovery needs
  spottui doctor --live             also send a debug event and wait for it
"""
_WIDTH = 24


@click.command(epilog=_EXAMPLES)
@with_settings
@click.option("--watch-only", is_flag=True, help="Skip the permissions that only a recovery needs.")
@click.option("--live", is_flag=True, help="Send CloudMonitor's debug event and time its arrival.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: {ok, checks[]}.")
def doctor(settings: "Settings", watch_only: bool, live: bool, as_json: bool) -> None:
    """Check credentials, clock, endpoints, permissions, queues, rules, terminal, journal and disk.

    Nothing is changed. Each FAIL line comes with the command or the RAM statement that fixes it.
    """
    checks: list[Check] = []
    with Progress() as progress:
        for check in _checks(settings, progress, watch_only=watch_only, live=live):
            checks.append(check)
            progress.clear()
            if not as_json:
                _show(check)
    bad = sum(check.verdict is Verdict.FAIL for check in checks)
    if as_json:
        rows = [{"subject": c.subject, "verdict": c.verdict, "found": c.found, "fix": c.fix or None} for c in checks]
        click.echo(json.dumps({"ok": not bad, "checks": rows}))
    else:
        click.secho(f"{bad} failed" if bad else "all checks passed", fg="red" if bad else "green", bold=True)
    click.get_current_context().exit(1 if bad else 0)


def _checks(settings: "Settings", progress: Progress, *, watch_only: bool, live: bool) -> Iterator[Check]:
    from spottui.cli.cloud_checks import credential_check, identity_check, region_checks
    from spottui.cli.identity_checks import zone_check
    from spottui.cli.machine_checks import machine_checks
    from spottui.cloud.region_tools import credentials_of, region_tools

    yield from machine_checks(settings)
    credentials, failed, seen = credentials_of(settings), set[str](), dict[tuple[str, str], str]()
    for name, source in credentials.items():
        check = credential_check(settings, name, source)
        yield check
        if check.verdict is Verdict.FAIL:
            failed.add(name)
        else:
            yield identity_check(settings, name, source, seen)
    checked = set[str]()
    for tools in region_tools(settings, credentials):
        name, keeps_ready = tools.settings.account, bool(settings.ready)
        if name in failed:
            continue
        if settings.policy.private_zone and not watch_only and name not in checked:
            checked.add(name)
            yield zone_check(settings, tools)
        configured = {region.id for region in settings.regions if region.account == name}
        yield from region_checks(tools, progress, configured, watch_only=watch_only, keeps_ready=keeps_ready)
        if live:
            from spottui.cli.drill import live_check

            yield live_check(settings, tools, progress)


def _show(check: Check) -> None:
    colour = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.FAIL: "red"}[check.verdict]
    head = click.style(f"{check.verdict.upper():<5}", fg=colour, bold=check.verdict is Verdict.FAIL)
    margin = " " * 6
    lines = _wrapped(check.found)
    click.echo(f"{head} {check.subject:<{_WIDTH}} {lines[0]}")
    for line in lines[1:]:
        click.echo(f"{margin}{'':<{_WIDTH}} {line}")
    if check.fix:
        # On one line whatever its length, so that it can be copied.
        click.echo(f"{margin}{click.style('fix:', bold=True)} {check.fix}")


def _wrapped(text: str) -> list[str]:
    import shutil
    import textwrap

    from spottui.domain.text import plain

    width = max(shutil.get_terminal_size().columns - _WIDTH - 8, 30)
    return textwrap.wrap(plain(text, 1000), width, break_long_words=False, break_on_hyphens=False) or [""]
