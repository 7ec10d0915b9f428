"""What a replay shows of a moment is what the journal held then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from spottui.domain.audit import Entry, Phase
from spottui.journal.footage import footage
from spottui.journal.incidents import incident

from spottui.domain.forecast import Verdict
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.interruption import Evidence, Observation, Release
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Plan, Route
from spottui.domain.playback import Playback
from spottui.domain.recovery import Created, Decision, RecoveryState
from spottui.domain.settings import Settings
from spottui.journal import Journal
from spottui.replay import Replay

REGION, ID = "cn-hangzhou", "i-1"
BEGAN = datetime(2026, 8, 23, 2, 13, 22, tzinfo=UTC)
INSTANCE = Instance(REGION, ID, "web-3", "ecs.c7.large", f"{REGION}-h", InstanceStatus.RUNNING, "SpotAsPriceGo", False)
PLAN = Plan((Route.IMAGE,), LaunchSpec(INSTANCE, "vsw-1", (), ()), (), "spottui-image")


class Story:
    """Lets things happen to one recovery, a second each, and keeps what the journal held after each of them."""

    def __init__(self, journal):
        self.journal, self.now, self.held = journal, BEGAN, []
        self.observe(Evidence.QUEUE)
        self.id = journal.interruptions.latest(1)[0].id
        self.keep()

    def keep(self):
        self.held.append((self.now, self.journal.interruptions.get(self.id), self.journal.recoveries.get(self.id)))
        self.now += timedelta(seconds=1)

    def happen(self, what):
        getattr(self, what)()
        self.keep()

    def observe(self, source):
        seen = Observation(REGION, ID, source, self.now)
        self.journal.interruptions.record([seen], [], [], lambda *_: "web-3", self.now)

    def lock(self):
        self.observe(Evidence.LOCK)

    def message(self):
        self.observe(Evidence.QUEUE)

    def release(self):
        self.journal.interruptions.released(Release(REGION, ID, self.now), self.now)

    def change(self, entry=None, **to):
        if self.journal.recoveries.get(self.id).state.is_final:
            return
        self.journal.recoveries.change(self.id, self.now, lambda known: replace(known, **to), entry)

    def plan(self):
        self.journal.recoveries.set_plan(self.id, PLAN, self.now)

    def wait(self):
        waits = {"reason": "auto-mode is off: press y", "next_step": "launch → h: first", "image_s": 100.0}
        self.change(state=RecoveryState.NEEDS_YOU, **waits)

    def queue(self):
        self.change(state=RecoveryState.NEEDS_YOU, queued=2, reason="waits: 3 at once")

    def sold_out(self):
        self.change(no_room=True)

    def await_release(self):
        self.change(state=RecoveryState.IMAGING, awaits_release=True)

    def unseen(self):
        failed = Entry(self.id, "DescribeImages", Phase.ERROR, "", "request", "failed: no answer")
        self.change(failed, unseen_since=self.now, trouble="DescribeImages: no answer")

    def veto_window(self):
        until = self.now + timedelta(seconds=20)
        self.change(state=RecoveryState.VETO_WINDOW, veto_until=until, verdict=Verdict.TIGHT, forecast_at=until)

    def protect(self):
        self.change(state=RecoveryState.PROTECTING, veto_until=None, reason="")

    def image(self):
        number = len(self.journal.recoveries.get(self.id).created) + 1
        made = (*self.journal.recoveries.get(self.id).created, Created("image", f"m-{number}"))
        result = Entry(self.id, "CreateImage", Phase.RESULT, "token", "request", f"m-{number}")
        to = {"image_id": f"m-{number}", "created": made, "imaging_since": self.now, "next_step": "image of all disks"}
        self.change(result, state=RecoveryState.IMAGING, **to)

    def progress(self):
        self.change(progress=(self.journal.recoveries.get(self.id).progress + 7) % 100)

    def refused(self):
        self.change(Entry(self.id, "RunInstances", Phase.ERROR, "token", "request", "failed: no stock"))

    def route(self):
        self.change(route=Route.KEPT_DISK)

    def confirm(self):
        self.journal.recoveries.decide(self.id, Decision.CONFIRM, "mia@bastion pts/3", self.now)

    def hold(self):
        self.journal.recoveries.decide(self.id, Decision.HOLD, "a by b", self.now)

    def cancel(self):
        self.journal.recoveries.cancel(self.id, "mia@bastion pts/3", self.now)

    def fail(self):
        self.change(state=RecoveryState.FAILED, reason="no place: had room → none")

    def retry(self):
        plan = self.journal.recoveries.plan(self.id)
        decision = Decision.CONFIRM if plan else Decision.NONE
        self.journal.recoveries.reopen(self.id, decision, "kim@bastion pts/9" if plan else "", self.now)


HAPPENINGS = [
    name for name in vars(Story) if not name.startswith("_") and name not in ("keep", "happen", "observe", "change")
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(HAPPENINGS), min_size=1, max_size=25))
def test_each_moment_is_as_the_journal_held_it_then(tmp_path_factory, happenings):
    journal = Journal(tmp_path_factory.mktemp("story") / "journal.db")
    story = Story(journal)
    for what in happenings:
        story.happen(what)
    film = footage(journal, incident(journal, story.id))
    playback = Playback([*film.moments, *(at for at, _, _ in story.held)])
    desk = Replay(Settings("", (), ""), journal, film, playback)
    held = {at: (shown(reclaim), recovery) for at, reclaim, recovery in story.held}
    while not playback.pace.over:
        playback.jump()
        if playback.now() in held:
            view = desk.view()
            reclaims = {one.id: shown(one) for one in view.interruptions}
            recoveries = {one.recovery_id: one for one in view.recoveries}
            assert (reclaims[story.id], recoveries[story.id]) == held[playback.now()]
    journal.close()


def shown(reclaim):
    """Until when more was awaited is nothing that anybody sees, and not kept."""
    return replace(reclaim, latest=None)
