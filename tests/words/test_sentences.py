"""The sentences, word for word: screens, scripts and people have learned them."""

from datetime import timedelta

import pytest

from spottui import words
from spottui.domain import facts as f
from spottui.domain.balancers import Backend, Product
from spottui.domain.forecast import Verdict
from spottui.domain.hook import HookEnd, HookEvent
from spottui.domain.interruption import Evidence
from spottui.domain.probe import Miss, Missed
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import AutoAnswer, Decision, RecoveryState
from spottui.domain.routes import Route
from tests.words.facts_of import BEGAN, DEADLINE, REFUSED, logged

REFUSED_LINE = "CreateImage: Forbidden.RAM: not authorized [RequestId 7A6B]"
SAME = ": press y to recover it anyway"
AT, BY = BEGAN + timedelta(seconds=64), {"deadline": DEADLINE}
SENTENCES = {
    "plan ready: press y": Reason(Why.PLAN_READY),
    "held by mia; plan ready: press y": Reason(Why.HELD, detail="mia"),
    "no plan yet: i-1 is not listed in cn-hangzhou": Reason(Why.NO_PLAN_YET, "i-1"),
    f"no plan yet: {REFUSED_LINE}": Reason(Why.NO_PLAN_YET, failure=REFUSED),
    "its tag env=x excludes it from auto-mode (deny_tags): press y to recover it anyway": Reason(
        Why.DENY_TAG, detail="env=x"
    ),
    "auto-mode requires the tag a=1 or b (allow_tags)" + SAME: Reason(Why.NO_ALLOW_TAG, resources=("a=1", "b")),
    "waiting: 2 auto-mode replacements in c7 h failed or were reclaimed within an hour; "
    "next try at 02:01:04 UTC: press y to start now": Reason(Why.PLACES_REST, detail="c7 h", count=2, at=AT),
    "auto-mode would add ¥1.500/h, above its ceiling of ¥1.200/h: press y, or raise max_added_cost_per_hour": Reason(
        Why.COST_CEILING, detail="CNY", amounts=(1.5, 1.2)
    ),
    "queued: limit of 3 recoveries at once: press y to start now": Reason(Why.AT_ONCE, amounts=(3,)),
    "queued: limit of 3 recoveries at once; 1 other has a nearer deadline: press y to start now": Reason(
        Why.AT_ONCE, amounts=(3,), count=1
    ),
    "queued: limit of 10 recoveries an hour, next slot at 02:01:04 UTC; 2 others have a nearer deadline: "
    "press y to start now": Reason(Why.PER_HOUR, amounts=(10,), count=2, at=AT),
    "nothing was created": Reason(Why.CANCELLED),
    "left behind: image m-1, snapshot s-1": Reason(Why.CANCELLED, resources=("image m-1", "snapshot s-1")),
    "no plan by the deadline at 02:05:00 UTC: i-1 is not listed in cn-hangzhou": Reason(
        Why.NO_PLAN_BY_DEADLINE, causes=(Reason(Why.NO_PLAN_YET, "i-1"),), **BY
    ),
    "not confirmed by the deadline at 02:05:00 UTC": Reason(Why.NOBODY_CONFIRMED, **BY),
    "not confirmed by the deadline at 02:05:00 UTC; data kept on d-1, d-2: press t to recover from it": Reason(
        Why.NOBODY_CONFIRMED, resources=("d-1", "d-2"), **BY
    ),
    "no lock seen by 02:05:00 UTC: a drill, a withdrawn reclaim, or an unseen release": Reason(
        Why.NO_LOCK_BY_DEADLINE, **BY
    ),
    "i-1 still exists without a lock: reclaim withdrawn": Reason(Why.CALLED_OFF, "i-1"),
    "i-1 still runs without a lock: reclaim withdrawn": Reason(Why.CALLED_OFF, "i-1", "Running"),
    f"no image: {REFUSED_LINE}": Reason(Why.NO_IMAGE, failure=REFUSED),
    "RunInstances: no answer: connection reset; it may exist anyway: look for the tag spottui=r before you retry": (
        Reason(
            Why.NOT_LAUNCHED,
            detail="r",
            failure=Failure("RunInstances", "", "no answer", "connection reset", effect_unknown=True),
        )
    ),
    "image m-1 is CreateFailed": Reason(Why.IMAGE_LOST, "m-1", "CreateFailed"),
    "image m-1 is not listed": Reason(Why.IMAGE_LOST, "m-1"),
    "image m-1 not ready after 2:00:00": Reason(Why.IMAGE_NOT_READY, "m-1", seconds=7200.4),
    "i-2 not seen running within 5 min; check it manually": Reason(Why.NOT_SEEN_RUNNING, "i-2", seconds=300),
    "i-2 ran, then was Stopped": Reason(Why.STOPPED_RUNNING, "i-2", "Stopped"),
    "i-2 ran, then was not seen again; check it manually": Reason(Why.STOPPED_RUNNING, "i-2"),
    "i-2 runs, but disk d-1 is not listed; press t to retry": Reason(
        Why.NOT_ATTACHED, "i-2", causes=(Reason(Why.DISK_NOT_ATTACHED, "d-1"),)
    ),
    "image m-1 is not listed, then image m-2 is not listed": Reason(
        Why.THEN, causes=(Reason(Why.IMAGE_LOST, "m-1"), Reason(Why.IMAGE_LOST, "m-2"))
    ),
    "its system disk was not kept": Reason(
        Why.ROUTES, causes=(Reason(Why.SYSTEM_DISK_NOT_KEPT, route=Route.KEPT_DISK),)
    ),
    "image: image m-1 is not listed; kept-disk: its system disk was not kept": Reason(
        Why.ROUTES,
        causes=(
            Reason(Why.IMAGE_LOST, "m-1", route=Route.IMAGE),
            Reason(Why.SYSTEM_DISK_NOT_KEPT, route=Route.KEPT_DISK),
        ),
    ),
    "i-2 runs in h after 63 s": Reason(Why.RUNS, "i-2", "h", seconds=63.9),
    "i-2 runs in h after 63 s; data as of 2026-08-23 02:01:04 UTC; EIP eip-1 is gone": Reason(
        Why.RUNS, "i-2", "h", at=AT, seconds=63, causes=(Reason(Why.EIP_GONE, "eip-1"),)
    ),
    "i-2 runs in h after 63 s; DNS: web.corp still points to 10.0.0.5, which i-9 has now; update manually if wrong": (
        Reason(
            Why.RUNS,
            "i-2",
            "h",
            seconds=63,
            causes=(Reason(Why.RECORDS_UNSURE, "i-9", "10.0.0.5", resources=("web.corp",)),),
        )
    ),
    "i-2 runs but does not serve: probe web of https://10.0.0.5: HTTP status 503, for 120 s; t probes it again": Reason(
        Why.NOT_SERVED,
        "i-2",
        "web",
        seconds=120,
        resources=("https://10.0.0.5",),
        missed=Missed(Miss.STATUS, "503"),
    ),
    "left to its owner, ACK np-1" + SAME: Reason(Why.OWNED, "np-1", "ACK"),
    "i-2 runs in h after 63 s; ALB sgp-1 does not send traffic to it: CreateImage: Forbidden.RAM: not authorized "
    "[RequestId 7A6B]; add it manually; NLB sgp-2 has not reported it healthy within 120 s": Reason(
        Why.RUNS,
        "i-2",
        "h",
        seconds=63,
        causes=(
            Reason(Why.BACKEND_NOT_ADDED, "sgp-1", "ALB", failure=REFUSED),
            Reason(Why.BACKEND_NOT_HEALTHY, "sgp-2", "NLB", seconds=120),
        ),
    ),
    f"nothing was created; the old entry is left at weight 0 in CLB lb-1: {REFUSED_LINE}; set it back to 70": Reason(
        Why.CANCELLED, causes=(Reason(Why.WEIGHT_LEFT, "lb-1", "CLB", count=70, failure=REFUSED),)
    ),
    f"nothing was created; network interface eni-1 is kept when its instance is released: {REFUSED_LINE}; delete it "
    "then; its public IP 47.1.2.3 is EIP eip-1 now, which cannot be undone: billed until you release it": Reason(
        Why.CANCELLED,
        causes=(
            Reason(Why.INTERFACE_LEFT, "eni-1", failure=REFUSED),
            Reason(Why.EIP_LEFT, "eip-1", "47.1.2.3"),
        ),
    ),
    f"the old entry is left in ALB sgp-1: {REFUSED_LINE}; remove it manually": Reason(
        Why.BACKEND_LEFT, "sgp-1", "ALB", failure=REFUSED
    ),
    "EIP eip-1 was not seen on i-2": Reason(Why.EIP_NOT_MOVED, "eip-1", "i-2"),
}


