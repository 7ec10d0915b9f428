"""Text from outside is only text: on no screen does it steer the terminal, hide, become markup or break a column."""

import unicodedata
from datetime import timedelta

import pytest
from msgspec.structs import replace

from spottui.domain.background import Background, Found
from spottui.domain.facts import (
    CallAnswered,
    CallBegun,
    CallFailed,
    Logged,
    PoisonSeen,
    ProgressLost,
    SourceFailed,
    Stop,
    Stopped,
)
from spottui.domain.forecast import ImageTiming, Verdict
from spottui.domain.history import InstanceRecord, Past
from spottui.domain.instance import Disk
from spottui.domain.plan import Caution, CautionKind, Drain, WarmImage
from spottui.domain.reasons import Doing, Failure, NextStep
from spottui.domain.recovery import Created, RecoveryState
from spottui.domain.view import ApiBudget, SourceHealth
from tests.console.driving import press, running, screen, shows, toasts, wait_until
from tests.console.scripted import (
    AUTO_OFF,
    NOW,
    ScriptedDesk,
    because,
    event,
    healthy,
    instance,
    plan_of,
    reclaim,
    view,
)
from tests.console.scripted import recovery as recovery_of

MARKUP = "[red]x[/][link=http://e]y[/link][@click=app.quit]z[/]"
STEERING = "\x1b]8;;http://e\x07k\x1b]0;t\x07\x1b[2J\x9b31m\r\n\t\x7f\x85{0}%s"
HIDING = "a\u202egnp\u2066b\u200b\u200d\ufeff\u3164\ufe0f\u034f\u2028c"
WIDTHS = "e" + "\u0301" * 40 + "实\u200d\U0001f469\u200d\U0001f467\U0001f1e9\U0001f1ea\U0001f44d\U0001f3fd\u20e3\u0300"
TRICKS = "\u034f\u115f\u1160\u3164\ufe0f\uffa0\U0001f1e9\U0001f1ea\U0001f3fd"


def hostile(text):
    """A desk on which every text that comes from outside is this one."""
    of = replace(
        instance(1, text, recycling=True),
        instance_type=text,
        zone=text,
        private_ip=text,
        public_ip=text,
        eip_id=text,
        tags=((text, text),),
        spot_strategy=text,
    )
    cause = replace(reclaim(of), action=text)
    step, failure = NextStep(Doing.EARLIER_VERSION, text), Failure(text, text, text, text, text)
    waits = recovery_of(
        of, cause, RecoveryState.NEEDS_YOU, verdict=Verdict.TIGHT, forecast_at=NOW, reason=because(text), next_step=step
    )
    over = replace(waits, interruption=replace(cause, epoch=1), state=RecoveryState.FAILED, ended=NOW)
    runs = replace(
        waits,
        interruption=replace(cause, epoch=2, deadline=NOW + timedelta(seconds=500)),
        state=RecoveryState.IMAGING,
        created=(Created("image", text), Created(text, text)),
        who=text,
    )
    runs = replace(runs, image_id=text, trouble=failure)
    poison = PoisonSeen(text, text, f"{text}\n{text}")
    lines = (event(1, poison, text, recovery_id=over.recovery_id), event(2, SourceFailed(text, failure), text))
    queue, *others = healthy()
    broken = SourceHealth("sweep", queue.region, 30.0, NOW, failure, NOW + timedelta(seconds=3))
    desk = ScriptedDesk(
        view(
            profile=text,
            problem=text,
            auto=replace(AUTO_OFF, stopped=Stopped(Stop.STOP_FILE, text, text)),
            sources=(queue, others[0], broken),
            budgets=(ApiBudget(text, text, NOW + timedelta(seconds=9), 1.0, 1),),
            instances=(of, instance(2)),
            interruptions=(cause,),
            recoveries=(waits, runs, over),
            events=lines,
        )
    )
    plan = plan_of(of)
    spec = replace(
        plan.spec,
        vswitch_id=text,
        security_group_ids=(text,),
        disks=(Disk(text, text, "system", text, 40, text), Disk(text, text, "data", "local_ssd", 40, text)),
        key_pair=text,
        ram_role=text,
        host_name=text,
        image_id=text,
    )
    place = replace(plan.candidates[0], instance_type=text, zone=text, vswitch_id=text, reason=text, problem=text)
    more = {"drain": Drain(text, text, 3.0), "warm_image": WarmImage(text, NOW), "image_name": text}
    plan = replace(
        plan, spec=spec, candidates=(place,), cautions=(Caution(CautionKind.NOT_LOOKED_UP, (text,)),), **more
    )
    desk.record = lambda *_: InstanceRecord(spec, NOW, ImageTiming(), desk.history)
    prices = replace(desk.surroundings.prices.value, instance_type=text, zone=text, currency=text)
    desk.surroundings = Background(Found(prices), Found(WarmImage(text, NOW)), Found(problem=text))
    desk.plans = {one.recovery_id: plan for one in (waits, runs, over)}
    facts = (poison, SourceFailed(text, failure), CallAnswered(text, text, text, (text,), text, text))
    facts = (*facts, CallFailed(text, failure), CallBegun(text, text), ProgressLost(NOW, failure))
    desk.log = tuple(Logged(n, NOW, fact, text, text, text) for n, fact in enumerate(facts))
    desk.history = (Past(over, text, text),)
    return desk


