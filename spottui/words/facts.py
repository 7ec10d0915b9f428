"""What each fact says to people, in one table: its line, its kind in the feed, and its step in a timeline."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from spottui.domain import facts as f
from spottui.domain.hook import HookEnd
from spottui.domain.interruption import Evidence
from spottui.domain.reasons import Failure, Why
from spottui.domain.recovery import Decision
from spottui.domain.text import plain
from spottui.words import lines
from spottui.words.driving import decided, stopped
from spottui.words.failures import LONGEST, fault, said
from spottui.words.lines import entry
from spottui.words.next_steps import next_step
from spottui.words.phrases import clock
from spottui.words.reasons import reason

IMAGE_POLL = "DescribeImages"
"""The call that shows how far an image is."""


class EventKind(StrEnum):
    """What a line of the feed speaks of."""

    RECLAIM = "RECLAIM"
    LOCK = "LOCK"
    DUPLICATE = "DUPLICATE"
    MESSAGE = "MESSAGE"
    POISON = "POISON"
    STATE = "STATE"
    CALL = "CALL"
    AUTO = "AUTO"
    CONFIRMED = "CONFIRMED"
    VETOED = "VETOED"
    HELD = "HELD"
    STOPPED = "STOPPED"
    RETRIED = "RETRIED"
    DECIDED = "DECIDED"
    SOURCE = "SOURCE"


class Sign(StrEnum):
    """What a step is, as one character."""

    EVIDENCE = "!"
    DECISION = "?"
    STATE = "·"
    UNDER_WAY = "…"
    GOOD = "✓"
    FAILED = "✕"
    UNKNOWN = "~"


class FactWords(msgspec.Struct, frozen=True):
    """What a fact says, and as what it is shown; a function where that depends on its fields.

    `line` is a template of the `fact`, or a function of the fact and its region. Without a `kind` it is no line of the
    feed, without a `sign` no step of a timeline. `step` is what the step is called, by default the name of the struct;
    what it says there is its line without the words with which it `begins`.
    """

    line: str | Callable[[Any, str], str]
    kind: EventKind | Callable[[Any], EventKind | None] | None = None
    sign: Sign | Callable[[Any], Sign | None] | None = None
    step: str | Callable[[Any], tuple[str, str]] = ""
    begins: str = ""


def text(logged: f.Logged) -> str:
    """Return what a fact says as one line, without its time and its instance."""
    line = _WORDS[type(logged.fact)].line
    return plain(line.format(fact=logged.fact) if isinstance(line, str) else line(logged.fact, logged.region), LONGEST)


def event_kind(fact: f.Fact) -> EventKind | None:
    """Return the kind of a fact's line; None for one that the feed does not show: a call begun, a progress."""
    kind = _WORDS[type(fact)].kind
    return kind(fact) if callable(kind) else kind


def sign_of(fact: f.Fact) -> Sign | None:
    """Return what a fact is as a step of its own, None where it is none."""
    sign = _WORDS[type(fact)].sign
    return sign(fact) if callable(sign) else sign


def step(logged: f.Logged) -> tuple[str, str]:
    """Return the name of a step, an API's action for a call, and what it says."""
    words = _WORDS[type(logged.fact)]
    if callable(words.step):
        called, detail = words.step(logged.fact)
        return plain(called), plain(detail, LONGEST)
    return words.step or type(logged.fact).__name__, text(logged).removeprefix(words.begins)


def search(words: Sequence[str], named: Mapping[str, Sequence[str]]) -> Callable[[f.Logged], bool]:
    """Return whether a fact is a line of the feed that holds every word, whatever their case.

    It holds what stands in its kind, region, instance id or text; a line of one of the instances whose ids `named` has
    for a word holds that word too.
    """
    wanted = [(word.casefold(), frozenset(named.get(word, ()))) for word in words]

    def holds(logged: f.Logged) -> bool:
        kind = event_kind(logged.fact)
        said = f"{kind} {logged.region} {logged.instance_id} {text(logged)}".casefold()
        return kind is not None and all(word in said or logged.instance_id in ids for word, ids in wanted)

    return holds


def request_id(fact: f.Fact) -> str:
    """Return the RequestId of the call that a fact is about, empty where there is none."""
    match fact:
        case f.CallAnswered() | f.EarlierLine():
            return plain(fact.request_id)
        case f.CallFailed() | f.LaunchRefused() | f.ProgressLost() | f.SourceFailed():
            return plain(fact.failure.request_id)
        case f.ProtectionUndone(failure=Failure() as failure):
            return plain(failure.request_id)
    return ""


_DECISIONS = {Decision.CONFIRM: EventKind.CONFIRMED, Decision.VETO: EventKind.VETOED, Decision.HOLD: EventKind.HELD}
_EARLIER_SIGNS = {
    EventKind.RECLAIM: Sign.EVIDENCE,
    EventKind.LOCK: Sign.EVIDENCE,
    EventKind.STATE: Sign.STATE,
    EventKind.CALL: Sign.GOOD,
    EventKind.DUPLICATE: None,
}
"""What a line of an earlier version is; any other is a decision."""


