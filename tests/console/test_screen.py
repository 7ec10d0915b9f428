"""What stands on the screen: panels, freshness, layout, hostile text."""

import random
import re
from datetime import timedelta

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.events import Key, MouseScrollDown
from textual.widget import Widget
from textual.widgets import Input

from spottui.actions import ACTIONS
from spottui.console.main_screen import MainScreen
from spottui.console.text.alarm import alarm
from spottui.console.text.auto_mode import auto_mode_text
from spottui.console.text.health import Problem
from spottui.console.widgets.lines import status
from spottui.domain.reasons import Failure, Reason, Why
from spottui.domain.recovery import RecoveryState
from spottui.domain.view import ApiBudget, SourceHealth
from tests.console.driving import (
    NARROW,
    WIDE,
    arrived,
    press,
    running,
    screen,
    settle,
    shows,
    texts,
    toasts,
    wait_until,
)
from tests.console.scripted import (
    AUTO_OFF,
    NOW,
    REGION,
    FrozenClock,
    ScriptedDesk,
    event,
    healthy,
    instance,
    message,
    planned,
    reclaim,
    reclaims,
    recovery,
    view,
)

HOSTILE = (
    "[red]x[/red]",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "实例-数据库-一号机-超长的名字",
    "e\u0301\u0301a",
    "{0} %s \\n",
)


def failed_sweep(**more):
    failure = Failure("DescribeInstances", "Forbidden.RAM", "permission", "not authorized", "7A6B-1")
    return SourceHealth("sweep", REGION, 30.0, failure=failure, **more)


def unanswered(name):
    return SourceHealth(name, REGION, 10.0)


async def test_the_panels_say_how_things_stand():
    async with running() as (pilot, _):
        text = screen(pilot.app)
        for title in ("Instances ── 29 spot · 3 reclaiming", "Recoveries ── 1 NEEDS YOU · 1 running · 1 suspected"):
            assert title in text
        assert "prod · cn-hangzhou" in text
        assert "AUTO off · 0 running  queue 0s   lock 2s   sweep 31s   02:13:22Z" in text
        assert "! 03:42" in text
        assert "imaging 62% ▓▓▓▓░░░░ 01:10  WILL MAKE IT launch c7.large in i" in text
        assert text.splitlines()[1].rstrip() == " 1 NEEDS YOU · etl-7 04:11 │ AUTO off"


async def test_where_there_are_several_regions_the_zone_names_its_own():
    both = (REGION, "cn-beijing")
    there = instance(2, "api-1", region="cn-beijing")
    desk = ScriptedDesk(view(regions=both, instances=(instance(1), there), sources=healthy(regions=both)))
    async with running(desk, size=(180, 40)) as (pilot, _):
        assert "Region" not in screen(pilot.app)
        assert " bj-" in screen(pilot.app)
        assert " hz-" in screen(pilot.app)
        assert "cn-hangzhou +1" in screen(pilot.app)


async def test_where_there_are_several_regions_the_alarm_names_that_of_each_instance():
    regions = (REGION, "cn-beijing", "eu-central-1")
    one, two, three = (instance(number, region=region) for number, region in enumerate(regions, 1))
    recoveries = (
        recovery(one, reclaim(one, 200), RecoveryState.NEEDS_YOU),
        recovery(two, reclaim(two, 190), RecoveryState.FAILED, ended=NOW),
        recovery(three, reclaim(three, 180), RecoveryState.VETO_WINDOW, veto_until=NOW + timedelta(seconds=9)),
    )
    told = view(regions=regions, instances=(one, two, three), recoveries=recoveries, sources=healthy(regions=regions))
    text = alarm(told, NOW, 200).plain
    assert text.startswith(" 1 NEEDS YOU · web-1 (hz) 03:20 │ 1 FAILED · web-2 (bj) 03:10 left, t retries │ ")
    assert "web-3 (eu-central-1) in veto window 9s, x vetoes" in text
    assert alarm(told, NOW, 82).plain == " 1 NEEDS YOU · web-1 (hz) 03:20 │ 1 FAILED 03:10 left"


