"""One line of `doctor`: what was looked at, what was found, and what mends it."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check came out; only `WRONG` makes `doctor` exit with 1."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, or could not be tried."""
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Check:
    """`subject` is what was looked at, `mend` the command or RAM statement that puts it right."""

    subject: str
    verdict: Verdict
    found: str
    mend: str = ""


def ok(subject: str, found: str) -> Check:
    """Return a check that came out well."""
    return Check(subject, Verdict.OK, found)


def note(subject: str, found: str, mend: str = "") -> Check:
    """Return a check that is worth a word."""
    return Check(subject, Verdict.NOTE, found, mend)


def wrong(subject: str, found: str, mend: str) -> Check:
    """Return a check that found something wrong."""
    return Check(subject, Verdict.WRONG, found, mend)