def _kind_of_sign(fact: f.SignSeen) -> EventKind:
    if fact.again:
        return EventKind.DUPLICATE
    return EventKind.LOCK if fact.source is Evidence.LOCK else EventKind.RECLAIM


def _kind_of_earlier(line: f.EarlierLine) -> EventKind:
    return EventKind(line.event) if line.event in EventKind.__members__ else EventKind.STATE


def _kind_of_auto_answer(fact: f.AutoAnswered) -> EventKind | None:
    """Another fact says what follows: the confirmation, or that auto-mode is off."""
    return None if fact.again or fact.reason.why is Why.PLAN_READY else EventKind.AUTO


def _sign_of_earlier(line: f.EarlierLine) -> Sign | None:
    return Sign.FAILED if line.failed else _EARLIER_SIGNS.get(_kind_of_earlier(line), Sign.DECISION)


def _sign_of_hook(fact: f.HookEnded) -> Sign:
    return Sign.STATE if fact.exit_code or fact.end is not HookEnd.EXITED else Sign.GOOD


def _step_of_sign(fact: f.SignSeen) -> tuple[str, str]:
    message = f", message {fact.message_id}" if fact.message_id else ""
    dated = f"dated {fact.began:%Y-%m-%d %H:%M:%S}Z, deadline {clock(fact.deadline)}Z{message}"
    return fact.source.name.lower(), dated