@pytest.mark.parametrize(
    ("auto", "whole", "short"),
    [
        (AUTO_OFF, "AUTO off · 0 running", "AUTO off"),
        (replace(AUTO_OFF, in_flight=5), "AUTO off · 5 running", "AUTO off"),
        (replace(AUTO_OFF, armed=True, in_flight=2), "AUTO armed · 2 running of 3", "AUTO armed 2/3"),
        (replace(AUTO_OFF, armed=True, in_flight=3), "AUTO armed · 3 running of 3", "AUTO armed 3/3"),
        (replace(AUTO_OFF, armed=True, in_flight=5), "AUTO armed, full at 3 · 5 running", "AUTO armed, full"),
    ],
)
def test_more_recoveries_than_the_limit_of_auto_mode_are_no_defect(auto, whole, short):
    assert auto_mode_text(auto, whole=True) == whole
    assert auto_mode_text(auto) == short


async def test_the_countdown_draws_only_the_rows_that_changed():
    clock = FrozenClock()
    async with running(clock=clock, drawn=True) as (pilot, _):
        table = pilot.app.main.instances.table
        await settle(pilot)
        before = table.lines_drawn
        clock.go(1)
        pilot.app.main.tick()
        await shows(pilot, "! 03:41")
        assert table.lines_drawn - before == 3
        before = [panel.table.lines_drawn for panel in pilot.app.main.panels]
        pilot.app.main.tick()
        await settle(pilot)
        assert [panel.table.lines_drawn for panel in pilot.app.main.panels] == before


async def test_ten_thousand_rows_are_never_all_drawn():
    desk = ScriptedDesk(view(instances=tuple(instance(n) for n in range(10_000))))
    async with running(desk, drawn=True) as (pilot, _):
        table = pilot.app.main.instances.table
        await shows(pilot, "10,000 spot")
        await settle(pilot)
        assert table.lines_drawn < 10 * table.size.height
        before = table.lines_drawn
        await press(pilot, "down")
        await settle(pilot)
        assert table.lines_drawn - before == 2
        chosen = table.model.chosen[0]
        before = table.lines_drawn
        changed = replace(desk.current.instances[9_999], name="another")
        desk.show(instances=(*desk.current.instances[:9_999], changed))
        await arrived(pilot, desk)
        await settle(pilot)
        assert table.lines_drawn - before <= table.size.height
        assert table.model.chosen[0] == chosen


async def test_a_view_in_which_only_the_ages_of_the_sources_are_new_draws_nothing(monkeypatch):
    monkeypatch.setattr(MainScreen, "tick", lambda _: None)  # Once a second it writes the ages.
    async with running() as (pilot, desk):
        await settle(pilot)
        drawn = []
        refresh = Widget.refresh
        monkeypatch.setattr(
            Widget, "refresh", lambda self, *a, **more: (drawn.append(self), refresh(self, *a, **more))[1]
        )
        desk.show(at=NOW + timedelta(seconds=1), sources=healthy(NOW + timedelta(seconds=1)))
        await arrived(pilot, desk)
        await settle(pilot)
        assert drawn == []
        desk.show(profile="other")
        await shows(pilot, "other · cn-hangzhou")
        assert drawn == [pilot.app.screen.query_one("#header")]


@pytest.mark.parametrize("size", [(60, 24), NARROW, WIDE, (200, 50)])
async def test_nothing_in_the_header_moves_as_ages_grow_and_the_region_is_always_there(size):
    clock = FrozenClock()
    async with running(clock=clock, size=size) as (pilot, _):
        before = screen(pilot.app).splitlines()[0]
        for seconds in (1, 8, 10):
            clock.go(seconds)
            pilot.app.main.tick()
            await pilot.pause()
            now = screen(pilot.app).splitlines()[0]
            places = [[line.find(word) for word in ("cn-hangzhou", "AUTO", "02:13")] for line in (before, now)]
            assert -1 not in places[1]
            assert places[0] == places[1] or size[0] == 60  # There only what is stale has room, once it is.


