"""The facts of arming auto-mode. Part of the union in `domain/facts.py`."""

from enum import StrEnum

from msgspec import Struct

from spottui.domain.fact_base import FactBase


class Armed(FactBase, frozen=True, tag="armed"):
    """A console armed auto-mode."""

    who: str
    console: str = ""


class NotArmed(FactBase, frozen=True, tag="not armed"):
    """Auto-mode could not be armed, and why."""

    who: str
    stopped: "Stopped"


class Disarmed(FactBase, frozen=True, tag="disarmed"):
    """Auto-mode was disarmed, by a person or by its own rules."""

    who: str = ""
    stopped: "Stopped | None" = None


class Stop(StrEnum):
    """What keeps auto-mode from being armed."""

    STOP_FILE = "stop file"  # detail: its path
    STOP_FILE_UNREADABLE = "stop file cannot be looked at"  # detail: its path, cause
    BREAKER = "breaker"  # count: failures in a row
    CONSOLE_ENDED = "the console that armed it has ended"
    PERSON = "a person"  # detail: who


class Stopped(Struct, frozen=True, omit_defaults=True):
    """Why auto-mode is not armed."""

    stop: Stop
    detail: str = ""
    cause: str = ""
    count: int = 0
