"""A desk that plays a script and records what it is told; run as a program it is a demo of the console.

python -m tests.console.scripted [--read-only] [--slow] [--fail] [--rows N]
"""

import math
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from spottui import words
from spottui.domain.background import Background, Found, PriceHistory
from spottui.domain.commands import Confirm, Retry
from spottui.domain.facts import (
    NOBODY,
    CallAnswered,
    Logged,
    MessageSeen,
    PoisonSeen,
    SignSeen,
    StateEntered,
    Stop,
    Stopped,
)
from spottui.domain.forecast import ImageTiming, Verdict
from spottui.domain.history import InstanceRecord
from spottui.domain.instance import Disk, Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Interruption
from spottui.domain.launch_spec import LaunchSpec, Secret
from spottui.domain.plan import Plan, WarmImage, same_place_first
from spottui.domain.readiness import FleetReadiness
from spottui.domain.reasons import Doing, NextStep, Reason, Why
from spottui.domain.recovery import Created, Recovery, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.domain.savings import Savings
from spottui.domain.view import AutoMode, DeskView, SourceHealth
from spottui.domain.way_back import Deletion

NOW = datetime(2026, 8, 23, 2, 13, 22, tzinfo=UTC)
REGION = "cn-hangzhou"
AUTO_OFF = AutoMode(armed=False, in_flight=0, max_at_once=3, max_per_hour=10, veto_window_s=20)


class FrozenClock:
    def __init__(self, at=NOW):
        self.at = at

    def now(self):
        return self.at

    def go(self, seconds):
        self.at += timedelta(seconds=seconds)


class RealClock:
    def now(self):
        return datetime.now(UTC)


def instance(number, name=None, *, recycling=False, region=REGION, kind="ecs.c7.large"):
    return Instance(
        region=region,
        instance_id=f"i-bp1{number:04x}fmxazb4p{number:04x}",
        name=name if name is not None else f"web-{number}",
        instance_type=kind,
        zone=f"{region}-{'hij'[number % 3]}",
        status=InstanceStatus.RUNNING,
        spot_strategy="SpotAsPriceGo",
        recycling=recycling,
        private_ip=f"172.16.3.{number % 250}",
        tags=(("env", "prod"), ("team", "checkout")),
        created=NOW - timedelta(hours=5),
    )


def reclaim(of, left_s=222, evidence=(Evidence.QUEUE, Evidence.LOCK), now=NOW):
    return Interruption(
        region=of.region,
        instance_id=of.instance_id,
        epoch=int((now + timedelta(seconds=left_s - 300)).timestamp()),
        first_seen=now - timedelta(seconds=300 - left_s),
        deadline=now + timedelta(seconds=left_s),
        evidence=evidence,
    )


def recovery(of, cause, state, **more):
    return Recovery(
        interruption=cause,
        name=of.name,
        state=state,
        **more,
    )


def because(text):
    """A reason whose whole sentence is this one."""
    return Reason(Why.EARLIER_VERSION, detail=text)


def planned(kind, zone, then_zone=""):
    return NextStep(Doing.PLANNED, route=Route.IMAGE, instance_type=kind, zone=zone, then_zone=then_zone)


def event(seq, fact, instance_id="", now=NOW, recovery_id=""):
    return Logged(seq, now - timedelta(seconds=100 - seq), fact, REGION, instance_id, recovery_id)


def message(text):
    """A fact that is shown as this text."""
    return MessageSeen("", text)


def sign(source, cause, **more):
    return SignSeen(source, cause.first_seen, cause.deadline, cause.deadline, **more)


def healthy(now=NOW, regions=(REGION,)):
    ages = {"queue": (10.0, 0.4), "lock": (2.0, 2.0), "sweep": (30.0, 31.0)}
    return tuple(
        SourceHealth(name, region, interval_s, now - timedelta(seconds=age_s))
        for region in regions
        for name, (interval_s, age_s) in ages.items()
    )


def view(**more):
    filled = {
        "version": 1,
        "at": NOW,
        "profile": "prod",
        "regions": (REGION,),
        "auto": AUTO_OFF,
        "read_only": False,
        "starting": False,
        "sources": healthy(),
        "instances": (),
        "interruptions": (),
        "recoveries": (),
        "events": (),
    }
    return DeskView(**{**filled, **more})


def called_off(of):
    return StateEntered(RecoveryState.SKIPPED, Reason(Why.CALLED_OFF, of.instance_id), was=RecoveryState.IMAGING)