async def test_what_fails_is_said_aloud_until_it_is_taken_up():
    runs, *others = reclaims().recoveries
    refused = Failure("CreateImage", "Forbidden.RAM", "permission", "no")
    why = Reason(Why.NO_IMAGE, failure=refused)
    lost = replace(runs, state=RecoveryState.FAILED, ended=NOW, trouble=refused, reason=why)
    async with running(size=NARROW) as (pilot, desk):
        rung = pilot.app.bells
        desk.show(recoveries=(lost, *others))
        await shows(pilot, "Recoveries ── 1 FAILED · 1 NEEDS YOU · 1 suspected")
        alarm = " 1 NEEDS YOU · etl-7 04:11 │ 1 FAILED · web-3 03:42 left, t retries │ AUTO off"
        assert screen(pilot.app).splitlines()[1].rstrip() == alarm
        await pilot.resize_terminal(50, 10)
        await shows(pilot, "spottui needs 60×16 at least")
        assert screen(pilot.app).splitlines()[0].rstrip() == " 1 NEEDS YOU · etl-7 04:11 │ 1 FAILED 03:42 left"
        await pilot.resize_terminal(*NARROW)
        await shows(pilot, "Recoveries ── 1 FAILED")
        assert "FAILED" in pilot.app.window_title
        assert pilot.app.bells == rung + 1
        assert toasts(pilot.app) == ["web-3: recovery FAILED · Forbidden.RAM · grant CreateImage, then press t"]
        assert re.search(r"web-3 +FAILED +Forbidden.RAM · ", screen(pilot.app))
        desk.show(recoveries=(replace(runs, run=1), *others))
        await shows(pilot, "Recoveries ── 1 NEEDS YOU · 1 running · 1 suspected")
        assert "FAILED" not in screen(pilot.app) + pilot.app.window_title


async def test_what_failed_before_the_start_is_shown_but_not_announced_again():
    runs, *others = reclaims().recoveries
    lost = replace(runs, state=RecoveryState.FAILED, ended=NOW - timedelta(hours=2))
    async with running(ScriptedDesk(replace(reclaims(), recoveries=(lost, *others)))) as (pilot, desk):
        await shows(pilot, "1 FAILED · web-3 03:42 left, t retries")
        assert toasts(pilot.app) == []
        desk.show(at=NOW + timedelta(days=1))
        await wait_until(pilot, lambda: "t retries │" not in screen(pilot.app))


async def test_a_change_of_one_visible_row_draws_that_row():
    async with running(drawn=True) as (pilot, desk):
        table = pilot.app.main.instances.table
        await settle(pilot)
        before = table.lines_drawn
        first, *rest = desk.current.instances
        desk.show(instances=(replace(first, instance_type="ecs.c8.large"), *rest))
        await shows(pilot, "ecs.c8.large")
        assert table.lines_drawn - before == 1


async def test_a_burst_collapses():
    async with running() as (pilot, desk):
        shown = []
        show = pilot.app.main.show
        pilot.app.main.show = lambda message: (shown.append(message.view.version), show(message))
        for number in range(60):
            desk.show(profile=f"p{number}")
            await pilot.pause(0.005)
        await shows(pilot, "p59")
        assert len(shown) <= 8


async def test_a_stale_source_is_said_in_the_border_and_the_header():
    sources = (*healthy()[:2], SourceHealth("sweep", REGION, 30.0, NOW - timedelta(seconds=142)))
    async with running(ScriptedDesk(replace(reclaims(), sources=sources))) as (pilot, _):
        assert "Instances ── STALE 2m22s ── 29 spot" in screen(pilot.app)
        assert "sweep 2m!" in screen(pilot.app)
        assert "no answer for 2m22s" in screen(pilot.app)


