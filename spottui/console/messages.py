"""What workers, driver and screens post to the app, or to the screen that asked: all that crosses between threads."""

from collections.abc import Mapping
from dataclasses import dataclass

from textual.message import Message

from spottui.console.text.titles import Headlines
from spottui.domain.instance import Instance
from spottui.domain.plan import Plan
from spottui.domain.view import DeskView
from spottui.tables.column import Cell
from spottui.tables.diff import Diff


@dataclass(eq=False)
class ViewArrived(Message):
    """The desk has a new view; each diff is against the view before, so every one has to be applied.

    `instances_by_key` are the view's instances by the key of their row, `names` the names by instance id.
    """

    view: DeskView
    headlines: Headlines
    instances_by_key: Mapping[Cell, Instance]
    names: Mapping[str, str]
    instances: Diff
    events: Diff
    recoveries: Diff


@dataclass(eq=False)
class CommandEntered(Message):
    """A command of `:`; `text` is as it was typed."""

    text: str


@dataclass(eq=False)
class DeskFailed(Message):
    """The desk could not be opened, or has ended; `text` is for people."""

    text: str


@dataclass(eq=False)
class DeskMisconfigured(Message):
    """No desk can be opened with this configuration; `text` is for people."""

    text: str


@dataclass(eq=False)
class DeskTroubled(Message):
    """The desk could not be read and is read again after `retry_s` seconds; `text` is for people."""

    text: str
    retry_s: float


@dataclass(eq=False)
class TerminalLost(Message):
    """Keys can no longer be read, or nothing can be shown; `cause` is the error."""

    cause: str


@dataclass(eq=False)
class Answered(Message):
    """What the desk answered to a question; `problem` says why there is no answer, and is empty if there is one."""

    answer: object
    problem: str = ""


@dataclass(eq=False)
class PlanReady(Message):
    """The plan that was asked for."""

    plan: Plan


@dataclass(eq=False)
class PlanRefused(Message):
    """There is no plan; `text` says why. With `later` it is being made and worth asking for again."""

    text: str
    later: bool = False


@dataclass(eq=False)
class CommandDone(Message):
    """The desk carried a command out, or refused it; `text` is for people."""

    text: str
    refused: bool = False


class MarksUsed(Message):
    """What was wanted for the marked rows is done: the next key is for the row under the cursor again."""


class DeskClosed(Message):
    """The desk is closed: the program can end."""


class LeaveWanted(Message):
    """The person wants to leave, and was asked if that needed asking."""
