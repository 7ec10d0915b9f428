"""The only owner of worker threads: it watches the desk, sends commands to it and posts messages back."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App
from textual.message_pump import MessagePump

from spottui.console.messages import (
    Answered,
    CommandDone,
    DeskClosed,
    DeskFailed,
    DeskMisconfigured,
    DeskTroubled,
    PlanReady,
    PlanRefused,
    ViewArrived,
)
from spottui.console.text.titles import Headlines
from spottui.domain.facts import Logged
from spottui.domain.instance import Instance
from spottui.domain.recovery import Recovery
from spottui.domain.refusal import Ended, Misconfigured, Refused, Unavailable
from spottui.domain.view import DeskView, narrowed
from spottui.tables.column import Rows
from spottui.tables.diff import diff
from spottui.tables.events import event_rows, names_of
from spottui.tables.instances import InstanceRows
from spottui.tables.recoveries import recovery_rows

if TYPE_CHECKING:
    from spottui.console.desk import Desk
    from spottui.domain.plan import Plan

log = logging.getLogger("spottui.console")

_WAIT_S = 1.0
_SHORTEST_PAUSE_S = 0.25
_SHOWN_WITHIN_S = 5.0
_LONGEST_RETRY_S = 5.0
_REOPEN_S = 3.0


class DeskWorker:
    """Watches a desk for an app, in threads.

    At most four `ViewArrived` a second are posted, and none before the last one is on the screen: what changes
    meanwhile is one change. Commands run in threads of their own; their results are posted, too. A desk that cannot be
    read, for instance because its journal is locked, is read again until it can. With an `account` the views hold only
    what is of that one.
    """

    def __init__(self, app: App[None], open_desk: "Callable[[], Desk]", account: str = "") -> None:
        self._app = app
        self._account = account
        self._rows = ShownRows()
        self._posting = threading.Lock()
        self._open_desk = open_desk
        self._desk: Desk | None = None
        self._stop = threading.Event()
        self._shown = threading.Event()
        self._closing = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether the desk is open and takes commands."""
        return self._desk is not None and not self._stop.is_set()

    def start(self) -> None:
        """Open the desk and watch it, in a thread."""
        self._run(self._watch, "watch")

    def view_shown(self) -> None:
        """Let the next view come: the last `ViewArrived` is on the screen."""
        self._shown.set()

    def show_starting(self, view: DeskView) -> None:
        """Show what is known while the desk still opens; to be called by `open_desk`."""
        self._post(self._rows, view)

    def narrow(self, account: str) -> None:
        """Show one account from now on, or all of them for an empty name."""
        self._account = account
        self._run(self._show_again, "narrow")

    def stop(self) -> None:
        """Stop watching soon; the watching thread or `close`, whichever is first, closes the desk."""
        self._stop.set()
        self._shown.set()

    def close(self) -> None:
        """Close the desk in a thread and post `DeskClosed`."""
        self.stop()
        self._run(self._close_and_report, "close")

    def plan(self, recovery_id: str, asker: MessagePump) -> None:
        """Ask for the plan of a recovery; `asker` is sent `PlanReady` or `PlanRefused`."""
        self._run(lambda: self._bring_plan(lambda desk: desk.plan(recovery_id), asker), "plan")

    def plan_for(self, region: str, instance_id: str, asker: MessagePump, *, to_spot: bool) -> None:
        """Ask for a plan for an instance, which may call the cloud; `asker` is sent `PlanReady` or `PlanRefused`."""

        def call(desk: "Desk") -> "Plan":
            return desk.plan_for(region, instance_id, to_spot=to_spot)

        self._run(lambda: self._bring_plan(call, asker), "plan")

    def plan_again(self, recovery_id: str, asker: MessagePump) -> None:
        """Ask for the plan of a recovery that failed or was cancelled; `asker` is sent `PlanReady` or `PlanRefused`."""

        def call(desk: "Desk") -> "Plan":
            if plan := desk.plan(recovery_id):
                return plan
            raise Refused("It ended before a plan was made; r on its instance starts a new recovery.")

        self._run(lambda: self._bring_plan(call, asker), "plan")

    def ask(self, question: "Callable[[Desk], object]", asker: MessagePump) -> None:
        """Read something from the desk; `asker` is sent `Answered`."""
        self._run(lambda: self._bring(question, asker), "read")

    def command(self, call: "Callable[[Desk], object]", done: str) -> None:
        """Send a command to the desk; `done` is the notification of its success."""
        self._run(lambda: self._carry(call, done), "command")

    def write(self, work: "Callable[[Desk | None], str]") -> None:
        """Write a file in a thread; what `work` returns, or the text of its `Refused`, is notified."""
        self._run(lambda: self._write(work), "write")

    def _run(self, work: Callable[[], None], name: str) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:
                log.exception("the worker %s failed", name)
                self._app.post_message(CommandDone(_for_people(error), refused=True))

        self._app.run_worker(run, name=name, thread=True, exit_on_error=False)

    def _watch(self) -> None:
        try:
            self._desk = self._opened()
            if self._desk is not None:
                self._follow(self._desk)
        except Misconfigured as problem:
            log.error("the configuration does not fit: %s", problem)
            self._app.post_message(DeskMisconfigured(str(problem)))
        except Ended as ended:
            log.error("the desk has ended: %s", ended)
            self._app.post_message(DeskFailed(str(ended)))
            self._close()
        except Exception as error:
            if not self._stop.is_set():
                log.exception("the desk cannot be opened")
                self._app.post_message(DeskFailed(str(error) or type(error).__name__))
        finally:
            if self._stop.is_set():
                self._close()

    def _opened(self) -> "Desk | None":
        """Open the desk, however long its journal is away; None if stopped before."""
        while not self._stop.is_set():
            try:
                return self._open_desk()
            except Unavailable as away:
                log.warning("the desk cannot be opened yet: %s", away)
                self._app.post_message(DeskTroubled(str(away), _REOPEN_S))
                self._stop.wait(_REOPEN_S)
        return None

    def _follow(self, desk: "Desk") -> None:
        """Post every version until stopped; where the desk cannot be read, post that and try again."""
        shown, failures = self._rows, 0
        shown.version = shown.seen = -1
        while not self._stop.is_set():
            try:
                view = desk.view() if failures or shown.version < 0 else desk.wait(shown.seen, _WAIT_S)
                if view is not None:
                    self._show(shown, view, again=failures > 0)
                failures = 0
            except Ended:
                raise
            except Exception as error:
                failures += 1
                retry_s = min(0.5 * 2**failures, _LONGEST_RETRY_S)
                if failures == 1:
                    log.exception("the desk cannot be read")
                self._app.post_message(DeskTroubled(_cause(error), retry_s))
                self._stop.wait(retry_s)

    def _show(self, shown: "ShownRows", view: DeskView, *, again: bool) -> None:
        shown.seen = view.version
        if view.version == shown.version and not again:
            return
        self._post(shown, view)
        self._stop.wait(_SHORTEST_PAUSE_S)

    def _show_again(self) -> None:
        if self._rows.view is not None:
            self._post(self._rows, self._rows.view)

    def _post(self, shown: "ShownRows", view: DeskView) -> None:
        """Post a view, and wait until it is on the screen: each is a difference from the one before."""
        with self._posting:
            self._shown.clear()
            self._app.post_message(shown.next(view, self._account))
            self._shown.wait(_SHOWN_WITHIN_S)

    def _bring_plan(self, call: "Callable[[Desk], Plan | None]", asker: MessagePump) -> None:
        if self._desk is None:
            return
        try:
            plan = call(self._desk)
        except Exception as error:
            asker.post_message(PlanRefused(_for_people(error)))
            return
        asker.post_message(PlanReady(plan) if plan else PlanRefused("The plan is still being made…", later=True))

    def _bring(self, question: "Callable[[Desk], object]", asker: MessagePump) -> None:
        if self._desk is None:
            asker.post_message(Answered(None, "The console is still starting."))
            return
        try:
            asker.post_message(Answered(question(self._desk)))
        except Exception as error:
            if not isinstance(error, Refused):
                log.exception("the desk did not answer")
            asker.post_message(Answered(None, _cause(error)))

    def _carry(self, call: "Callable[[Desk], object]", done: str) -> None:
        if self._desk is None:
            return
        try:
            call(self._desk)
        except Exception as error:
            if not isinstance(error, Refused):
                log.exception("a command failed")
            self._app.post_message(CommandDone(_for_people(error), refused=True))
        else:
            self._app.post_message(CommandDone(done))

    def _write(self, work: "Callable[[Desk | None], str]") -> None:
        self._app.post_message(CommandDone(work(self._desk)))

    def _close_and_report(self) -> None:
        try:
            self._close()
        finally:
            self._app.post_message(DeskClosed())

    def _close(self) -> None:
        with self._closing:
            desk, self._desk = self._desk, None
            if desk is not None:
                desk.close()