async def test_an_error_is_shown_with_its_code_and_when_it_is_tried_again():
    clock = FrozenClock()
    broken = failed_sweep(last_ok=NOW, next_try=NOW + timedelta(seconds=8))
    async with running(ScriptedDesk(replace(reclaims(), sources=(*healthy()[:2], broken))), clock=clock) as (pilot, _):
        await shows(pilot, "✕ Forbidden.RAM · sweep cn-hangzhou · next try 8s · DescribeInstances: not authorized [Req")
        clock.go(3)
        pilot.app.main.tick()
        await shows(pilot, "next try 5s")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            Failure("ReceiveMessage", "SignatureDoesNotMatch", "credentials", "The request signature we calculated"),
            "SignatureDoesNotMatch",
        ),
        (Failure("ReceiveMessage", "QueueNotExist", "not found", request_id="7A6B"), "QueueNotExist"),
        (Failure("X", "", "no answer", "connection refused"), "no answer: connection refused"),
        (Failure("X", "", "service error", request_id="7"), "service error"),
        (Failure("X", "", "no answer", "[Errno 111] Connection refused"), "no answer: Connection refused"),
        (Failure("X", "", "no answer", "the name of the host cannot be found"), "no answer: the name of the host ca…"),
        (Failure("", message="no credentials at all"), "no credentials at all"),
    ],
)
async def test_at_80_columns_an_error_begins_with_its_cause(failure, said):
    broken = SourceHealth("queue", REGION, 30.0, NOW, failure, NOW + timedelta(seconds=3))
    async with running(ScriptedDesk(view(sources=(broken, *healthy()[1:]))), size=NARROW) as (pilot, _):
        await shows(pilot, f" ✕ {said} · queue cn-hangzhou · next try 3s")


def test_the_count_of_problems_stands_behind_the_cause_and_is_never_cut():
    problems = (Problem("SignatureDoesNotMatch · queue", "more"), Problem("x" * 200), Problem(""))
    lines = [status(problems, NOW + timedelta(seconds=5 * turn), 80).plain.rstrip() for turn in range(3)]
    assert " ✕ SignatureDoesNotMatch · queue · problem 1 of 3 · more" in lines
    assert f" ✕ {'x' * 58}… · problem 2 of 3" in lines


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"budgets": (ApiBudget("RunInstances", REGION, NOW + timedelta(seconds=23), 5.0, 4),)},
            "RunInstances throttled · cn-hangzhou · opens in 23s · 4 calls wait",
        ),
        (
            {"auto": replace(AUTO_OFF, armed=True, resting=(("c7.large in h", NOW + timedelta(seconds=90)),))},
            "AUTO avoids c7.large in h for 90s",
        ),
    ],
)
async def test_what_holds_recoveries_up_is_said(more, said):
    async with running(ScriptedDesk(view(**more))) as (pilot, _):
        await shows(pilot, f"✕ {said}")


async def test_several_problems_take_turns():
    clock = FrozenClock()
    desk = ScriptedDesk(replace(reclaims(), sources=(failed_sweep(last_ok=NOW),), problem="the journal's disk is full"))
    async with running(desk, clock=clock) as (pilot, _):
        seen = set()
        for _ in range(4):
            seen |= {text for text in ("disk is full", "Forbidden.RAM") if text in screen(pilot.app)}
            clock.go(5)
            pilot.app.main.tick()
            await settle(pilot)
        assert seen == {"disk is full", "Forbidden.RAM"}


async def test_an_empty_fleet_is_not_called_quiet_when_the_sweep_failed():
    desk = ScriptedDesk(view(sources=(*healthy()[:2], failed_sweep())))
    async with running(desk) as (pilot, _):
        await shows(pilot, "The fleet: unknown. sweep cn-hangzhou: DescribeInstances")
        assert "Instances ── NO ANSWER YET ── not known yet" in screen(pilot.app)
        assert "0 spot" not in screen(pilot.app)
        assert "No spot instance" not in screen(pilot.app)


async def test_before_the_first_sweep_no_number_is_stated():
    desk = ScriptedDesk(view(sources=tuple(unanswered(name) for name in ("queue", "lock", "sweep"))))
    async with running(desk, size=NARROW) as (pilot, _):
        await shows(pilot, "Instances ── not known yet")
        assert "0 spot" not in screen(pilot.app)
        assert "Nothing is being reclaimed" not in screen(pilot.app)


