"""Listens to a queue for this instance's notice, in a thread of its own: a call to a queue may take many seconds."""

import threading
from collections.abc import Callable
from typing import Protocol

from spottui.cloud.errors import CloudError
from spottui.cloud.metadata import MetadataProblem
from spottui.domain.interruption import Notice

LAST_S = 2.0


class Notices(Protocol):
    """Where notices of this instance come from; every method but `stop` raises `CloudError`."""

    def poll(self) -> Notice | None:
        """Wait a while for a notice."""
        ...

    def done(self) -> None:
        """Forget what was returned: it has been answered."""
        ...

    def stop(self) -> None:
        """End a look under way at once, from any thread."""
        ...


class Listener:
    """Waits for a notice and holds it until it is answered, then for the next; a problem is said once and tried again.

    `open_notices` is called in the thread, so that what it imports and asks keeps no workload waiting.
    """

    def __init__(self, open_notices: Callable[[], Notices], say: Callable[[str], None], retry_s: float) -> None:
        self._open = open_notices
        self._say = say
        self._retry_s = retry_s
        self._notices: Notices | None = None
        self._problem = ""
        self._heard: Notice | None = None
        self._is_last = False
        self._is_answering = False
        self._answered = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self._thread.start()

    @property
    def heard(self) -> Notice | None:
        """The notice that has come and was not answered."""
        return self._heard

    def answer(self) -> None:
        """Let the notice that was heard be deleted from its queue, and listen on."""
        self._is_answering = True
        self._heard = None
        self._answered.set()

    def answer_last(self) -> None:
        """Let the notice be deleted, whether it was heard or is still on its way: the workload ends for it."""
        self._is_last = True
        self._is_answering = self._heard is not None
        self._answered.set()

    def stop(self) -> None:
        """End within two seconds; a notice that was answered is deleted before, another one is left where it is."""
        self._stopped.set()
        self._answered.set()
        if self._notices and not self._is_answering:
            self._notices.stop()
        self._thread.join(LAST_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            if self._try(self._look):
                self._await_answer()

    def _await_answer(self) -> None:
        self._answered.wait()
        if not self._is_last:
            self._answered.clear()
        if self._is_last or self._heard is None:
            self._try(self._done)
            self._is_answering = False

    def _look(self) -> bool:
        self._notices = self._notices or self._open()
        notice = self._notices.poll()
        self._heard = notice
        return notice is not None

    def _done(self) -> bool:
        if self._notices:
            self._notices.done()
        return True

    def _try(self, what: Callable[[], bool]) -> bool:
        try:
            succeeded = what()
            self._problem = ""
            return succeeded
        except (CloudError, MetadataProblem) as problem:
            self._report(f"queue: {problem}")
            self._stopped.wait(self._retry_s)
            return False

    def _report(self, problem: str) -> None:
        if problem != self._problem and not self._stopped.is_set():
            self._say(problem)
        self._problem = problem
