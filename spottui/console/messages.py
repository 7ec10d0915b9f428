"""What the workers and the screen tell the app: typed, immutable, and all that crosses from a thread."""

from collections.abc import Mapping

from textual.message import Message

from spottui.console.text.titles import Headlines
from spottui.domain.instance import Instance
from spottui.domain.plan import Plan
from spottui.domain.view import DeskView
from spottui.tables.column import Cell
from spottui.tables.diff import Diff


class ViewArrived(Message):
    """The desk shows something new; the diffs are against what came before, so each one has to be applied.

    `instances_by_key` are the view's instances by the key of their row, `names` the names by instance id.
    """

    def __init__(
        self,
        view: DeskView,
        headlines: Headlines,
        instances_by_key: Mapping[Cell, Instance],
        names: Mapping[str, str],
        instances: Diff,
        events: Diff,
        recoveries: Diff,
    ) -> None:
        super().__init__()
        self.view = view
        self.headlines = headlines
        self.instances_by_key = instances_by_key
        self.names = names
        self.instances = instances
        self.events = events
        self.recoveries = recoveries


class DeskFailed(Message):
    """The desk could not be opened, or fell over; the text is for people."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class DeskTroubled(Message):
    """The desk could not be read and is asked again after so many seconds; the text is for people."""

    def __init__(self, text: str, retry_s: float) -> None:
        super().__init__()
        self.text = text
        self.retry_s = retry_s


class TerminalLost(Message):
    """Keys are not heard any more, or nothing can be shown; `cause` is the error."""

    def __init__(self, cause: str) -> None:
        super().__init__()
        self.cause = cause


class Answered(Message):
    """What the desk answered to a question; `problem` says why there is no answer, and is empty when there is one."""

    def __init__(self, answer: object, problem: str = "") -> None:
        super().__init__()
        self.answer = answer
        self.problem = problem


class PlanReady(Message):
    """The plan that was asked for."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class PlanRefused(Message):
    """There is no plan; the text says why. With `later` it is being made and worth asking for again."""

    def __init__(self, text: str, *, later: bool = False) -> None:
        super().__init__()
        self.text = text
        self.later = later


class CommandDone(Message):
    """The desk carried a command out, or refused it; the text is for people."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__()
        self.text = text
        self.refused = refused


class DeskClosed(Message):
    """The desk is closed: the program can end."""


class LeaveWanted(Message):
    """The person wants to leave, and was asked if that needed asking."""
