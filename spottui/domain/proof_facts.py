"""The facts of probes and hooks. Part of the union in `domain/facts.py`."""

from spottui.domain.fact_base import FactBase
from spottui.domain.hook import HookEnd, HookEvent
from spottui.domain.probe import Missed
from spottui.domain.reasons import Failure


class Probed(FactBase, frozen=True, tag="probed"):
    """The probe `name` of the replacement passed after `seconds`, or is `missed` for a new reason.

    `target` is what was probed, empty for a command.
    """

    name: str
    target: str = ""
    seconds: float = 0.0
    missed: Missed | None = None


class HookBegun(FactBase, frozen=True, tag="hook begun"):
    """A console is about to run a hook; `token` is that of its RunCommand, empty for one on this machine.

    `number` is its index among the hooks of the event, `program` its name, without arguments.
    """

    on: HookEvent
    number: int
    console: str
    program: str = ""
    run: int = 0
    token: str = ""


class HookEnded(FactBase, frozen=True, tag="hook ended"):
    """The result of a hook; its `output` is untrusted text, redacted and truncated."""

    on: HookEvent
    number: int
    end: HookEnd
    program: str = ""
    run: int = 0
    exit_code: int | None = None
    output: str = ""
    seconds: float = 0.0
    failure: Failure | None = None
