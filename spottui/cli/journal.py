"""`spottui journal`: back up, check and repair the journal."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Failed, Wrong, agree, refuse_if_read_only, with_settings

if TYPE_CHECKING:
    from spottui.domain.settings import Settings
    from spottui.journal.process_locks import Liveness
    from spottui.journal.store import Store

_EXAMPLES = """\b
Examples:
  spottui journal backup /backup/journal-$(date +%F).db
  spottui journal check                exit 1 when something is wrong
  spottui journal rebuild --yes        with every console stopped
"""


@click.group(epilog=_EXAMPLES)
def journal() -> None:
    """Back up, check and repair the journal of the configuration."""


@journal.command()
@with_settings
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def backup(settings: "Settings", path: Path) -> None:
    """Copy the journal to PATH while consoles keep running.

    The copy is one consistent file, 0600, and is checked. An existing file is never replaced. A PostgreSQL journal is
    backed up with pg_dump.
    """
    from spottui.journal.backup import back_up

    if "://" in settings.journal:
        raise Wrong(f"the journal is a PostgreSQL database; use pg_dump --format=custom --file={path} ADDRESS.")
    size = back_up(Path(settings.journal), path)
    click.echo(f"{path}: {size / 1e6:.1f} MB, checked")


@journal.command()
@with_settings
@click.option("--json", "as_json", is_flag=True, help="One JSON object: {ok, problem, unlike_their_facts[]}.")
def check(settings: "Settings", as_json: bool) -> None:
    """Check the database, and every recovery against its facts.

    Exit 1 when the database is damaged or a recovery is not what its facts come to.
    """
    from spottui.journal.journal import opened
    from spottui.journal.snapshots import unlike_their_facts

    _refuse_if_missing(settings.journal)
    store, _ = opened(settings.journal, read_only=True, acts=False)
    with closing(store), _readable(store):
        problem, unlike = store.integrity(), []
        if not problem:
            with store.read() as connection:
                unlike = [recovery.recovery_id for recovery in unlike_their_facts(connection)]
    if as_json:
        said = {"ok": not (problem or unlike), "problem": problem or None, "unlike_their_facts": unlike}
        click.echo(json.dumps(said))
    else:
        click.echo(f"{store.address}: {problem or _verdict_of(unlike)}")
    click.get_current_context().exit(1 if problem or unlike else 0)


@journal.command()
@with_settings
@click.option("--yes", is_flag=True, help="Do not ask.")
def rebuild(settings: "Settings", yes: bool) -> None:
    """Rebuild recoveries from their facts.

    Refused while a console runs. Facts are never changed. Take a backup first.
    """
    from spottui.journal.journal import opened
    from spottui.journal.snapshots import rebuild as rebuild_snapshots

    _refuse_if_missing(settings.journal)
    refuse_if_read_only()
    store, consoles = opened(settings.journal, read_only=False, acts=False)
    with closing(store), closing(consoles), _readable(store):
        _refuse_if_watched(consoles)
        agree(f"Rebuild the snapshots of {store.address} from its facts?", yes=yes)
        with store.write() as connection:
            rebuilt = rebuild_snapshots(connection)
            # A console that started meanwhile has read the old snapshots.
            _refuse_if_watched(consoles)
    click.echo("\n".join([f"{store.address}: {len(rebuilt)} recoveries rebuilt", *rebuilt]))


def _verdict_of(unlike: list[str]) -> str:
    if not unlike:
        return "sound, every recovery matches its facts"
    head, fix = f"{len(unlike)} recoveries differ from their facts:", "fix: spottui journal rebuild"
    return "\n".join((head, *(f"  {recovery_id}" for recovery_id in unlike), f"{fix}, with every console stopped"))


@contextmanager
def _readable(store: "Store") -> Iterator[None]:
    """Report a damaged database, or unreadable facts, and exit with 1."""
    from msgspec import MsgspecError
    from sqlalchemy.exc import DatabaseError

    from spottui.journal.upgrade import unreadable

    try:
        yield
    except (DatabaseError, MsgspecError) as error:
        raise Failed(f"{unreadable(store, error)} Or restore a backup.") from None


def _refuse_if_missing(address: str) -> None:
    if "://" not in address and not Path(address).exists():
        raise Failed(f"{address} does not exist; the first console creates it.")


def _refuse_if_watched(consoles: "Liveness") -> None:
    running = ", ".join(f"{console.host} pid {console.pid}" for console in consoles.living())
    if running:
        raise Failed(f"a console of this journal runs ({running}); stop it, then rebuild.")
