"""Words for people, made of typed facts at the edge: one sentence for each reason, step, failure and fact. Pure.

What stands in a field can come from outside: no text that is returned here holds a control character.
"""

from spottui.words.driving import silent_console, stopped, unread_console
from spottui.words.facts import EventKind, Sign, event_kind, request_id, search, sign_of, step, text
from spottui.words.failures import advice, failure, failure_line, fault, said, trouble
from spottui.words.letters import TOLD_OF, letter
from spottui.words.next_steps import next_step, reused
from spottui.words.phrases import region, saved
from spottui.words.reasons import against, in_line, lift, reason
from spottui.words.warnings import loss, warnings

__all__ = [
    "TOLD_OF",
    "EventKind",
    "Sign",
    "advice",
    "against",
    "event_kind",
    "failure",
    "failure_line",
    "fault",
    "in_line",
    "letter",
    "lift",
    "loss",
    "next_step",
    "reason",
    "region",
    "request_id",
    "reused",
    "said",
    "saved",
    "search",
    "sign_of",
    "silent_console",
    "step",
    "stopped",
    "text",
    "trouble",
    "unread_console",
    "warnings",
]