async def test_a_fleet_of_an_earlier_run_is_stale_when_no_answer_came():
    desk = ScriptedDesk(view(instances=(instance(1),), sources=(*healthy()[:2], failed_sweep())))
    async with running(desk) as (pilot, _):
        await shows(pilot, "Instances ── STALE ── 1 spot · 0 reclaiming")
        assert "NO ANSWER YET" not in screen(pilot.app)


async def test_a_region_that_never_answered_is_named_and_not_counted():
    both = (REGION, "cn-beijing")
    desk = ScriptedDesk(view(regions=both, instances=(instance(1),), sources=healthy()))
    async with running(desk) as (pilot, _):
        await shows(pilot, "Instances ── 1 spot · cn-beijing not known yet")


@pytest.mark.parametrize("silent", ["queue", "lock"])
async def test_nothing_is_said_to_be_reclaimed_only_when_lock_and_queue_have_answered(silent):
    desk = ScriptedDesk(view(sources=tuple(unanswered(s.name) if s.name == silent else s for s in healthy())))
    async with running(desk) as (pilot, _):
        await shows(pilot, "Reclaims: waiting for the first answer")
        assert "Nothing is being reclaimed" not in screen(pilot.app)
        desk.show(sources=healthy())
        await shows(pilot, "Nothing is being reclaimed")


async def test_read_only_says_that_the_queue_is_not_read():
    desk = ScriptedDesk(view(read_only=True, sources=healthy()[1:]))
    async with running(desk) as (pilot, _):
        await shows(pilot, "queue not read  lock 2s")
        assert "No lock is seen. The queue is not read (read-only)" in screen(pilot.app)
        assert "Nothing is being reclaimed" not in screen(pilot.app)
        await pilot.resize_terminal(*NARROW)
        await shows(pilot, "AUTO off  Q –  L 2s   S 31s   02:13:22Z")
        assert "  AUTO" in screen(pilot.app)


async def test_read_only_counts_and_rings_for_a_lock_alone():
    locked = instance(1, recycling=True)
    desk = ScriptedDesk(view(read_only=True, sources=healthy()[1:], instances=(locked, instance(2))))
    async with running(desk) as (pilot, _):
        await shows(pilot, "2 spot · 1 reclaiming")
        assert "No recovery is open." in screen(pilot.app)
        assert "No lock is seen" not in screen(pilot.app)
        assert (pilot.app.bells, pilot.app.window_title) == (1, "(1!) spottui")


async def test_what_is_saved_is_counted_apart_and_alarms_nobody():
    first = reclaims()
    runs, *others = first.recoveries
    saved = replace(runs, state=RecoveryState.RECOVERED, new_instance_id="i-bp1new", ended=NOW)
    desk = ScriptedDesk(replace(first, recoveries=(saved, *others)))
    async with running(desk, size=(200, 50)) as (pilot, _):
        await shows(pilot, "29 spot · 2 reclaiming · 1 saved")
        lines = texts(pilot.app.main.instances.table)
        assert "batch-12" in lines[2]
        assert lines[3].startswith("✓ 03:42")
        assert "Recycling" in lines[3]
        assert "i-bp1new" in lines[3]
        assert pilot.app.window_title == "(2!) spottui"


async def test_reclaims_are_counted_as_the_rows_have_them_also_after_a_release():
    first = reclaims()
    gone, *others = first.instances
    is_gone = replace(first.interruptions[0], released_at=NOW)
    seen = replace(first, instances=tuple(others), interruptions=(is_gone, *first.interruptions[1:]))
    async with running(ScriptedDesk(seen), size=(200, 50)) as (pilot, desk):
        await shows(pilot, "28 spot · 2 reclaiming · 1 gone")
        marked = [line for line in texts(pilot.app.main.instances.table) if line.startswith("!")]
        assert len(marked) == 2
        assert pilot.app.window_title == "(3!) spottui", "nothing runs in its place yet"
        runs, *rest = first.recoveries
        saved = replace(runs, state=RecoveryState.RECOVERED, new_instance_id="i-bp1new", ended=NOW)
        desk.show(recoveries=(saved, *rest))
        await shows(pilot, "28 spot · 2 reclaiming ")
        assert gone.name not in [one.name for one in desk.current.instances]


