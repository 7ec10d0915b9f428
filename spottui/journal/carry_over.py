"""A journal of version 1 or 2 becomes one of version 3, in place and as one transaction, after a copy beside it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa

from spottui.domain.facts import CarriedOver, EarlierLine, Fact, Logged, Released
from spottui.domain.fold import apply
from spottui.journal import schema
from spottui.journal.earlier import recovery_of
from spottui.journal.encoding import fact_row, moment
from spottui.journal.process_locks import is_locked
from spottui.journal.recoveries import snapshot_row
from spottui.journal.store import JournalProblem, SqliteStore

CLAIMS = "spottui-executors"
"""Where earlier versions kept the lock files of the consoles of all journals of a directory."""
FEED_CARRIED = 10_000
"""How many of the newest lines about no recovery are carried over."""
_WRITTEN_AT_ONCE = 500

_KEPT = ("spottui_meta", "fleet", "image_timing", "cool_down", "watermark", "launch")
"""The tables that have not changed."""
_RENAMED = ("recovery", "plan")
_NEW_SINCE_1 = (
    "CREATE TABLE plan (recovery_id TEXT PRIMARY KEY, plan TEXT NOT NULL)",
    "CREATE TABLE release (region TEXT, instance_id TEXT, at FLOAT)",
    "CREATE TABLE auto_answer (recovery_id TEXT, run INTEGER, answer TEXT, why TEXT, at FLOAT, added_cost FLOAT, "
    "veto_until FLOAT, ended_at FLOAT)",
    "ALTER TABLE image_timing ADD COLUMN category TEXT NOT NULL DEFAULT ''",
    "INSERT INTO plan (recovery_id, plan) SELECT id, json_set(plan, '$.routes', json_array(json_extract(plan, "
    "'$.route'))) FROM recovery WHERE plan IS NOT NULL",
)
"""What a journal of version 1 lacks."""

# The begin of a call is no longer a step of its own, and a sign is in the feed; everything else of the audit was in the
# feed, too, at the same time.
_AUDIT = """
SELECT at, 0 AS rank, seq, recovery_id, region, instance_id, phase AS kind, action, detail AS text, request_id
FROM audit JOIN interruption ON interruption.id = recovery_id WHERE phase NOT IN ('intent', 'evidence')
"""
_FEED = """
SELECT at, 1, seq, recovery_id, region, instance_id, 'line', kind, text, request_id FROM event WHERE NOT EXISTS (
    SELECT 1 FROM audit WHERE audit.recovery_id = event.recovery_id AND audit.at = event.at
    AND phase NOT IN ('intent', 'evidence')
) AND (recovery_id <> '' OR seq > (SELECT max(seq) FROM event) - :lines)
"""
_RECOVERIES = """
SELECT max(epoch, coalesce(last_in_audit, 0), coalesce(last_in_feed, 0)), 2, 0, id, region, instance_id,
    'recovery', '', '', '' FROM interruption
