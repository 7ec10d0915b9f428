"""The only owner of worker threads: it watches the desk, carries commands to it and posts messages back."""

import gc
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App
from textual.message_pump import MessagePump

from spottui.console.messages import CommandDone, DeskClosed, DeskFailed, PlanReady, PlanRefused, ViewArrived
from spottui.domain.refusal import Refused
from spottui.domain.view import DeskView
from spottui.tables.column import Rows
from spottui.tables.diff import diff
from spottui.tables.events import event_rows
from spottui.tables.instances import InstanceRows
from spottui.tables.recoveries import recovery_rows

if TYPE_CHECKING:
    from spottui.desk import Desk
    from spottui.domain.plan import Plan

_WAIT_S = 1.0
_SHORTEST_PAUSE_S = 0.25
_TAKEN_WITHIN_S = 5.0


class Feed:
    """Watches a desk for an app, in threads.

    At most four `ViewArrived` a second are posted and never a second one before the first was `taken`: what changes
    meanwhile is one change. Commands run in threads of their own; what they come to is posted, too.
    """

    def __init__(self, app: App[None], open_desk: "Callable[[], Desk]") -> None:
        self._app = app
        self._open_desk = open_desk
        self._desk: Desk | None = None
        self._stop = threading.Event()
        self._taken = threading.Event()
        self._closing = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether there is a desk to give commands to."""
        return self._desk is not None and not self._stop.is_set()

    def start(self) -> None:
        """Open the desk and watch it, in a thread."""
        self._run(self._watch, "watch")

    def taken(self) -> None:
        """Say that the last `ViewArrived` is on the screen."""
        self._taken.set()

    def stop(self) -> None:
        """End the watch soon; the desk is closed by whoever comes first, the watch or `close`."""
        self._stop.set()
        self._taken.set()

    def close(self) -> None:
        """Close the desk in a thread and post `DeskClosed`."""
        self.stop()
        self._run(self._close_and_tell, "close")

    def plan(self, recovery_id: str, asker: MessagePump) -> None:
        """Ask for the plan of a recovery; `asker` is sent `PlanReady` or `PlanRefused`."""
        self._run(lambda: self._bring_plan(lambda desk: desk.plan(recovery_id), asker), "plan")

    def plan_for(self, region: str, instance_id: str, asker: MessagePump) -> None:
        """Ask for a plan for an instance, which may call the cloud; `asker` is sent `PlanReady` or `PlanRefused`."""
        self._run(lambda: self._bring_plan(lambda desk: desk.plan_for(region, instance_id), asker), "plan")

    def command(self, call: "Callable[[Desk], object]", done: str) -> None:
        """Carry a command to the desk; `done` is what to tell the person when it was carried out."""
        self._run(lambda: self._carry(call, done), "command")

    def _run(self, work: Callable[[], None], name: str) -> None:
        self._app.run_worker(work, name=name, thread=True, exit_on_error=False)

    def _watch(self) -> None:
        try:
            self._desk = self._open_desk()
            gc.collect()
            gc.freeze()
            self._follow(self._desk)
        except Exception as error:
            if not self._stop.is_set():
                self._app.post_message(DeskFailed(str(error) or type(error).__name__))
        finally:
            if self._stop.is_set():
                self._close()

    def _follow(self, desk: "Desk") -> None:
        shown = Shown()
        view = desk.view()
        while not self._stop.is_set():
            if view.version != shown.version:
                self._taken.clear()
                self._app.post_message(shown.next(view))
                self._taken.wait(_TAKEN_WITHIN_S)
                self._stop.wait(_SHORTEST_PAUSE_S)
            view = desk.wait(view.version, _WAIT_S)

    def _bring_plan(self, call: "Callable[[Desk], Plan | None]", asker: MessagePump) -> None:
        if self._desk is None:
            return
        try:
            plan = call(self._desk)
        except Exception as error:
            asker.post_message(PlanRefused(_for_people(error)))
            return
        asker.post_message(PlanReady(plan) if plan else PlanRefused("The plan is still being made…", later=True))

    def _carry(self, call: "Callable[[Desk], object]", done: str) -> None:
        if self._desk is None:
            return
        try:
            call(self._desk)
        except Exception as error:
            self._app.post_message(CommandDone(_for_people(error), refused=True))
        else:
            self._app.post_message(CommandDone(done))

    def _close_and_tell(self) -> None:
        try:
            self._close()
        finally:
            self._app.post_message(DeskClosed())

    def _close(self) -> None:
        with self._closing:
            desk, self._desk = self._desk, None
            if desk is not None:
                desk.close()


class Shown:
    """The rows that the screen has, from which the next diff is made."""

    def __init__(self) -> None:
        self.version = -1
        self._instance_rows = InstanceRows()
        self._instances: Rows = {}
        self._events: Rows = {}
        self._recoveries: Rows = {}

    def next(self, view: DeskView) -> ViewArrived:
        """Return the message that brings the screen from what it has to a view."""
        instances = self._instance_rows.rows(view)
        events = event_rows(view, self._events)
        recoveries = recovery_rows(view)
        message = ViewArrived(
            view,
            diff(self._instances, instances),
            diff(self._events, events),
            diff(self._recoveries, recoveries),
        )
        self.version = view.version
        self._instances, self._events, self._recoveries = instances, events, recoveries
        return message


def _for_people(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error)
    return f"That failed inside spottui ({type(error).__name__}). Look at the recovery before you try again."