async def test_an_empty_fleet_is_called_empty_when_the_sweep_said_so():
    async with running(ScriptedDesk(view())) as (pilot, _):
        await shows(pilot, "No spot instance in cn-hangzhou.")


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_stay_literal_and_break_no_column(name):
    of = instance(1, name, recycling=True)
    lines = (event(1, message(name), of.instance_id),)
    desk = ScriptedDesk(view(instances=(of, instance(2)), interruptions=(reclaim(of),), events=lines))
    async with running(desk, size=WIDE) as (pilot, _):
        for size in (WIDE, NARROW):
            await pilot.resize_terminal(*size)
            drawn = pilot.app.screen._compositor.render_strips
            await wait_until(
                pilot, lambda width=size[0], drawn=drawn: {line.cell_length for line in drawn()} == {width}
            )
            table = pilot.app.main.instances.table
            hostile, plain = (table.render_line(y) for y in (1, 2))
            assert "\x1b" not in hostile.text
            assert "\u202e" not in hostile.text
            assert hostile.cell_length == plain.cell_length == table.scrollable_content_region.width
            assert cell_len(hostile.text[: hostile.text.index("ecs.")]) == plain.text.index("ecs.")
            if name.startswith("["):
                assert name[:7] in hostile.text
        await press(pilot, "enter")
        await shows(pilot, "SpotAsPriceGo")


async def test_the_bell_rings_once_for_each_reclaim():
    first = reclaims()
    desk = ScriptedDesk(replace(first, interruptions=first.interruptions[:1]))
    async with running(desk) as (pilot, _):
        assert (pilot.app.bells, pilot.app.window_title) == (1, "(1!) spottui")
        desk.show(profile="the same again")
        await arrived(pilot, desk)
        assert pilot.app.bells == 1
        desk.show(interruptions=first.interruptions)
        await arrived(pilot, desk)
        assert (pilot.app.bells, pilot.app.window_title) == (2, "(3!) spottui")
        desk.show(interruptions=())
        await arrived(pilot, desk)
        assert pilot.app.window_title == "spottui"


async def test_the_bell_can_be_turned_off():
    async with running(bell=False) as (pilot, _):
        assert pilot.app.bells == 0


async def test_below_100_columns_events_take_the_place_of_instances():
    async with running(size=NARROW) as (pilot, _):
        assert "Instances ──" in screen(pilot.app)
        assert "Recoveries ──" in screen(pilot.app)
        assert "2 Events (7)" in screen(pilot.app)
        await press(pilot, "2")
        await shows(pilot, "set aside")
        assert "Instances ──" not in screen(pilot.app)
        assert "Recoveries ──" in screen(pilot.app)
        await press(pilot, "3")
        assert pilot.app.main.panel is pilot.app.main.recoveries
        await press(pilot, "1")
        await shows(pilot, "Instances ──")


async def test_a_terminal_that_is_too_small_is_told_so_and_nothing_is_lost():
    async with running() as (pilot, _):
        await press(pilot, "slash", *"web", "enter", "down", "down")
        chosen = pilot.app.main.instances.table.model.chosen
        for size in ((50, 12), (80, 24), (59, 40), (200, 50)):
            await pilot.resize_terminal(*size)
            is_small = size[0] < 60
            await wait_until(pilot, lambda is_small=is_small: ("needs 60×16" in screen(pilot.app)) is is_small)
        assert pilot.app.main.instances.table.model.chosen == chosen
        assert "/ web · 27/29" in screen(pilot.app)