LEFT JOIN (SELECT recovery_id AS of, max(at) AS last_in_audit FROM audit GROUP BY 1) AS a ON a.of = id
LEFT JOIN (SELECT recovery_id AS of, max(at) AS last_in_feed FROM event GROUP BY 1) AS e ON e.of = id
"""
_RELEASES = """
SELECT at, 3, 0, '', region, instance_id, 'release', '', '', '' FROM release WHERE NOT EXISTS (
    SELECT 1 FROM interruption WHERE interruption.region = release.region
    AND interruption.instance_id = release.instance_id
)
"""
_ALL = sa.text(f"{_AUDIT} UNION ALL {_FEED} UNION ALL {_RECOVERIES} UNION ALL {_RELEASES} ORDER BY 1, 2, 3")


def carry_over(path: Path) -> None:
    """Carry a journal over, unless somebody has; a copy of the old one stays next to it.

    Raises `JournalProblem` while a console of the earlier version has it open; then nothing is changed.
    """
    store = SqliteStore(path, read_only=False)
    try:
        with store.write() as connection:
            version = int(connection.exec_driver_sql(_VERSION).scalar_one())
            if version >= schema.SCHEMA_VERSION:
                return
            _refuse_if_held(path)
            _keep_copy(path, version)
            _carry(connection, version)
    finally:
        store.close()
    # The space is free within the file all the same: a reader can prevent its return to the disk.
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as database:
        database.execute("VACUUM")


_VERSION = "SELECT value FROM spottui_meta WHERE key = 'schema'"


def _refuse_if_held(path: Path) -> None:
    for claim in sorted((path.parent / CLAIMS).glob("*")):
        pid = claim.name.split("-")[-2:-1]
        if is_locked(claim) and _has_open(pid[0] if pid else "", path):
            raise JournalProblem(
                f"journal {path}: a console of an earlier spottui (pid {pid[0] if pid else '?'}) is using it. End "
                "that console, then start this one again: it upgrades the journal and resumes its recoveries."
            )


def _has_open(pid: str, path: Path) -> bool:
    """Several journals share one directory; a process that cannot be inspected counts as a user of this one."""
    try:
        return str(path.resolve()) in {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return True


def _keep_copy(path: Path, version: int) -> None:
    """The copy gets its name only when it is complete: after a kill the upgrade begins again."""
    kept = path.with_name(f"{path.name}.version-{version}")
    part = kept.with_name(f"{kept.name}.part")
    part.unlink(missing_ok=True)
    _copy(path, part)
    part.replace(kept)


def _copy(path: Path, to: Path) -> None:
    """Copy a journal even while it is written; only the owner can read the copy."""
    to.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def _carry(connection: sa.Connection, version: int) -> None:
    if version == 1:
        for statement in _NEW_SINCE_1:
            connection.exec_driver_sql(statement)
    old = [name for name in sa.inspect(connection).get_table_names() if name not in _KEPT]
    for table in _RENAMED:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO earlier_{table}")
    for table in ("delivery", "arming"):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    schema.metadata.create_all(connection)
    connection.exec_driver_sql("INSERT INTO plan (recovery_id, data) SELECT recovery_id, plan FROM earlier_plan")
    last = _write_facts(connection)
    connection.execute(schema.log_head.insert().values(id=1, seq=last))
    for table in old:
        if table not in ("delivery", "arming"):
            gone = f"earlier_{table}" if table in _RENAMED else table
            connection.exec_driver_sql(f'DROP TABLE "{gone}"')
    connection.execute(schema.meta.update().values(value=str(schema.SCHEMA_VERSION)))


def _write_facts(connection: sa.Connection) -> int:
    """Write all facts in chronological order, with the snapshots; return the last number."""
    waiting: list[dict[str, object]] = []
    seq = 0
    for logged in _facts(connection):
        seq = logged.seq
        waiting.append(fact_row(logged))
        if isinstance(logged.fact, CarriedOver):
            connection.execute(schema.recovery.insert(), snapshot_row(apply(None, logged)))
        if len(waiting) == _WRITTEN_AT_ONCE:
            connection.execute(schema.fact.insert(), waiting)
            waiting = []
    if waiting:
        connection.execute(schema.fact.insert(), waiting)
    return seq


def _facts(connection: sa.Connection) -> Iterator[Logged]:
    rows = connection.execute(_ALL, {"lines": FEED_CARRIED})
    for seq, row in enumerate(rows, 1):
        yield Logged(seq, moment(row.at), _fact(connection, row), row.region, row.instance_id, row.recovery_id)


def _fact(connection: sa.Connection, row: "sa.Row[tuple[object, ...]]") -> Fact:
    if row.kind == "recovery":
        return CarriedOver(recovery_of(connection, row.recovery_id))
    if row.kind == "release":
        return Released(moment(row.at))
    if row.kind == "line":
        return EarlierLine(row.action, row.text, row.request_id)
    if row.kind in ("decision", "state"):
        return EarlierLine(_event(row.kind, row.action, row.text), row.text)
    failed = row.kind in ("error", "unknown")
    return EarlierLine("CALL", f"{row.action} {row.text}".strip(), row.request_id, failed)


def _event(phase: str, action: str, text: str) -> str:
    if phase == "state":
        return "STATE"
    return "RETRIED" if action == "Retry" else _DECISIONS.get(text.partition(" ")[0], "DECIDED")


_DECISIONS = {"confirm": "CONFIRMED", "veto": "VETOED", "hold": "HELD", "cancel": "STOPPED"}
