"""A hook: a configured command that runs at an event of a recovery."""

from enum import StrEnum

import msgspec

from spottui.domain.dates import seconds_of


class HookEvent(StrEnum):
    """When a hook runs; a retried recovery ends again, and its hooks run again."""

    NOTICE = "notice"
    RECOVERED = "recovered"
    FAILED = "failed"


class HookPlace(StrEnum):
    """Where a hook runs."""

    HERE = "here"
    REPLACEMENT = "replacement"


class HookEnd(StrEnum):
    """How a hook ended, with the fields of `facts.HookEnded` that each uses."""

    EXITED = "exited"  # exit_code, output
    TIMED_OUT = "timed out"  # seconds, output
    NOT_STARTED = "not started"  # output: the system's words, or failure
    NOT_KNOWN = "not known"


class HookSettings(msgspec.Struct, frozen=True, gc=False):
    """One `[[hook]]`: program and arguments on this machine, without a shell, or a shell text on the replacement.

    After `timeout`, a duration (`seconds_of`), it is killed with everything that it started.
    """

    on: HookEvent
    command: tuple[str, ...] | str
    timeout: str = "30s"
    where: HookPlace = HookPlace.HERE

    @property
    def timeout_s(self) -> float:
        """The timeout in seconds."""
        return seconds_of(self.timeout) or 0.0

    @property
    def program(self) -> str:
        """Its name for people: arguments and shell texts may hold secrets."""
        return self.command[0] if isinstance(self.command, tuple) else "on the replacement"


class HookRun(msgspec.Struct, frozen=True, gc=False):
    """A hook that a console has begun for a run of a recovery; `number` is its index among those of the event."""

    on: HookEvent
    number: int
    run: int
    console: str
    program: str = ""
    ended: bool = False