async def test_at_200_by_50_the_table_has_whole_ids_an_event_its_whole_text_and_the_footer_more_keys():
    async with running(size=(200, 50)) as (pilot, _):
        text = screen(pilot.app)
        assert text.count("i-bp10001fmxazb4p0001") == 1
        assert text.count("i-bp10…0001") == 3
        for key in ("T Timeline", "z Zoom", "c Copy id", "q Quit", "? Help"):
            assert key in text.splitlines()[-1]
        await pilot.resize_terminal(*NARROW)
        await shows(pilot, "i-bp10…0001 web-3")


async def test_zoom_gives_one_panel_the_screen_and_takes_it_back():
    async with running() as (pilot, _):
        await press(pilot, "3", "z")
        await wait_until(pilot, lambda: "Instances ──" not in screen(pilot.app))
        assert "Recoveries ──" in screen(pilot.app)
        await press(pilot, "2")
        await shows(pilot, "set aside")
        assert "Recoveries ──" not in screen(pilot.app)
        await press(pilot, "escape")
        await shows(pilot, "Recoveries ──")


async def test_the_recoveries_take_the_rows_that_they_need():
    def has(height):
        return lambda: pilot.app.main.recoveries.size.height == height

    async with running(ScriptedDesk(view()), size=(200, 50)) as (pilot, desk):
        for state, many, lines in (
            (RecoveryState.IMAGING, 0, 6),
            (RecoveryState.IMAGING, 3, 6),
            (RecoveryState.IMAGING, 8, 11),
            (RecoveryState.IMAGING, 60, 30),
            (RecoveryState.RECOVERED, 60, 20),
        ):
            made = [instance(n) for n in range(many)]
            ended = NOW if state.is_final else None
            desk.show(recoveries=tuple(recovery(of, reclaim(of), state, ended=ended) for of in made))
            await arrived(pilot, desk)
            await wait_until(pilot, has(lines - 2))
            await press(pilot, "3", "z")
            await wait_until(pilot, has(46))
            await press(pilot, "z")
            await wait_until(pilot, has(lines - 2))


async def test_at_80_by_24_all_of_eight_reclaims_are_seen_and_what_comes_next_can_be_read():
    made = [instance(n) for n in range(8)]
    step = planned("ecs.c7.large", "cn-hangzhou-h", "cn-hangzhou-i")
    recoveries = tuple(recovery(of, reclaim(of), RecoveryState.NEEDS_YOU, next_step=step) for of in made)
    async with running(ScriptedDesk(view(recoveries=recoveries)), size=NARROW) as (pilot, _):
        await shows(pilot, "web-7")
        assert screen(pilot.app).count("→ zone h, else i · c7.l") == 8


async def test_the_filter_works_as_it_is_typed_and_esc_takes_it_away():
    async with running() as (pilot, _):
        await press(pilot, "slash", *"zone:i -web-1")
        await shows(pilot, "/ zone:i -web-1 ·")
        names = [pilot.app.main.instances.table.model.rows[key][5] for key in pilot.app.main.instances.table.model.view]
        assert names == ["web-3", "web-4", "web-7", "web-22", "web-25", "web-28"]
        await press(pilot, "enter", "escape")
        await wait_until(pilot, lambda: len(pilot.app.main.instances.table.model.view) == 29)
        assert pilot.app.focused is pilot.app.main.instances.table


async def test_letters_that_come_in_one_burst_with_the_key_of_the_filter_are_its_words_and_do_not_act():
    async with running() as (pilot, desk):
        for key, character in (("2", "2"), ("slash", "/"), *((letter, letter) for letter in "axw"), ("minus", "-")):
            pilot.app.post_message(Key(key, character))
        await wait_until(pilot, lambda: isinstance(pilot.app.focused, Input) and pilot.app.focused.value == "axw-")
        assert pilot.app.screen is pilot.app.main
        assert (desk.commands, toasts(pilot.app)) == ([], [])


