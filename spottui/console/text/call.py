"""One step of a timeline in full: the call with its parameters, and what the cloud answered."""

from datetime import datetime

from textual.content import Content

from spottui import words
from spottui.console.text.details import Fact, section
from spottui.domain import facts as f
from spottui.domain.reasons import Failure
from spottui.domain.recovery import Try
from spottui.tables.moments import age
from spottui.tables.timeline import Step


def step_details(step: Step) -> Content:
    """Return a step with everything that the journal has of it."""
    answer = step.fact
    parts = [section(step.action, _step(step)), section("Parameters", _parameters(step))]
    if isinstance(answer, f.CallAnswered):
        parts.append(section("Answer", _answer(answer)))
    elif isinstance(answer, f.CallFailed):
        parts.append(section("Error", [*_failure(answer.failure), ("next try", _when(answer.next_try))]))
    elif isinstance(answer, f.ProgressLost | f.LaunchRefused):
        parts.append(section("Error", _failure(answer.failure)))
    return Content("\n").join(part for part in parts if "\n" in part.plain.strip())


def _step(step: Step) -> list[Fact]:
    return [
        ("at", _when(step.at)),
        ("took", age(step.seconds) if step.seconds is not None else ""),
        ("RequestId", step.request_id),
        ("text", step.detail),
    ]


def _parameters(step: Step) -> list[Fact]:
    """Return what the call was made with, as its intent was journaled."""
    begun, answer = step.begun, step.fact
    token = begun.token if begun else getattr(answer, "token", "")
    target = begun.target if begun else getattr(answer, "target", "")
    image_of = str(begun.image_of) if begun and begun.image_of else ""
    launched = _launch(begun.attempt) if begun and begun.attempt else []
    return [
        ("of", target),
        ("image of", image_of),
        *launched,
        ("ClientToken", token),
        ("requested by", begun.who if begun else ""),
    ]


def _launch(attempt: Try) -> list[Fact]:
    kind, zone, on_demand = attempt.place
    return [
        ("InstanceType", kind),
        ("ZoneId", zone),
        ("VSwitchId", attempt.vswitch_id),
        ("ImageId", attempt.image_id),
        ("on-demand", "yes" if on_demand else "no"),
        ("data disks", "" if attempt.data_disks else "without"),
        ("disk category", attempt.disk_category),
    ]


def _answer(answer: f.CallAnswered) -> list[Fact]:
    return [("made", ", ".join(answer.resources)), ("detail", answer.detail), ("RequestId", answer.request_id)]


def _failure(failure: Failure) -> list[Fact]:
    return [
        ("Code", failure.code or failure.kind),
        ("message", failure.message),
        ("RequestId", failure.request_id or "none: no answer came"),
        ("effect", "unknown: it may have taken effect" if failure.effect_unknown else ""),
        ("fix", words.advice(failure)),
    ]


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