_WORDS: dict[type[f.Fact], FactWords] = {
    f.EarlierLine: FactWords(
        "{fact.text}", _kind_of_earlier, _sign_of_earlier, lambda fact: (fact.event.lower(), fact.text)
    ),
    f.CarriedOver: FactWords("carried over from the journal of an earlier version"),
    # What is seen.
    f.SignSeen: FactWords(
        lines.sign_seen, _kind_of_sign, lambda fact: None if fact.again else Sign.EVIDENCE, _step_of_sign
    ),
    f.LockGone: FactWords("lock removed"),
    f.Released: FactWords(
        lines.released,
        EventKind.RECLAIM,
        Sign.EVIDENCE,
        lambda fact: ("release", f"dated {fact.released:%Y-%m-%d %H:%M:%S}Z"),
    ),
    f.MessageSeen: FactWords(lines.message_seen, EventKind.MESSAGE),
    f.PoisonSeen: FactWords(
        lambda fact, _region: f"{fact.why}, message {fact.message_id}" if fact.message_id else fact.why,
        EventKind.POISON,
    ),
    f.SourceFailed: FactWords(lambda fact, _region: f"{fact.source} fails: {fault(fact.failure)}", EventKind.SOURCE),
    f.SourceAnswers: FactWords("{fact.source} answers again", EventKind.SOURCE),
    # What is planned and decided.
    f.PlanMade: FactWords(lambda fact, _region: f"plan {fact.digest}: {next_step(fact.next_step)}"),
    f.PlanSurveyed: FactWords(lambda fact, _region: f"plan {fact.digest} surveyed: {next_step(fact.next_step)}"),
    f.RouteChosen: FactWords(lines.route_chosen, EventKind.DECIDED, Sign.DECISION, "Route", "route "),
    f.Decided: FactWords(
        lambda fact, _region: f"{decided(fact.decision)} by {fact.who}",
        lambda fact: _DECISIONS.get(fact.decision, EventKind.DECIDED),
        Sign.DECISION,
        "Decision",
    ),
    f.CancelAsked: FactWords("cancel requested by {fact.who}", EventKind.STOPPED, Sign.DECISION, "Decision"),
    f.Retried: FactWords(lines.retried, EventKind.RETRIED, Sign.DECISION, "Retry"),
    f.AutoAnswered: FactWords(
        lines.auto_answered,
        _kind_of_auto_answer,
        lambda fact: Sign.DECISION if _kind_of_auto_answer(fact) else None,
        "auto-mode",
        "auto-mode: ",
    ),
    f.Armed: FactWords("auto-mode armed by {fact.who}", EventKind.AUTO),
    f.NotArmed: FactWords(
        lambda fact, _region: f"auto-mode not armed for {fact.who}: {stopped(fact.stopped)}", EventKind.AUTO
    ),
    f.Disarmed: FactWords(lines.disarmed, EventKind.AUTO),
    # What a recovery does.
    f.DriverChanged: FactWords("driven by {fact.driver}"),
    f.StateEntered: FactWords(lines.state_entered, EventKind.STATE, Sign.STATE, "State"),
    f.NextStepChanged: FactWords(
        lambda fact, region: f"next: {next_step(fact.next_step) or reason(fact.reason, region)}"
    ),
    f.RouteLeft: FactWords(lambda fact, region: f"route {fact.route} left: {reason(fact.reason, region)}"),
    f.RouteTaken: FactWords(
        lines.route_taken,
        # Without a reason the plan's first route is taken, as the decision says.
        lambda fact: EventKind.DECIDED if fact.reason else None,
        lambda fact: Sign.DECISION if fact.reason else None,
        "Route",
        "route ",
    ),
    f.EarlierImageTaken: FactWords(
        "from the earlier image {fact.image_id} as of {fact.made:%Y-%m-%d %H:%M} UTC",
        EventKind.DECIDED,
        Sign.DECISION,
        "WarmImage",
    ),
    f.PrivateIpGivenUp: FactWords(
        lambda fact, region: reason(fact.reason, region), EventKind.DECIDED, Sign.DECISION, "PrivateIp"
    ),
    f.Drained: FactWords(lines.drained, EventKind.DECIDED, Sign.DECISION, "Drain", "drain "),
    f.Probed: FactWords(
        lines.probed, EventKind.STATE, lambda fact: Sign.STATE if fact.missed else Sign.GOOD, "Probe", "probe "
    ),
    f.HookBegun: FactWords("hook {fact.program} ({fact.on}) started", None, Sign.STATE, "Hook", "hook "),
    f.HookEnded: FactWords(lines.hook_ended, EventKind.DECIDED, _sign_of_hook, "Hook", "hook "),
    # What it calls, and what comes of that.
    f.CallBegun: FactWords(
        "{fact.action} started",
        None,
        Sign.UNDER_WAY,
        lambda fact: (fact.action, f"{fact.target}, requested by {fact.who}" if fact.who else ""),
    ),
    f.CallAnswered: FactWords(
        lambda fact, _region: f"{fact.action} {lines.did(fact)}".strip(),
        EventKind.CALL,
        Sign.GOOD,
        lambda fact: (fact.action, lines.did(fact)),
    ),
    f.CallFailed: FactWords(
        lambda fact, _region: f"{fact.action} failed: {said(fact.failure)}",
        EventKind.CALL,
        lambda fact: Sign.UNKNOWN if fact.failure.effect_unknown else Sign.FAILED,
        lambda fact: (fact.action, said(fact.failure)),
    ),
    f.LaunchRefused: FactWords(lambda fact, _region: f"launch refused: {said(fact.failure)}"),
    f.ProgressSeen: FactWords(lambda fact, _region: f"{fact.image_id} {fact.progress} %".strip()),
    f.ProgressLost: FactWords(
        lambda fact, _region: f"{fact.failure.action or IMAGE_POLL} failed: {said(fact.failure)}",
        EventKind.CALL,
        Sign.FAILED,
        lambda fact: (fact.failure.action or IMAGE_POLL, said(fact.failure)),
    ),
    f.ProgressBack: FactWords(f"{IMAGE_POLL} answers again", EventKind.CALL, Sign.GOOD, IMAGE_POLL, f"{IMAGE_POLL} "),
    f.ImageReady: FactWords("image {fact.image_id} ready after {fact.seconds:.0f} s"),
    f.ImageGivenUp: FactWords("image {fact.image_id} abandoned"),
    f.SnapshotsUsable: FactWords(
        lambda fact, _region: f"snapshots {', '.join(snapshot_id for _, snapshot_id in fact.snapshots)} usable"
    ),
    f.DisksFree: FactWords("kept disks available"),
    f.StartedAgain: FactWords("the instance itself is running again"),
    f.PublicIpKept: FactWords("public IP {fact.address} is now EIP {fact.eip_id}"),
    f.RecordsFound: FactWords(lambda fact, _region: f"named by {', '.join(record.name for record in fact.records)}"),
    f.InterfaceRestored: FactWords("network interface {fact.eni_id} goes with its instance again"),
    # Its entries in load balancers.
    f.BackendsFound: FactWords(
        lambda fact, _region: f"behind {', '.join(entry(backend, backend.weight) for backend in fact.backends)}"
    ),
    f.BackendChanging: FactWords(lambda fact, _region: f"{entry(fact.backend, fact.weight)}: started"),
    f.WeightKept: FactWords(
        lambda fact, _region: (
            f"{entry(fact.backend, fact.backend.weight)} is kept: no other server in the group is healthy"
        ),
        EventKind.DECIDED,
        Sign.DECISION,
        "Traffic",
    ),
    f.WeightRestored: FactWords(lambda fact, _region: f"{entry(fact.backend, fact.backend.weight)} restored"),
    f.BackendServes: FactWords(
        lambda fact, _region: f"{entry(fact.backend, fact.backend.weight)} is healthy after {fact.seconds:.0f} s",
        EventKind.DECIDED,
        Sign.GOOD,
        "Traffic",
    ),
    # In calm time, of no recovery.
    f.ReadyCallAnswered: FactWords("{fact.action} {fact.resource}"),
    f.BeyondCap: FactWords(lines.beyond_cap, EventKind.DECIDED),
    f.OutputLost: FactWords(lines.output_lost, EventKind.STATE),
    f.PricesSeen: FactWords(lambda fact, _region: f"prices of {len(fact.prices)} places"),
    f.DisksProtected: FactWords(
        lambda fact, _region: f"{' '.join(fact.disk_ids)} will outlive the instance, requested by {fact.who}",
        EventKind.DECIDED,
    ),
    f.ProtectionUndone: FactWords(lines.protection_undone, EventKind.DECIDED),
}