class ShownRows:
    """The rows on the screen, against which the next diff is made; `seen` is the newest version that was read.

    `view` is the newest one that was shown, with all accounts in it.
    """

    def __init__(self) -> None:
        self.version = self.seen = -1
        self.view: DeskView | None = None
        self._instance_rows = InstanceRows()
        self._named_for: tuple[tuple[Instance, ...], tuple[Recovery, ...]] = ((), ())
        self._names: dict[str, str] = {}
        self._rows_of: tuple[tuple[Logged, ...], dict[str, str]] = ((), {})
        self._instances: Rows = {}
        self._events: Rows = {}
        self._recoveries: Rows = {}

    def next(self, whole: DeskView, account: str = "") -> ViewArrived:
        """Return the message that updates the screen to a view, narrowed to an account if one is given."""
        self.view, view = whole, narrowed(whole, account)
        instances = self._instance_rows.rows(view)
        if (view.instances, view.recoveries) != self._named_for:
            self._named_for, self._names = (view.instances, view.recoveries), names_of(view)
        if (view.events, self._names) != self._rows_of:
            self._rows_of = (view.events, self._names)
            events = event_rows(view, self._events, self._names)
        else:
            events = self._events
        recoveries = recovery_rows(view)
        message = ViewArrived(
            view,
            Headlines.of(view, whole),
            self._instance_rows.by_key,
            self._names,
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
    return f"Internal error in spottui ({type(error).__name__}). Check the recovery before you try again."


def _cause(error: Exception) -> str:
    """Return an error in one line; SQLAlchemy has the database's own error, without the statement, in `orig`."""
    if isinstance(error, Refused):
        return str(error)
    text = str(getattr(error, "orig", None) or error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
