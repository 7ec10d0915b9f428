"""`spottui drill --game-day SCENARIO`: a night on the simulated cloud with a score at the end."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Wrong
from spottui.cli.console import need_terminal
from spottui.cli.ending import Ending
from spottui.cli.own_cloud import own_directory, simulated_cloud, use_private_state

if TYPE_CHECKING:
    from spottui.domain.settings import Settings
    from spottui.domain.view import DeskView
    from spottui.journal.incidents import Incident

LONGEST_S = 600.0
"""Without a screen, a game day ends after this time even if recoveries still run."""
QUIET_S = 3.0
"""It is over when, after the first recovery, nothing has been in progress for this long."""


def play(scenario: str, *, headless: bool) -> int:
    """Play one scenario: with the console for a person, or without a screen and with auto-mode; print the score."""
    from spottui.sim.scenario import names

    if scenario not in names():
        raise Wrong(f'no scenario "{scenario}"; `spottui sim --list-scenarios` lists them.')
    if not headless:
        need_terminal()
    from msgspec.structs import replace

    from spottui.config import load

    with Ending(terminal=not headless) as ending, own_directory("game-day", ending) as directory:
        use_private_state(directory)
        with simulated_cloud(directory, scenario, ending) as config:
            settings = replace(load(config), profile="game-day")
            code = _run(settings, config, ending, headless=headless)
        show_score(settings, headless=headless)
    return code


def _run(settings: "Settings", config: Path, ending: Ending, *, headless: bool) -> int:
    if headless:
        from spottui.cli.headless import run_headless

        return run_headless(settings, ending, auto=True, read_only=False, until=_Night().is_over)
    from spottui.cli.console import run_console

    return run_console(settings, config, ending, auto=False, read_only=False)


class _Night:
    """Remembers since when nothing has been in progress."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._quiet_since: datetime | None = None

    def is_over(self, view: "DeskView") -> bool:
        """Whether something happened and all of it has ended for a while, or the night is too long."""
        self._began = self._began or view.at
        running = any(not recovery.state.is_final for recovery in view.recoveries)
        if running or not view.recoveries:
            self._quiet_since = None
            return (view.at - self._began).total_seconds() > LONGEST_S
        self._quiet_since = self._quiet_since or view.at
        return (view.at - self._quiet_since).total_seconds() > QUIET_S


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one incident; times in seconds, None if it did not get that far."""

    name: str
    state: str
    confirm_s: float | None
    recovery_s: float | None
    data_age_s: float | None
    duplicates: int


def score_of(incident: "Incident") -> Score:
    """Return the score of one incident."""
    from spottui.domain.facts import Decided
    from spottui.domain.recovery import Decision

    reclaim, recovery, outcome = incident.interruption, incident.recovery, incident.past.outcome
    confirmed = (
        logged.at
        for logged in incident.log
        if isinstance(logged.fact, Decided) and logged.fact.decision is Decision.CONFIRM
    )
    first = next(confirmed, None)
    return Score(
        name=recovery.name or recovery.instance_id,
        state=recovery.state.value,
        confirm_s=round((first - reclaim.first_seen).total_seconds(), 1) if first else None,
        recovery_s=outcome.recovery_s,
        data_age_s=outcome.data_age_s,
        duplicates=reclaim.duplicates,
    )


def show_score(settings: "Settings", *, headless: bool) -> None:
    """Print the score of every incident of the journal; without a screen, also as a JSON line before it."""
    from spottui.cli.records import line
    from spottui.domain.text import plain
    from spottui.journal import Journal
    from spottui.journal.incidents import incident

    journal = Journal(settings.journal, read_only=True)
    ids = [recovery.recovery_id for recovery in journal.recoveries.all()]
    scores = [score_of(found) for found in (incident(journal, recovery_id) for recovery_id in ids) if found]
    journal.close()
    if headless:
        click.echo(line(datetime.now(UTC), "score", {"scores": [asdict(score) for score in scores]}))
    click.echo(f"\n{'name':<16}{'state':<13}{'confirm s':>10}{'recover s':>11}{'data age s':>12}{'duplicates':>12}")
    for score in scores:
        times = f"{_cell(score.confirm_s):>10}{_cell(score.recovery_s):>11}{_cell(score.data_age_s):>12}"
        click.echo(f"{plain(score.name, 15):<16}{score.state:<13}{times}{score.duplicates:>12}")
    recovered = sum(score.state == "recovered" for score in scores)
    click.echo(
        f"{recovered} of {len(scores)} recovered, {sum(score.duplicates for score in scores)} duplicates suppressed"
    )


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
