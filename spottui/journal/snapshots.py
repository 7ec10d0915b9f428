"""Comparing the snapshots of recoveries with the fold of their facts."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from msgspec import MsgspecError

from spottui.domain import facts as f
from spottui.domain.facts import Logged
from spottui.domain.fold import fold
from spottui.domain.recovery import Recovery
from spottui.journal import schema
from spottui.journal.encoding import FACT_COLUMNS, as_logged, decode
from spottui.journal.recoveries import snapshot_row
from spottui.journal.store import upsert

_FACT, _SNAPSHOT = schema.fact.c, schema.recovery.c
_OF_RECOVERIES = sa.select(_FACT.recovery_id).where(_FACT.recovery_id != "").distinct().order_by(_FACT.recovery_id)


def unlike_their_facts(connection: sa.Connection) -> Iterator[Recovery]:
    """Yield each recovery as folded from its facts whose snapshot differs, is missing, or cannot be read.

    A recovery whose first facts were dropped is skipped: only its snapshot is left.
    """
    for recovery_id in connection.execute(_OF_RECOVERIES).scalars().all():
        of_it = sa.select(*FACT_COLUMNS).where(_FACT.recovery_id == recovery_id).order_by(_FACT.seq)
        made = _fold_if_whole([as_logged(row) for row in connection.execute(of_it)])
        kept = connection.execute(sa.select(_SNAPSHOT.data).where(_SNAPSHOT.id == recovery_id)).scalar()
        if made is not None and made != _read(kept):
            yield made


def rebuild(connection: sa.Connection) -> list[str]:
    """Rewrite every snapshot that differs from its facts, and return the ids of those recoveries."""
    wrong = list(unlike_their_facts(connection))
    upsert(connection, schema.recovery, [snapshot_row(recovery) for recovery in wrong])
    return [recovery.recovery_id for recovery in wrong]


def _read(text: str | None) -> Recovery | None:
    try:
        return None if text is None else decode(text, Recovery)
    except (MsgspecError, ValueError):
        return None


def _fold_if_whole(facts: Sequence[Logged]) -> Recovery | None:
    """An earlier version dropped the facts of an old recovery in parts, and may have left the last ones."""
    opening = next((logged.fact for logged in facts if not isinstance(logged.fact, f.EarlierLine)), None)
    is_whole = isinstance(opening, f.CarriedOver) or (isinstance(opening, f.SignSeen) and opening.epoch)
    return fold(facts) if is_whole else None