SCREENS = {
    "the panels": ((), "NEEDS YOU"),
    "the events": (("2",), "POISON"),
    "an instance": (("enter",), "Past reclaims"),
    "an event": (("2", "end", "enter"), "Body"),
    "a timeline": (("3", "enter"), "! sign"),
    "raw": (("v",), '"instance"'),
    "raw event": (("2", "end", "v"), '"body"'),
    "a plan": (("3", "y"), "Old → new"),
    "plans": (("3", "asterisk", "y"), "Recover "),
    "a veto": (("3", "down", "x"), "Nothing will be done"),
    "a cancel": (("3", "down", "down", "x"), "Retained, and billed"),
    "arming": (("a",), "Arm auto-mode?"),
    "leaving": (("q",), "NEEDS YOU"),
    "a storm": (("w",), "Storm"),
    "statistics": (("i",), "1 reclaim,"),
    "columns": (("C",), "Columns of"),
    "help": (("question_mark",), "Signs"),
    "debug": (("D",), "Recent errors"),
    "the palette": (("ctrl+p", *"theme"), "theme: dark"),
    "a copy": (("c",), "NEEDS YOU"),
    "sideways": (("2", "right"), "POISON"),
}


def is_harmless(text):
    marks = 0
    for character in text:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Mc") else 0
        if (
            (kind in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Me") and character != "\n")
            or character in TRICKS
            or marks > 3
        ):
            return False
    return True


@pytest.mark.parametrize("text", [MARKUP, STEERING, HIDING + WIDTHS], ids=["markup", "steering", "hiding"])
async def test_text_from_outside_is_only_text_on_every_screen(text, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    desk = hostile(text)
    async with running(desk, size=(120, 110), toasts_shown=True) as (pilot, _):
        app = pilot.app
        for name, (keys, until) in SCREENS.items():
            app.clear_notifications()
            app.main.instances.table.focus()
            await press(pilot, *keys)
            await shows(pilot, until)
            strips = app.screen._compositor.render_strips()
            assert {strip.cell_length for strip in strips} == {120}, name
            assert is_harmless("".join(strip.text for strip in strips)), name
            styles = [segment.style for strip in strips for segment in strip if segment.style]
            assert not [style for style in styles if style.link or "@click" in style.meta], name
            assert not [told for told in toasts(app) if not is_harmless(told)], name
            while app.screen is not app.main:
                await press(pilot, "escape")
            app.main.panel.table.unmark()
            app.main.panel.table.scroll_sideways(-9)


async def test_markup_stays_as_it_was_written():
    async with running(hostile(MARKUP), size=(160, 60)) as (pilot, _):
        await press(pilot, "enter")
        await shows(pilot, MARKUP)


async def test_a_hostile_name_is_harmless_in_a_picture_of_the_screen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "</text><script>alert(1)</script>"
    async with running(ScriptedDesk(view(instances=(instance(1, name),)))) as (pilot, _):
        await press(pilot, "enter", "ctrl+s")
        await wait_until(pilot, lambda: toasts(pilot.app))
        picture, text = sorted(tmp_path.iterdir())
        assert "<script" not in picture.read_text()
        assert name in text.read_text()
        assert name in screen(pilot.app)
