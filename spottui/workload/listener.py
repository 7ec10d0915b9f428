"""Listens to a queue for this instance's notice, in a thread of its own: a call to a queue may take many seconds."""

import threading
from collections.abc import Callable
from typing import Protocol

from spottui.cloud.errors import CloudError
from spottui.cloud.metadata import MetadataProblem
from spottui.domain.notice import Notice

LAST_S = 2.0


class Notices(Protocol):
    """Where notices of this instance come from; every method but `stop` raises `CloudError`."""

    def look(self) -> Notice | None:
        """Wait a while for a notice."""
        ...

    def done(self) -> None:
        """Forget what was returned: it has been acted on."""
        ...

    def stop(self) -> None:
        """End a look under way at once, from any thread."""
        ...


class Listener:
    """Waits for one notice and holds it; what goes wrong is said once and tried again.

    `open_notices` is called in the thread, so that what it imports and asks keeps no workload waiting.
    """

    def __init__(self, open_notices: Callable[[], Notices], say: Callable[[str], None], retry_s: float) -> None:
        self._open = open_notices
        self._say = say
        self._retry_s = retry_s
        self._notices: Notices | None = None
        self._problem = ""
        self._heard: Notice | None = None
        self._is_acted_on = False
        self._answered = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self._thread.start()

    @property
    def heard(self) -> Notice | None:
        """The notice that has come."""
        return self._heard

    def acted(self) -> None:
        """Let the notice be deleted from its queue, whether it was heard or is still on its way."""
        self._is_acted_on = True
        self._answered.set()

    def stop(self) -> None:
        """End within two seconds; a notice that was acted on is deleted before, another one is left where it is."""
        self._stopped.set()
        self._answered.set()
        if self._notices and not (self._heard and self._is_acted_on):
            self._notices.stop()
        self._thread.join(LAST_S)

    def _run(self) -> None:
        while not self._stopped.is_set() and self._heard is None:
            self._try(self._look)
        self._answered.wait()
        if self._is_acted_on:
            self._try(self._done)

    def _look(self) -> None:
        self._notices = self._notices or self._open()
        self._heard = self._notices.look()

    def _done(self) -> None:
        if self._notices and self._heard:
            self._notices.done()

    def _try(self, what: Callable[[], None]) -> None:
        try:
            what()
            self._problem = ""
        except (CloudError, MetadataProblem) as problem:
            self._tell(f"queue: {problem}")
            self._stopped.wait(self._retry_s)

    def _tell(self, problem: str) -> None:
        if problem != self._problem and not self._stopped.is_set():
            self._say(problem)
        self._problem = problem
