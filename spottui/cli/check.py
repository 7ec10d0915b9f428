"""One line of `doctor`: what was checked, what was found, and how to fix it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from spottui.domain.region_key import DEFAULT_ACCOUNT

if TYPE_CHECKING:
    from spottui.domain.settings import Settings


class Verdict(StrEnum):
    """The result of a check; only `FAIL` makes `doctor` exit with 1."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, or not verifiable."""
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """`subject` is what was checked, `fix` the command or RAM statement that fixes it."""

    subject: str
    verdict: Verdict
    found: str
    fix: str = ""


def ok(subject: str, found: str) -> Check:
    """Return a check that passed."""
    return Check(subject, Verdict.OK, found)


def note(subject: str, found: str, fix: str = "") -> Check:
    """Return a check with a note."""
    return Check(subject, Verdict.NOTE, found, fix)


def wrong(subject: str, found: str, fix: str) -> Check:
    """Return a check that failed."""
    return Check(subject, Verdict.FAIL, found, fix)


def of_account(settings: "Settings", subject: str, name: str) -> str:
    """Return the subject of a check, with the account where there are several."""
    return f"{subject} {name or DEFAULT_ACCOUNT}" if settings.accounts else subject