async def test_a_filter_that_cannot_be_understood_keeps_the_view_and_says_why():
    async with running() as (pilot, _):
        await press(pilot, "slash", *"-")
        await shows(pilot, "/ - ✕ - needs a word after it")
        assert len(pilot.app.main.instances.table.model.view) == 29
        await press(pilot, *"web disk:x")
        await shows(pilot, "no column disk")


async def test_the_mouse_chooses_rows_and_sorts_by_titles():
    async with running() as (pilot, _):
        table = pilot.app.main.instances.table
        await pilot.click(table, offset=(15, 4))
        assert table.model.cursor == 3
        header = texts(table)[0]
        await pilot.click(table, offset=(header.index("Name") + 1, 0))
        await shows(pilot, "Name▲")
        await pilot.click(table, offset=(header.index("Name") + 1, 0))
        await shows(pilot, "Name▼")


async def test_the_wheel_scrolls_without_moving_the_cursor():
    desk = ScriptedDesk(view(instances=tuple(instance(n) for n in range(200))))
    async with running(desk) as (pilot, _):
        table = pilot.app.main.instances.table
        chosen = table.model.chosen
        await pilot._post_mouse_events([MouseScrollDown], table, button=0)
        await wait_until(pilot, lambda: table.scroll_offset.y > 0)
        assert table.model.chosen == chosen


async def test_the_cursor_and_the_rows_in_sight_stay_when_rows_come_above():
    desk = ScriptedDesk(view(instances=tuple(instance(n, f"m-{n:03}") for n in range(100, 200))))
    async with running(desk) as (pilot, _):
        table = pilot.app.main.instances.table
        await press(pilot, "pagedown", "pagedown", "pagedown")
        chosen, top = table.model.chosen, table.model.view[table.scroll_offset.y]
        desk.show(instances=(*desk.current.instances, instance(1, "a-1"), instance(2, "a-2")))
        await arrived(pilot, desk)
        assert table.model.chosen == chosen
        assert table.model.view[table.scroll_offset.y] == top


async def test_no_color_uses_no_colour_and_still_shows_the_cursor(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with running() as (pilot, _):
        cursor = pilot.app.main.instances.table.render_line(1)
        assert all(segment.style.reverse for segment in cursor if segment.style)
        assert not any(command.title.startswith("theme") for command in pilot.app.get_system_commands(pilot.app.screen))
        strips = [
            strip.apply_filter(f, pilot.app.screen.background_colors[1])
            for strip in pilot.app.screen._compositor.render_strips()
            for f in pilot.app._filters
            if f.enabled
        ]
        colours = {s.style.color.name for strip in strips for s in strip if s.style and s.style.color}
        assert colours <= {"default"}


@pytest.mark.parametrize("seed", range(2))
async def test_no_key_at_any_moment_brings_the_console_down(seed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chance = random.Random(seed)
    keys = [key for action in ACTIONS for key in action.keys if action.id not in ("quit", "palette")]
    async with running() as (pilot, desk):
        for step in range(40):
            await pilot.press(chance.choice([*keys, "enter", "escape", "tab", "a", "left"]))
            if step % 10 == 0:
                desk.show(instances=desk.current.instances[chance.randrange(3) :])
        await arrived(pilot, desk)
        assert pilot.app._exception is None


async def test_the_clock_and_the_countdowns_go_on_by_themselves():
    clock = FrozenClock()
    async with running(clock=clock) as (pilot, _):
        await shows(pilot, "! 03:42")
        clock.go(1)
        await shows(pilot, "02:13:23Z")
        await shows(pilot, "! 03:41")


async def test_between_two_ticks_the_alarm_and_the_rows_say_the_same_time():
    clock = FrozenClock()
    async with running(clock=clock) as (pilot, desk):
        for _ in range(4):
            clock.go(0.7)
            desk.show(events=desk.current.events[:-1])
            await arrived(pilot, desk)
            lines = screen(pilot.app).splitlines()
            left = next(line for line in lines if "NEEDS YOU · etl-7" in line).split("etl-7 ")[1][:5]
            assert any(line.startswith(f"│{left}  etl-7") for line in lines), left
