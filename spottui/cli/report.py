"""`spottui report`: the post-mortem of one incident, statistics of many, or a shift hand-over."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Failed, Wrong, with_settings

if TYPE_CHECKING:
    from spottui.domain.settings import Settings
    from spottui.journal.incidents import Incident

_EXAMPLES = """\b
Examples:
  spottui report i-bp1abcdef > post-mortem.md    its newest incident
  spottui report web-3 --json
  spottui report web-3 --html post-mortem.html
  spottui report --shift 8h
  spottui report --since 30d
  spottui report --since 30d --csv > reclaims.csv
  spottui report --since 7d --terraform > state.sh
"""
_ADDED = "added_per_hour"
_LABELS = {
    "under_way": "in progress",
    "recovery_s_median": "recovery p50, s",
    "recovery_s_p90": "recovery p90, s",
    "recovery_s_max": "recovery max, s",
    "verdicts": "forecast vs outcome",
    "data_age_s_max": "data age max, s",
    "added_per_hour_known_of": "added per hour, known for",
    "kept_things": "retained resources",
    "kept_gib": "retained GiB",
}
"""What a figure is called for people, where its name in JSON does not say it."""
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class Ago(click.ParamType[timedelta]):
    """A time before now, `30d`, `12h` or `90m`."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the duration."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,5})([dhm])", str(value))
        if not match:
            self.fail(f"invalid duration {value!r}; use 30d, 12h, 90m", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


@click.command(epilog=_EXAMPLES)
@with_settings
@click.argument("incident", default="")
@click.option("--since", type=Ago(), help="Print statistics of this period instead: 30d, 12h, 90m.")
@click.option("--shift", type=Ago(), help="Print a hand-over of the last hours instead: 8h.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the post-mortem to this file as one self-contained page.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--csv", "as_csv", is_flag=True, help="With --since: print one CSV row per incident.")
@click.option(
    "--terraform",
    is_flag=True,
    help="Print shell commands that import the replacements into Terraform; alone, of all time.",
)
def report(
    settings: "Settings",
    incident: str,
    since: timedelta | None,
    shift: timedelta | None,
    page: Path | None,
    as_json: bool,
    as_csv: bool,
    terraform: bool,
) -> None:
    """Print the post-mortem of INCIDENT (a recovery id, an instance id or a name), statistics, or a hand-over.

    Everything comes from the journal; no call is made to the cloud.
    """
    if terraform:
        if as_json or as_csv or shift or page or (incident and since):
            raise Wrong("--terraform prints a shell script; combine it with an incident or --since, nothing else.")
        _terraform(settings, incident, since)
        return
    if sum(map(bool, (incident, since, shift))) != 1:
        raise Wrong("name one incident, or pass --since or --shift; `spottui report --since 30d` lists the incidents.")
    if page and (as_json or not incident):
        raise Wrong("--html requires an incident and excludes --json.")
    if as_csv and (as_json or not since):
        raise Wrong("--csv requires --since and excludes --json.")
    if since:
        _statistics(settings, datetime.now(UTC) - since, as_json=as_json, as_csv=as_csv)
    elif shift:
        _hand_over(settings, shift, as_json=as_json)
    elif page:
        _write_page(settings, _found(settings, incident), page)
    else:
        _post_mortem(settings, _found(settings, incident), as_json=as_json)


def _found(settings: "Settings", name: str) -> "Incident":
    from spottui.journal import Journal
    from spottui.journal.incidents import incident

    journal = Journal(settings.journal, read_only=True)
    reported = incident(journal, name)
    journal.close()
    if reported is None:
        raise Failed(f"no incident of {name} in {settings.journal}. `spottui report --since 30d` lists the incidents.")
    return reported


def _post_mortem(settings: "Settings", reported: "Incident", *, as_json: bool) -> None:
    from spottui.cli.post_mortem import as_markdown, as_record

    prices = settings.storage_price
    click.echo(json.dumps(as_record(reported, prices)) if as_json else as_markdown(reported, prices))


def _terraform(settings: "Settings", name: str, since: timedelta | None) -> None:
    from spottui.cli.terraform import Incident, commands
    from spottui.journal import Journal

    with Journal(settings.journal, read_only=True) as journal:
        if name:
            recoveries = [_found(settings, name).recovery]
        else:
            began = datetime.now(UTC) - since if since else datetime.fromtimestamp(0, UTC)
            recoveries = [past.recovery for past in journal.history.since(began)]
        lines = list(
            commands(Incident(recovery, journal.recoveries.plan(recovery.recovery_id)) for recovery in recoveries)
        )
    click.echo("\n".join(lines) or "# no instance was replaced")


def _write_page(settings: "Settings", reported: "Incident", path: Path) -> None:
    from spottui.cli.post_mortem_page import as_page

    path.write_text(as_page(reported, settings.storage_price), "utf-8")
    click.echo(f"written: {path}")


def _hand_over(settings: "Settings", shift: timedelta, *, as_json: bool) -> None:
    from spottui.cli.hand_over import as_record, as_text, hand_over
    from spottui.journal import Journal

    now = datetime.now(UTC)
    with Journal(settings.journal, read_only=True) as journal:
        handed = hand_over(journal, now - shift, now)
    click.echo(json.dumps(as_record(handed)) if as_json else as_text(handed))


def _statistics(settings: "Settings", since: datetime, *, as_json: bool, as_csv: bool) -> None:
    from spottui.cli.statistics import currency_of, incident_rows, savings_record, summary
    from spottui.journal import Journal
    from spottui.journal.savings import savings_since
    from spottui.words import saved

    with Journal(settings.journal, read_only=True) as journal:
        pasts = journal.history.since(since)
        rows = incident_rows(reversed(pasts))
        savings = savings_since(journal, since, datetime.now(UTC))
    if as_csv:
        click.echo(_csv(rows), nl=False)
    elif as_json:
        record = {"since": since.isoformat(timespec="seconds"), **summary(rows), "savings": savings_record(savings)}
        click.echo(json.dumps({**record, "incidents": rows}))
    else:
        for name, value in {**summary(rows), "saved_against_on-demand": saved(savings)}.items():
            click.echo(f"{_LABELS.get(name, name.replace('_', ' ')):<28}{_shown(name, value, currency_of(pasts))}")
        for row in rows:
            click.echo(f"{row['notice']}  {row['instance_id']:<24}{row['state']:<12}{row['id']}")


def _shown(name: str, value: object, currency: str) -> object:
    from spottui.tables.prices import signed

    if isinstance(value, dict):
        return "; ".join(f"{count} {outcome}" for outcome, count in value.items()) or "-"
    if name == _ADDED and isinstance(value, float):
        return signed(value, currency)
    return "-" if value is None else value


def _csv(rows: list[dict[str, object]]) -> str:
    from spottui.cli.statistics import COLUMNS

    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """A name is text from outside: a spreadsheet must not take it for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