def reclaims(now=NOW, **more):
    """Three reclaims: one is imaged, one needs a person, one is an event without a lock."""
    quiet = [instance(n) for n in range(4, 30)]
    web, etl, job = (
        instance(1, "web-3", recycling=True),
        instance(2, "etl-7", recycling=True, kind="ecs.g7.xlarge"),
        instance(3, "batch-12"),
    )
    first, second, third = (
        reclaim(web, 222, now=now),
        reclaim(etl, 251, now=now),
        reclaim(job, 280, (Evidence.QUEUE,), now=now),
    )
    open_recoveries = (
        recovery(
            web,
            first,
            RecoveryState.IMAGING,
            verdict=Verdict.WILL_MAKE_IT,
            forecast_at=now + timedelta(seconds=70),
            progress=62,
            who="mia@bastion pts/3",
            image_id="m-bp7ab3kd9xw1",
            next_step=NextStep(Doing.LAUNCH, instance_type="ecs.c7.large", zone="cn-hangzhou-i"),
            created=(Created("kept disk", "d-bp1aaa"), Created("image", "m-bp7ab3kd9xw1")),
        ),
        recovery(
            etl,
            second,
            RecoveryState.NEEDS_YOU,
            image_s=230.0,
            reason=Reason(Why.PLAN_READY),
            next_step=planned("ecs.g7.xlarge", "cn-hangzhou-j"),
        ),
        recovery(job, third, RecoveryState.SUSPECTED, reason=Reason(Why.NO_LOCK_YET)),
    )
    lines = (
        event(40, called_off(instance(9)), instance(9).instance_id, now),
        event(82, sign(Evidence.QUEUE, first, epoch=1), web.instance_id, now, first.id),
        event(84, sign(Evidence.LOCK, first, marks="LQ"), web.instance_id, now, first.id),
        event(85, CallAnswered("CreateImage", "t1", "REQ-1", ("m-bp7ab3kd9xw1",)), web.instance_id, now, first.id),
        event(88, sign(Evidence.QUEUE, second, epoch=1), etl.instance_id, now, second.id),
        event(90, sign(Evidence.QUEUE, second, again=1), etl.instance_id, now, second.id),
        event(95, PoisonSeen("not JSON, set aside: \x1b[31mboom [red]x", body="{\x1b]0;x\x07"), "", now),
    )
    return view(
        at=now,
        sources=healthy(now),
        instances=(web, etl, job, *quiet),
        interruptions=(first, second, third),
        recoveries=open_recoveries,
        events=lines,
        **more,
    )


def plan_of(of):
    spec = LaunchSpec(
        instance=of,
        vswitch_id="vsw-bp1h",
        security_group_ids=("sg-bp1web", "sg-bp1ops"),
        disks=(
            Disk("d-1", "/dev/xvda", "system", "cloud_essd", 40, "PL0"),
            Disk("d-2", "/dev/xvdb", "data", "cloud_essd", 100, "PL1"),
        ),
        key_pair="ops-2026",
        ram_role="etl-writer",
        host_name="etl-7",
        user_data=Secret("c2VjcmV0"),
    )
    places = same_place_first(spec, {f"{of.region}-{z}": f"vsw-bp1{z}" for z in "hij"})
    return Plan((Route.IMAGE,), spec, places, f"spottui-{of.instance_id}")


def background_of(of, now, days=7):
    """Hourly prices that wave between a third and two thirds of on-demand, and two images."""
    hours = [now.replace(minute=0, second=0) - timedelta(hours=back) for back in range(days * 24, -1, -1)]
    points = tuple((at, round(0.2 + 0.06 * math.sin(n / 9) + 0.02 * math.sin(n), 3)) for n, at in enumerate(hours))
    return Background(
        Found(PriceHistory(of.instance_type, of.zone, "CNY", points, 0.42)),
        Found(WarmImage("m-bp1warm", now - timedelta(hours=5))),
        Found(WarmImage("aliyun_3_x64_20G", now - timedelta(days=40))),
    )


