"""Launches from a template: each has its token on disk before its call, and is open until its outcome is known."""

from collections.abc import Callable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from spottui.domain.settings import LaunchTemplate
from spottui.journal import schema
from spottui.journal.encoding import decode, encode, moment, stamp
from spottui.journal.store import JournalProblem, Store
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Writer

PATIENCE_S = 30.0


class Launch(msgspec.Struct, frozen=True):
    """One requested launch; a repetition sends exactly this again."""

    token: str
    name: str
    count: int
    template: LaunchTemplate
    at: datetime


class Launches:
    """Reads and writes launches."""

    def __init__(self, store: Store, writer: Writer | None) -> None:
        self._store = store
        self._writer = writer

    def begin(self, launch: Launch) -> None:
        """Commit that a launch is about to be requested."""
        row = {"token": launch.token, "template": launch.name, "count": launch.count, "at": stamp(launch.at)}

        def write(transaction: Transaction) -> None:
            transaction.connection.execute(schema.launch.insert().values(data=encode(launch.template), **row))

        self._commit(write)

    def end(self, launch: Launch, result: str, now: datetime) -> None:
        """Commit the outcome: the instances' ids, or the refusal."""
        table = schema.launch
        ended = table.update().where(table.c.token == launch.token).values(ended=stamp(now), result=result)

        def write(transaction: Transaction) -> None:
            transaction.connection.execute(ended)

        self._commit(write)

    def _commit(self, write: Callable[[Transaction], None]) -> None:
        assert self._writer is not None
        future = self._writer.submit(write)
        try:
            future.result(PATIENCE_S)
        except TimeoutError:
            future.given_up = True
            cause = self._writer.problem or f"no commit within {PATIENCE_S:.0f} s"
            raise JournalProblem(
                f"the journal cannot be written: {cause}. Run the same command again: its token is kept."
            ) from None

    def open(self, name: str) -> Launch | None:
        """Return the newest launch of a template with an unknown outcome."""
        table = schema.launch
        query = (
            sa.select(table)
            .where(table.c.template == name, table.c.ended.is_(None))
            .order_by(table.c.at.desc())
            .limit(1)
        )
        with self._store.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        template = decode(row["data"], LaunchTemplate)
        return Launch(row["token"], row["template"], row["count"], template, moment(row["at"]))
