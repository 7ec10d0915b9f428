"""`spottui report`: the post-mortem of one incident, statistics of many, or a shift hand-over."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Failed, Wrong, with_settings

if TYPE_CHECKING:
    from spottui.domain.settings import Settings

_EXAMPLES = """\b
Examples:
  spottui report i-bp1abcdef > post-mortem.md    its newest incident
  spottui report web-3 --json
  spottui report --since 30d
  spottui report --since 30d --csv > reclaims.csv
"""
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class Ago(click.ParamType[timedelta]):
    """A time before now, `30d`, `12h` or `90m`."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return how long ago it was."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d{1,5})([dhm])", str(value))
        if not found:
            self.fail(f"invalid duration {value!r}; use 30d, 12h, 90m", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.command(epilog=_EXAMPLES)
@with_settings
@click.argument("incident", default="")
@click.option("--since", type=Ago(), help="Print statistics of this period instead: 30d, 12h, 90m.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--csv", "as_csv", is_flag=True, help="With --since: print one CSV row per incident.")
def report(settings: "Settings", incident: str, since: timedelta | None, as_json: bool, as_csv: bool) -> None:
    """Print the post-mortem of INCIDENT (a recovery id, an instance id or a name), or statistics.

    Everything comes from the journal; no call is made to the cloud.
    """
    if bool(incident) == bool(since):
        raise Wrong("name one incident, or pass --since; `spottui report --since 30d` lists the incidents.")
    if as_csv and (as_json or incident):
        raise Wrong("--csv requires --since and excludes --json.")
    if since:
        _statistics(settings, datetime.now(UTC) - since, as_json=as_json, as_csv=as_csv)
    else:
        _post_mortem(settings, incident, as_json=as_json)


def _post_mortem(settings: "Settings", name: str, *, as_json: bool) -> None:
    from spottui.cli.post_mortem import as_markdown, as_record
    from spottui.journal import Journal
    from spottui.journal.incidents import incident

    journal = Journal(settings.journal, read_only=True)
    found = incident(journal, name)
    journal.close()
    if found is None:
        raise Failed(f"no incident of {name} in {settings.journal}. `spottui report --since 30d` lists the incidents.")
    prices = settings.storage_price
    click.echo(json.dumps(as_record(found, prices)) if as_json else as_markdown(found, prices))


def _statistics(settings: "Settings", since: datetime, *, as_json: bool, as_csv: bool) -> None:
    from spottui.cli.statistics import incident_rows, summary
    from spottui.journal import Journal

    journal = Journal(settings.journal, read_only=True)
    found = tuple(reversed(journal.history.since(since)))
    journal.close()
    rows = incident_rows(found)
    if as_csv:
        click.echo(_csv(rows), nl=False)
    elif as_json:
        click.echo(json.dumps({"since": since.isoformat(timespec="seconds"), **summary(rows), "incidents": rows}))
    else:
        for name, value in summary(rows).items():
            click.echo(f"{name.replace('_', ' '):<28}{_shown(value)}")
        for row in rows:
            click.echo(f"{row['notice']}  {row['instance_id']:<24}{row['state']:<12}{row['id']}")


def _shown(value: object) -> object:
    if isinstance(value, dict):
        return "; ".join(f"{count} {name}" for name, count in value.items()) or "-"
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