@pytest.mark.parametrize(("sentence", "reason"), SENTENCES.items(), ids=lambda one: getattr(one, "why", None))
def test_the_sentence_of_a_reason(sentence, reason):
    assert words.reason(reason, "cn-hangzhou") == sentence


HOME = {"instance_type": "ecs.c7.large", "zone": "h"}
STEPS = {
    "image, then ecs.c7.large in h, then i": NextStep(Doing.PLANNED, route=Route.IMAGE, then_zone="i", **HOME),
    "image of the kept disk after the release, then ecs.c7.large in h": NextStep(
        Doing.PLANNED, route=Route.KEPT_DISK, **HOME
    ),
    "earlier image, then ecs.c7.large in h": NextStep(Doing.PLANNED, route=Route.WARM_IMAGE, **HOME),
    "start it once stopped": NextStep(Doing.PLANNED, route=Route.RESTART, **HOME),
    "drain flush, at most 20 s": NextStep(Doing.DRAIN, "flush", seconds=20.4),
    "wait for the release at 02:05:00 UTC, then make an image; data kept on 1 disk": NextStep(
        Doing.AWAIT_RELEASE, at=DEADLINE, count=1
    ),
    "launch ecs.c7.large in h on-demand": NextStep(Doing.LAUNCH, on_demand=True, **HOME),
    "no capacity at any of 3 places; each is retried 30 s after its refusal": NextStep(
        Doing.AWAIT_ROOM, seconds=30, count=3
    ),
    "start it: OperationDenied.NoStock, retried until an image of it is made": NextStep(
        Doing.START_AGAIN, "OperationDenied.NoStock"
    ),
    "probe web until it passes: 10.0.0.5:80, at most 120 s": NextStep(Doing.PROBE, "web", "10.0.0.5:80", seconds=120),
    "probe jobs until it passes, at most 60 s": NextStep(Doing.PROBE, "jobs", seconds=60),
    "wait until load balancers report i-2 healthy": NextStep(Doing.AWAIT_HEALTHY, "i-2", count=3),
    "move EIP eip-1 to i-2": NextStep(Doing.MOVE_EIP, "eip-1", "i-2"),
}


