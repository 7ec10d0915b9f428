"""`spottui replay`: plays a recorded incident again, in the console or line by line, at any speed."""

import sys
import time
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Failed, with_settings
from spottui.cli.console import show, terminal_problem
from spottui.cli.ending import Ending, leave

if TYPE_CHECKING:
    from spottui.domain.settings import Settings
    from spottui.journal import Journal
    from spottui.journal.incidents import Incident

_EXAMPLES = """\b
Examples:
  spottui replay web-3                 in the console
  spottui replay i-bp1abcdef --speed 10
  spottui replay web-3 --lines --speed 1000
"""


@click.command(epilog=_EXAMPLES)
@with_settings
@click.argument("incident")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 100_000),
    default=1.0,
    show_default=True,
    help="Playback speed; + and - change it in the console.",
)
@click.option(
    "--lines", is_flag=True, help="Print lines instead of opening the console; the default without a terminal."
)
def replay(settings: "Settings", incident: str, speed: float, lines: bool) -> None:
    """Replay INCIDENT (a recovery id, an instance id or a name) from the journal, as it happened.

    The console shows it read-only: space pauses, n skips to the next event. The journal is not changed.
    """
    from spottui.journal import Journal
    from spottui.journal.incidents import incident as find

    on_screen = not lines and sys.stdout.isatty() and not terminal_problem()
    with Ending(terminal=on_screen) as ending, Journal(settings.journal, read_only=True) as journal:
        recorded = find(journal, incident)
        if recorded is None:
            raise Failed(
                f"no incident of {incident} in {settings.journal}. `spottui report --since 30d` lists the incidents."
            )
        if not on_screen:
            _print(recorded, speed)
            return
        code = _show(settings, journal, recorded, speed, ending)
    leave(code)


def _show(settings: "Settings", journal: "Journal", recorded: "Incident", speed: float, ending: Ending) -> int:
    from spottui.cli.logfile import log_to
    from spottui.config import state_dir
    from spottui.console.app import SpottuiApp
    from spottui.domain.playback import Playback
    from spottui.replay import Replay, footage

    log_to(state_dir() / "spottui.log")
    film = footage(journal, recorded)
    playback = Playback(film.moments, speed)
    desk = Replay(settings, journal, film, playback)

    def open_desk() -> Replay:
        playback.start()
        return desk

    app = SpottuiApp(
        open_desk,
        clock=playback,
        who="replay",
        title="spottui",
        mouse=settings.console.mouse,
        keep_in=state_dir() / "console.json",
        playback=playback,
        hurry=ending.hurry,
    )
    return show(app, ending)


def _print(recorded: "Incident", speed: float) -> None:
    from spottui.cli.post_mortem import timeline

    began = recorded.interruption.first_seen
    shown_s = 0.0
    for moment in timeline(recorded):
        at_s = max((moment.at - began).total_seconds(), 0.0)
        time.sleep(max(at_s - shown_s, 0.0) / speed)
        shown_s = at_s
        left_s = (recorded.interruption.deadline - moment.at).total_seconds()
        click.echo(f"{moment.at:%H:%M:%S} {at_s:7.1f} s  left {left_s:6.0f} s  {moment.what:<13} {moment.text}")
