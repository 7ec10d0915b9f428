"""Launches from a template: each has its token on disk before its call, and is known to be open until it ended."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from spottui.domain.settings import LaunchTemplate
from spottui.journal import schema
from spottui.journal.database import Database
from spottui.journal.encoding import decode, encode, moment, stamp


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch as it was asked for; repeated, it is repeated with just this."""

    token: str
    name: str
    count: int
    template: LaunchTemplate
    at: datetime


class Launches:
    """Reads and writes launches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, launch: Launch) -> None:
        """Commit that a launch is about to be asked for."""
        with self._database.write() as connection:
            values = {"token": launch.token, "template": launch.name, "count": launch.count, "at": stamp(launch.at)}
            connection.execute(schema.launch.insert().values(data=encode(launch.template), **values))

    def end(self, launch: Launch, result: str, now: datetime) -> None:
        """Commit what came of it: the instances' ids, or the refusal."""
        table = schema.launch
        with self._database.write() as connection:
            connection.execute(
                table.update().where(table.c.token == launch.token).values(ended=stamp(now), result=result)
            )

    def open(self, name: str) -> Launch | None:
        """Return the newest launch of a template of which nobody knows what came of it."""
        table = schema.launch
        query = (
            sa.select(table)
            .where(table.c.template == name, table.c.ended.is_(None))
            .order_by(table.c.at.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        template = decode(row["data"], LaunchTemplate)
        return Launch(row["token"], row["template"], row["count"], template, moment(row["at"]))
