"""The journal as one thing: its file and the nouns that are kept in it."""

from pathlib import Path

from spottui.journal.audit import Audit
from spottui.journal.cool_downs import CoolDowns
from spottui.journal.database import Database
from spottui.journal.events import Events
from spottui.journal.fleet import Fleet
from spottui.journal.guard import GuardBook
from spottui.journal.history import History
from spottui.journal.image_timings import ImageTimings
from spottui.journal.interruptions import Interruptions
from spottui.journal.outbox import Outbox
from spottui.journal.outlooks import Outlooks
from spottui.journal.recoveries import Recoveries
from spottui.journal.watermarks import Watermarks


class Journal:
    """Opens the journal at a path, making it when it is new. Thread-safe; raises `JournalProblem` for people."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.interruptions = Interruptions(self.database)
        self.recoveries = Recoveries(self.database)
        self.events = Events(self.database)
        self.audit = Audit(self.database)
        self.fleet = Fleet(self.database)
        self.image_timings = ImageTimings(self.database)
        self.guard = GuardBook(self.database)
        self.outbox = Outbox(self.database)
        self.outlooks = Outlooks(self.database)
        self.cool_downs = CoolDowns(self.database)
        self.history = History(self.database)
        self.watermarks = Watermarks(self.database)

    def close(self) -> None:
        """Close the file."""
        self.database.close()
