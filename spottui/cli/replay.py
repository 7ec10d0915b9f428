"""`spottui replay`: an incident of the journal once more, line by line, at any speed."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spottui.cli.opening import Failed, with_settings

if TYPE_CHECKING:
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui replay web-3                 as it was
  spottui replay i-bp1abcdef --speed 10
"""


@click.command(epilog=_EXAMPLES)
@with_settings
@click.argument("incident")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 100_000),
    default=1.0,
    show_default=True,
    help="Seconds of then in one of now.",
)
def replay(settings: "Settings", incident: str, speed: float) -> None:
    """Show INCIDENT (a recovery's id, an instance's id or its name) again as it happened, from the journal."""
    from spottui.cli.post_mortem import timeline
    from spottui.journal import Journal
    from spottui.journal.incidents import incident as find

    journal = Journal(Path(settings.journal))
    found = find(journal, incident)
    journal.close()
    if found is None:
        raise Failed(f"{incident} is in no incident of {settings.journal}. `spottui report --since 30d` lists them.")
    began = found.interruption.first_seen
    shown_s = 0.0
    for moment in timeline(found):
        at_s = max((moment.at - began).total_seconds(), 0.0)
        time.sleep(max(at_s - shown_s, 0.0) / speed)
        shown_s = at_s
        left_s = (found.interruption.deadline - moment.at).total_seconds()
        click.echo(f"{moment.at:%H:%M:%S} {at_s:7.1f} s  left {left_s:6.0f} s  {moment.what:<13} {moment.text}")
