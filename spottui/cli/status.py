"""`spottui status`: what is being reclaimed and recovered now, for a person, a script or a status line."""

import json
import shutil
import sys
import time
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from spottui.cli.common import with_settings
from spottui.cli.progress import Progress

if TYPE_CHECKING:
    from spottui.cli.status_snapshot import StatusSnapshot
    from spottui.domain.recovery import Recovery
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui status --json | jq .reclaiming
  spottui status --watch
  set -g status-right '#(spottui status --tmux)'        in ~/.tmux.conf
"""
SHOWN_FOR = timedelta(hours=24)
"""How long an ended recovery is shown."""


@click.command(epilog=_EXAMPLES)
@with_settings
@click.option("--json", "as_json", is_flag=True, help="{mode, sources{}, spot, reclaiming, recoveries[], consoles[]}")
@click.option("--tmux", is_flag=True, help="One short line for a status bar; reads the journal only.")
@click.option("--watch", is_flag=True, help="Refresh until ctrl+c.")
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(1, 3600),
    default=5.0,
    show_default=True,
    help="Seconds between refreshes.",
)
def status(settings: "Settings", as_json: bool, tmux: bool, watch: bool, every_s: float) -> None:
    """Show what is being reclaimed and recovered, and whether every source responds; exit 1 when one does not.

    No message is taken from the queue. The mode is `auto` or `confirm` while a console of this journal runs, else
    `unwatched`.
    """
    from spottui.cli.status_snapshot import take_snapshot

    failed = False
    # Ctrl+c is how a watch ends, not how it fails.
    with suppress(KeyboardInterrupt) if watch else nullcontext():
        while True:
            with Progress() as progress:
                snapshot = take_snapshot(settings, progress, ask_cloud=not tmux)
            failed = snapshot.failed
            if watch and not as_json:
                click.clear()
            click.echo(_text(settings, snapshot, as_json=as_json, tmux=tmux, watch=watch))
            if not watch:
                break
            time.sleep(every_s)
    click.get_current_context().exit(1 if failed else 0)


def _text(settings: "Settings", snapshot: "StatusSnapshot", *, as_json: bool, tmux: bool, watch: bool) -> str:
    if as_json:
        return json.dumps(_record(snapshot))
    return _tmux_line(snapshot) if tmux else _page(settings, snapshot, watch=watch)


def _record(snapshot: "StatusSnapshot") -> dict[str, object]:
    from spottui.cli.records import console_record, recovery_record

    return {
        "mode": snapshot.mode,
        "sources": {source.name: {"error": source.error or None, "found": source.found} for source in snapshot.sources},
        "spot": snapshot.spot,
        "reclaiming": snapshot.reclaiming,
        "recoveries": [recovery_record(recovery, snapshot.at) for recovery in snapshot.recoveries],
        "consoles": [console_record(console) for console in snapshot.consoles],
    }


def _page(settings: "Settings", snapshot: "StatusSnapshot", *, watch: bool) -> str:
    from spottui import words

    now = snapshot.at
    when = f"{now:%H:%M:%S} " if watch else ""
    head = f"{when}{settings.profile}: {snapshot.spot} spot, {snapshot.reclaiming} reclaiming, {_MODES[snapshot.mode]}"
    width = max((20, *(len(source.name) for source in snapshot.sources)))
    sources = [
        f"  {source.name:<{width}} {'FAIL ' + source.error if source.error else source.found}"
        for source in snapshot.sources
    ]
    silent = [f"  {words.silent_console(console)}" for console in snapshot.consoles if not console.answers]
    silent += [f"  {words.unread_console(console)}" for console in snapshot.consoles if console.unread]
    shown = [recovery for recovery in snapshot.recoveries if recovery.ended is None or now - recovery.ended < SHOWN_FOR]
    rows = [_row(recovery, now) for recovery in shown]
    head_row = [f"{'left':<7}{'name':<13}{'instance':<24}{'state':<12}reason or next step"] if rows else []
    return "\n".join([click.style(_fitting(head), bold=True), *map(_fitting, [*sources, *silent, *head_row, *rows])])


def _fitting(text: str) -> str:
    """On a terminal a row is one line; in a file nothing is cut."""
    columns = shutil.get_terminal_size().columns
    return text if not sys.stdout.isatty() or len(text) <= columns else f"{text[: columns - 1]}…"


_MODES = {
    "auto": "auto-mode armed",
    "confirm": "a console is running, auto-mode is not armed",
    "unwatched": "NOT WATCHED: no console running",
}


def _row(recovery: "Recovery", now: datetime) -> str:
    from spottui import words
    from spottui.domain.text import plain
    from spottui.domain.verdicts import verdict_text

    verdict = "" if recovery.ended else verdict_text(recovery, now)
    why = words.reason(recovery.reason, recovery.region) or words.next_step(recovery.next_step)
    said = plain(" · ".join(text for text in (verdict, why, words.trouble(recovery)) if text), 300)
    name, state = plain(recovery.name, 12), recovery.state.value
    return f"{_left(recovery, now):<7}{name:<13}{recovery.instance_id:<24}{state:<12}{said}"


def _left(recovery: "Recovery", now: datetime) -> str:
    """Minutes and seconds until the deadline; what is over has none, nor has what only an engineer asked for."""
    if recovery.ended is not None or recovery.interruption.is_manual:
        return "-"
    left_s = int((recovery.deadline - now).total_seconds())
    return f"{left_s // 60:02d}:{left_s % 60:02d}" if left_s >= 0 else "late"


def _tmux_line(snapshot: "StatusSnapshot") -> str:
    """Names are text from outside, and tmux takes `#` as the begin of a format."""
    from spottui.domain.text import plain

    running = [recovery for recovery in snapshot.recoveries if recovery.ended is None]
    mark = {"auto": "A", "confirm": "", "unwatched": "OFF "}[snapshot.mode]
    if not running:
        return f"spottui {mark}ok" if snapshot.mode != "unwatched" else "spottui OFF"
    first = running[0]
    name = plain(first.name or first.instance_id, 16).replace("#", "")
    return f"spottui {mark}{len(running)}! {_left(first, snapshot.at)} {name} {first.state.value}"