@pytest.mark.parametrize(("sentence", "step"), STEPS.items(), ids=lambda one: getattr(one, "doing", None))
def test_the_sentence_of_a_next_step(sentence, step):
    assert words.next_step(step) == sentence


ENTRY = Backend(Product.ALB, "", "sgp-1", "i-1", port=8080, weight=70)
LATE = Reason(Why.NO_IMAGE, failure=REFUSED)
LINES = [
    (
        f.SignSeen(Evidence.QUEUE, BEGAN, DEADLINE, DEADLINE, message_id="7", epoch=1),
        "RECLAIM",
        "evidence Q, deadline 02:05:00Z, message 7",
    ),
    (f.SignSeen(Evidence.LOCK, BEGAN, DEADLINE, DEADLINE, marks="LQ"), "LOCK", "evidence LQ, deadline 02:05:00Z"),
    (
        f.SignSeen(Evidence.LOCK, BEGAN, DEADLINE, DEADLINE, again=2),
        "DUPLICATE",
        "seen again (2 more), deadline 02:05:00Z",
    ),
    (f.Released(AT, DEADLINE), "RECLAIM", "released at 02:01:04Z, deadline 02:05:00Z"),
    (f.MessageSeen("Instance:StateChange", "Instance:StateChange Deleted"), "MESSAGE", "Instance:StateChange Deleted"),
    (
        f.MessageSeen("x", message_id="7", unconfigured_region="us-east-1"),
        "MESSAGE",
        "reclaim in us-east-1, which is not configured, message 7",
    ),
    (
        f.MessageSeen("x", message_id="7", other_account="1234567890"),
        "MESSAGE",
        "reclaim in another account, 1234567890, message 7",
    ),
    (
        f.MessageSeen("x", "i-1, i-2", not_listed=37),
        "MESSAGE",
        "ignored 37 reclaims of instances that the cloud does not list: i-1, i-2",
    ),
    (f.PoisonSeen("not JSON", "7", "{"), "POISON", "not JSON, message 7"),
    (f.SourceFailed("queue", REFUSED), "SOURCE", f"queue fails: {REFUSED_LINE}. {words.advice(REFUSED)}"),
    (f.SourceAnswers("queue"), "SOURCE", "queue answers again"),
    (f.RouteChosen(Route.KEPT_DISK, NextStep(Doing.IMAGE), "mia"), "DECIDED", "route kept-disk chosen by mia"),
    (
        f.RouteChosen(Route.WARM_IMAGE, NextStep(Doing.IMAGE), why=Verdict.WILL_NOT),
        "DECIDED",
        "route warm-image, because a new image will not be ready in time",
    ),
    (f.RouteTaken(Route.KEPT_DISK, LATE), "DECIDED", f"route kept-disk, because no image: {REFUSED_LINE}"),
    (f.RouteTaken(Route.KEPT_DISK), None, "route kept-disk"),
    (f.EarlierImageTaken("m-0", BEGAN), "DECIDED", "from the earlier image m-0 as of 2026-08-23 02:00 UTC"),
    (f.Decided(Decision.CONFIRM, "mia"), "CONFIRMED", "confirmed by mia"),
    (f.Decided(Decision.VETO, "mia"), "VETOED", "vetoed by mia"),
    (f.Decided(Decision.HOLD, "mia"), "HELD", "held by mia"),
    (f.CancelAsked("mia"), "STOPPED", "cancel requested by mia"),
    (f.Retried(1, "mia"), "RETRIED", "retry by mia, run 2"),
    (f.Retried(1), "RETRIED", "retry, run 2, waits for a decision"),
    (
        f.AutoAnswered(AutoAnswer.GRANTED, Reason(Why.VETO_WINDOW), veto_until=AT),
        "AUTO",
        "auto-mode: proceeds at 02:01:04 UTC unless vetoed",
    ),
    (
        f.AutoAnswered(AutoAnswer.IN_LINE, Reason(Why.AT_ONCE, amounts=(1,), count=2)),
        "AUTO",
        "auto-mode: queued: limit of 1 recoveries at once: press y to start now",
    ),
    (f.AutoAnswered(AutoAnswer.CONFIRMED, Reason(Why.PLAN_READY)), None, "auto-mode: proceeds"),
    (f.Armed("mia"), "AUTO", "auto-mode armed by mia"),
    (
        f.NotArmed("mia", f.Stopped(f.Stop.STOP_FILE, "/x")),
        "AUTO",
        "auto-mode not armed for mia: the stop file /x exists; remove it, then arm again",
    ),
    (f.Disarmed("mia", f.Stopped(f.Stop.PERSON, "mia")), "AUTO", "auto-mode disarmed by mia"),
    (
        f.Disarmed(stopped=f.Stopped(f.Stop.BREAKER, count=3)),
        "AUTO",
        "auto-mode disarmed by its safety limits: 3 auto-mode recoveries in a row failed; find out why, then arm again",
    ),
    (
        f.StateEntered(RecoveryState.FAILED, LATE, was=RecoveryState.IMAGING),
        "STATE",
        f"imaging → failed: no image: {REFUSED_LINE}",
    ),
    (f.StateEntered(RecoveryState.LAUNCHING), "STATE", "launching"),
    (f.BackendsFound((ENTRY,)), None, "behind ALB sgp-1: i-1:8080 weight 70"),
    (f.WeightKept(ENTRY), "DECIDED", "ALB sgp-1: i-1:8080 weight 70 is kept: no other server in the group is healthy"),
    (f.BackendServes(ENTRY, 6.4), "DECIDED", "ALB sgp-1: i-1:8080 weight 70 is healthy after 6 s"),
    (f.CallAnswered("ModifyDiskAttribute", resources=("d-1", "d-2")), "CALL", "ModifyDiskAttribute d-1 d-2"),
    (f.CallAnswered("AttachDisk", target="d-1", detail="i-2"), "CALL", "AttachDisk d-1 to i-2"),
    (f.CallAnswered("StartInstance", target="i-1"), "CALL", "StartInstance i-1"),
    (f.CallAnswered("TagResources", target="m-1", detail="image until x"), "CALL", "TagResources m-1: image until x"),
    (
        f.CallAnswered("DeleteImage", target="m-1", detail="mia"),
        "CALL",
        "DeleteImage m-1 deleted, requested by mia",
    ),
    (f.CallFailed("CreateImage", REFUSED), "CALL", "CreateImage failed: Forbidden.RAM: not authorized"),
    (
        f.ProgressLost(BEGAN, Failure("DescribeImages", "ServiceUnavailable")),
        "CALL",
        "DescribeImages failed: ServiceUnavailable",
    ),
    (f.ProgressBack(), "CALL", "DescribeImages answers again"),
    (f.Drained("flush", "Success", 0, "done"), "DECIDED", "drain flush Success, exit code 0: done"),
    (f.Drained("flush", "", failure=REFUSED), "DECIDED", f"drain flush did not run: {REFUSED_LINE}"),
    (f.Drained("flush", ""), "DECIDED", "drain flush skipped: not enough time"),
    (f.Drained("flush", "", seconds=20.0), "DECIDED", "drain flush timed out after 20 s; the recovery continues"),
    (f.Probed("web", "10.0.0.5:80", 3.21), "STATE", "probe web of 10.0.0.5:80: passed after 3.2 s"),
    (f.Probed("jobs", missed=Missed(Miss.EXIT_CODE, "3")), "STATE", "probe jobs: the command exited with 3"),
    (f.HookBegun(HookEvent.NOTICE, 0, "c", "page"), None, "hook page (notice) started"),
    (
        f.HookEnded(HookEvent.FAILED, 0, HookEnd.EXITED, "page", exit_code=0, output="ok", seconds=1.25),
        "DECIDED",
        "hook page (failed) exited with 0 after 1.2 s: ok",
    ),
    (
        f.HookEnded(HookEvent.RECOVERED, 0, HookEnd.TIMED_OUT, "page", seconds=30.0),
        "DECIDED",
        "hook page (recovered) killed after 30.0 s",
    ),
    (
        f.HookEnded(HookEvent.RECOVERED, 1, HookEnd.NOT_STARTED, "on the replacement", failure=REFUSED),
        "DECIDED",
        f"hook on the replacement (recovered) did not start: {REFUSED_LINE}",
    ),
    (f.CallBegun("CreateImage", "t"), None, "CreateImage started"),
    (f.ProgressSeen(62, "m-1"), None, "m-1 62 %"),
]


@pytest.mark.parametrize(("fact", "kind", "line"), LINES, ids=lambda one: type(one).__name__)
def test_the_line_of_a_fact(fact, kind, line):
    assert words.event_kind(fact) == kind
    assert words.text(logged(fact)) == line
