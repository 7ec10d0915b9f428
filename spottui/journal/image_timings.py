"""How long this account's images took, for the forecast of the next one."""

import time
from datetime import datetime
from statistics import median

import sqlalchemy as sa

from spottui.domain.forecast import ImageTiming
from spottui.journal import schema
from spottui.journal.encoding import stamp
from spottui.journal.store import JournalAway, Store, upsert
from spottui.journal.transaction import Transaction
from spottui.journal.writer import Urgency, Writer

_REMEMBERED = 50
READ_AGAIN_S = 30.0
"""Every forecast reads the timings, and images take minutes."""


class ImageTimings:
    """Remembers images that became usable."""

    def __init__(self, store: Store, writer: Writer | None) -> None:
        self._store = store
        self._writer = writer
        self._read: dict[str, tuple[float, ImageTiming]] = {}

    def add(self, image_id: str, category: str, gib: int, seconds: float, now: datetime) -> None:
        """Write what one image of disks of a category took, soon."""
        row = {"image_id": image_id, "at": stamp(now), "category": category, "gib": gib, "seconds": seconds}

        def write(transaction: Transaction) -> None:
            upsert(transaction.connection, schema.image_timing, [row])
            self._read.clear()

        if self._writer:
            self._writer.submit(write, Urgency.EYES)

    def timing(self, category: str) -> ImageTiming:
        """Return the median seconds per GiB of the newest 50 images over the fixed part.

        Of disks of this category if there were any, else of any category, else the default. What another process has
        added shows within `READ_AGAIN_S`.
        """
        read = self._read.get(category)
        if read is None or time.monotonic() - read[0] > READ_AGAIN_S:
            try:
                read = self._read[category] = (time.monotonic(), self._timing(category))
            except JournalAway:
                if read is None:
                    raise
        return read[1]

    def _timing(self, category: str) -> ImageTiming:
        table = schema.image_timing
        query = sa.select(table.c.gib, table.c.seconds).order_by(table.c.at.desc()).limit(_REMEMBERED)
        with self._store.read() as connection:
            rows = connection.execute(query.where(table.c.category == category)).all()
            rows = rows or connection.execute(query).all()
        default = ImageTiming()
        base_s = min((row.seconds for row in rows), default=default.base_s) / 2
        rates = [max(row.seconds - base_s, 0.0) / row.gib for row in rows if row.gib]
        return ImageTiming(base_s, median(rates)) if rates else default