class ScriptedDesk:
    """Serves the views it is given and writes down every command; `refuse` is what the next command raises."""

    def __init__(self, first):
        self.current = first
        self.commands = []
        self.refuse = None
        self.plans = {}
        self.plans_asked = 0
        self.log = ()
        self.history = ()
        self.surroundings = background_of(instance(1), NOW)
        self.left = ()
        self.other_consoles = 0
        self.storage_price = {}
        self.saved = Savings(NOW - timedelta(days=30), NOW)
        self.older = ()
        self.looked = self.looked_around = 0
        self.planned_to_spot = False
        self.fleet_background = None
        self.fleet_readiness = FleetReadiness(NOW, ())
        self.closed = False
        self._changed = threading.Condition()

    def show(self, **changes):
        with self._changed:
            self.current = replace(self.current, version=self.current.version + 1, **changes)
            self._changed.notify_all()

    def view(self):
        return self.current

    def wait(self, version, timeout_s):
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self.current.version > version, min(timeout_s, 0.05))
            return self.current

    def plan(self, recovery_id):
        self.plans_asked += 1
        self._maybe_refuse()
        own = next(r for r in self.current.recoveries if r.recovery_id == recovery_id)
        return self.plans.get(recovery_id, self._made(own.instance_id))

    def plan_for(self, region, instance_id, *, to_spot=False):
        self._maybe_refuse()
        self.planned_to_spot = to_spot
        return self._made(instance_id)

    def deletion(self, region, instance_id):
        self._maybe_refuse()
        old = next(i for i in self.current.instances if i.instance_id == instance_id)
        way_back = recovery(old, reclaim(old), RecoveryState.RECOVERED, imaging_since=NOW)
        return Deletion(way_back, old, instance(9), plan_of(old).spec.disks)

    def delete_on_demand(self, region, instance_id, who):
        self._record("delete_on_demand", region, instance_id, who)

    def timeline(self, recovery_id):
        self._maybe_refuse()
        return self.log

    def record(self, region, instance_id):
        self._maybe_refuse()
        of = next(i for i in self.current.instances if i.instance_id == instance_id)
        return InstanceRecord(plan_of(of).spec, NOW - timedelta(minutes=9), ImageTiming(), self.history)

    def background(self, region, instance_id):
        self._maybe_refuse()
        return self.surroundings

    def look_around(self):
        self.looked_around += 1
        if self.fleet_background:
            self.show(fleet_background=self.fleet_background)

    def readiness(self):
        self._maybe_refuse()
        return self.fleet_readiness

    def past(self):
        return self.history

    def savings(self, account=""):
        self._maybe_refuse()
        return self.saved

    def successors(self):
        return self.other_consoles

    def leftovers(self):
        self._maybe_refuse()
        return self.left

    def find_events(self, words, limit, *, above=0, below=None, named=NOBODY):
        self._maybe_refuse()
        kept = [*self.older, *self.current.events]
        said = [(e, _held(e).casefold()) for e in kept if e.seq > above]
        found = [e for e, text in said if all(word in text or e.instance_id in named.get(word, ()) for word in words)]
        if below is not None:
            found = [e for e in reversed(found) if e.seq < below]
        return tuple(found[:limit])

    def carry_out(self, recovery_id, command, who):
        match command:
            case Confirm(digest, route):
                self._record("confirm", recovery_id, digest, who, *([route] if route else []))
            case Retry(digest, route):
                self._record("retry", recovery_id, digest, who, *([route] if route else []))
            case _:
                self._record(type(command).__name__.lower(), recovery_id, who)

    def recover(self, region, instance_id, digest, who, route=None):
        self._record("recover", region, instance_id, digest, who, *([route] if route else []))
        return f"{region}.{instance_id}.1"

    def arm(self, who):
        self._record("arm", who)
        self.show(auto=replace(self.current.auto, armed=True))

    def disarm(self, who):
        self._record("disarm", who)
        self.show(auto=replace(self.current.auto, armed=False, stopped=Stopped(Stop.PERSON, who)))

    def look_now(self):
        self._maybe_refuse()
        self.looked += 1

    def close(self):
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _made(self, instance_id):
        return plan_of(next(i for i in self.current.instances if i.instance_id == instance_id))

    def _record(self, *command):
        self._maybe_refuse()
        self.commands.append(command)

    def _maybe_refuse(self):
        if self.refuse:
            raise Refused(self.refuse)


def _held(logged):
    return f"{words.event_kind(logged.fact)} {logged.instance_id} {words.text(logged)}"


def demo():
    """Run the console over a scripted desk."""
    from spottui.console.app import SpottuiApp

    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else 0

    def open_desk():
        time.sleep(3 if "--slow" in sys.argv else 0.2)
        if "--fail" in sys.argv:
            raise Refused("the configuration /etc/spottui.toml names no region: add [[regions]] with id and queue")
        first = reclaims(datetime.now(UTC), read_only="--read-only" in sys.argv)
        desk = ScriptedDesk(replace(first, instances=(*first.instances, *(instance(n) for n in range(40, 40 + rows)))))
        threading.Thread(target=_live, args=(desk,), daemon=True).start()
        return desk

    SpottuiApp(open_desk, clock=RealClock(), who="mia@bastion pts/3", title="spottui").start()


def _live(desk):
    seq = 100
    while not desk.closed:
        time.sleep(0.5)
        now = datetime.now(UTC)
        seq += 1
        more = Logged(seq, now, message(f"message {seq}"), REGION, instance(seq % 20).instance_id)
        still = "--stale" in sys.argv
        desk.show(events=(*desk.current.events[-400:], more), sources=desk.current.sources if still else healthy(now))


if __name__ == "__main__":
    demo()
