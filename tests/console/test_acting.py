from datetime import timedelta

import pytest
from msgspec.structs import replace

from spottui import actions
from spottui.action_context import ActionContext
from spottui.console.dialogs.plan import PlanDialog
from spottui.console.palette import title
from spottui.domain.balancers import Backend, Product
from spottui.domain.instance import InterruptionBehavior
from spottui.domain.interruption import Evidence
from spottui.domain.plan import Stock
from spottui.domain.recovery import Created, RecoveryState
from spottui.domain.routes import Route
from tests.console.driving import NARROW, WHO, arrived, press, running, screen, shows, tells, toasts, wait_until
from tests.console.scripted import NOW, FrozenClock, ScriptedDesk, instance, plan_of, reclaim, reclaims, recovery, view

WEB, ETL, JOB = reclaims().recoveries
ETL_INSTANCE = reclaims().instances[1]


def in_veto_window():
    of = instance(1, "web-3", recycling=True)
    waits = recovery(of, reclaim(of), RecoveryState.VETO_WINDOW, veto_until=NOW + timedelta(seconds=12))
    return ScriptedDesk(view(instances=(of,), interruptions=(reclaim(of),), recoveries=(waits,))), waits


@pytest.mark.parametrize("size", [(120, 40), NARROW])
async def test_y_shows_the_plan_and_enter_runs_exactly_that(size):
    async with running(size=size) as (pilot, desk):
        await press(pilot, "j", "y")
        digest = plan_of(ETL_INSTANCE).digest
        await shows(pilot, digest)
        assert "Run this plan (enter)" in screen(pilot.app)
        await press(pilot, "enter")
        await tells(desk, pilot, "confirm", ETL.recovery_id, digest, WHO)
        await wait_until(pilot, lambda: f"etl-7: confirmed, plan {digest}" in toasts(pilot.app))


async def test_the_plan_shows_old_and_new_of_everything_that_makes_the_machine():
    async with running(size=(120, 66)) as (pilot, desk):
        backend = Backend(Product.ALB, "", "sgp-1", ETL_INSTANCE.instance_id, port=8080, weight=70, name="shop")
        desk.plans[ETL.recovery_id] = replace(plan_of(ETL_INSTANCE), backends=(backend,))
        await press(pilot, "j", "y")
        await shows(pilot, "Old → new")
        for text in (
            "etl-7",
            "reclaimed in 04:11",
            "image 03:50 after y",
            "TIGHT",
            "! new private IP: 172.16.3.2 is in use until the release",
            "✕ data            all → nothing written after the image was started",
            "✕ private IP      172.16.3.2 → a new one",
            "= place           g7.xlarge in j, vsw-bp1h",
            "= load balancers  ALB shop:8080 weight 70: weight 0 at once, then the replacement",
            "= disks           system cloud_essd PL0 40 GiB, data cloud_essd PL1 100 GiB",
            "= unchanged       security groups, key pair, RAM role, host name, user data, tags",
            "1. ecs.g7.xlarge in cn-hangzhou-j (vsw-bp1h)  same type, zone and vSwitch",
            "2. ecs.g7.xlarge in cn-hangzhou-h",
            "system disk     d-1 cloud_essd PL0 40 GiB",
            "sg-bp1web sg-bp1ops",
            "ops-2026",
            "etl-writer",
            "env=prod team=checkout",
            "unchanged (not shown)",
            "CreateImage spottui-i-bp10002fmxazb4p0002 of i-bp10002fmxazb4p0002",
            "RunInstances ecs.g7.xlarge in cn-hangzhou-j, else at the next place",
            "UpdateServerGroupServersAttribute sgp-1 port 8080: weight 0, unless it is the last healthy one",
            "AddServersToServerGroup sgp-1 port 8080: the new instance, weight 70",
        ):
            assert text in screen(pilot.app)
        assert "NO LOCK SEEN" not in screen(pilot.app)
        assert "c2VjcmV0" not in screen(pilot.app)


async def test_esc_leaves_the_plan_without_a_command():
    async with running() as (pilot, desk):
        await press(pilot, "j", "y")
        await shows(pilot, "Old → new")
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.main
        assert desk.commands == []


async def test_at_80_by_24_all_that_matters_of_a_plan_stands_above_the_fold_and_the_rest_scrolls():
    async with running(size=NARROW) as (pilot, desk):
        plan = plan_of(ETL_INSTANCE)
        home, zone_h, _ = plan.candidates
        kinds = [
            replace(zone_h, instance_type=f"ecs.c{n}.large", vswitch_id="vsw-bp1fgiirvjapnu8yswyb") for n in range(9)
        ]
        known = {"stock": Stock.LOW, "interruption_rate": "3-5%", "price_per_hour": 0.42}
        places = [
            replace(one, reason="other type; low stock, interrupted 3-5%; rests: sold out", **known) for one in kinds
        ]
        routes = (Route.IMAGE, Route.KEPT_DISK, Route.WARM_IMAGE)
        desk.plans[ETL.recovery_id] = replace(
            plan, routes=routes, candidates=(home, *places), price_per_hour=0.5, surveyed=True
        )
        await press(pilot, "j", "y")
        await shows(pilot, "Old → new")
        for text in (
            "! new private IP: 172.16.3.2 is in use until the release",
            "✕ private IP      172.16.3.2 → a new one",
            "image, else kept-disk, else warm-image · w puts kept-disk first",
            "1. g7.xlarge in j ",
            "5. c3.large in h   0.420/h   low stock, 3-5%  other type; rests: sold out",
            "and 5 more, below",
            "Run this plan (enter)",
            "Close (esc)",
        ):
            assert any(text in line for line in screen(pilot.app).splitlines()), text
        await press(pilot, "end")
        await shows(pilot, "RunInstances")
        assert "etl-7" in screen(pilot.app)
        assert "Run this plan (enter)" in screen(pilot.app)


async def test_a_reclaim_without_a_lock_is_said_to_be_a_drill_until_the_lock_comes():
    async with running() as (pilot, desk):
        await press(pilot, "j", "j", "y")
        await shows(pilot, "NO LOCK SEEN: may be a drill; the old instance may keep running")
        first, second, third = desk.current.interruptions
        desk.show(interruptions=(first, second, replace(third, evidence=(Evidence.QUEUE, Evidence.LOCK))))
        await arrived(pilot, desk)
        pilot.app.screen.tick()
        await wait_until(pilot, lambda: "NO LOCK SEEN" not in screen(pilot.app))


async def test_until_the_plan_is_made_enter_runs_nothing_and_then_it_appears():
    async with running() as (pilot, desk):
        desk.plans[ETL.recovery_id] = None
        await press(pilot, "j", "y")
        await shows(pilot, "The plan is still being made…")
        assert desk.plans_asked
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, PlanDialog)
        desk.plans.clear()
        pilot.app.screen.tick()
        await shows(pilot, "Old → new")
        assert desk.commands == []


async def test_a_refused_plan_says_why():
    async with running() as (pilot, desk):
        desk.refuse = "no vSwitch for zone [b]h[/b]"
        await press(pilot, "j", "y")
        await shows(pilot, "no vSwitch for zone [b]h[/b]")


async def test_a_refused_recovery_of_an_instance_says_why_instead_of_showing_a_plan():
    async with running() as (pilot, desk):
        desk.refuse = "web-9 is not in the fleet any more"
        await press(pilot, "end", "r")
        await shows(pilot, "web-9 is not in the fleet any more")
        assert "Recover web-29: refused" in screen(pilot.app)
        assert "Run this plan" not in screen(pilot.app)
        assert "No reclaim is known" not in screen(pilot.app)
        await press(pilot, "enter")
        assert pilot.app.screen is pilot.app.main
        assert desk.commands == []


async def test_under_a_dialog_the_keys_of_the_screen_are_not_offered():
    async with running(size=NARROW) as (pilot, _):
        assert "a Auto" in screen(pilot.app)
        await press(pilot, "a")
        await shows(pilot, "Arm auto-mode?")
        assert screen(pilot.app).splitlines()[-1].startswith(" y confirm  enter esc close")


async def test_a_message_is_one_line_above_the_keys_and_only_the_newest():
    async with running(size=NARROW, toasts_shown=True) as (pilot, _):
        await press(pilot, "c")
        await press(pilot, "h")
        await shows(pilot, "No veto window on this row")
        lines = screen(pilot.app).splitlines()
        assert "No veto window on this row" in lines[22]
        assert "batch-12" in lines[21]
        assert "Copied" not in screen(pilot.app)
        await press(pilot, "j", "y")
        await shows(pilot, "Old → new")
        lines = screen(pilot.app).splitlines()
        assert "Run this plan (enter)" in "".join(lines[:22])
        assert "No veto window on this row" in lines[22]


async def test_a_success_goes_sooner_than_a_refusal():
    async with running() as (pilot, _):
        await press(pilot, "c")
        (success,) = pilot.app._notifications
        await press(pilot, "h")
        (refused,) = pilot.app._notifications
        assert success.timeout <= 3 < refused.timeout


async def test_a_refused_command_is_told():
    async with running() as (pilot, desk):
        await press(pilot, "j", "y")
        await shows(pilot, "Old → new")
        desk.refuse = "the plan has changed: look again"
        await press(pilot, "enter")
        await wait_until(pilot, lambda: desk.refuse in toasts(pilot.app))


async def test_r_recovers_an_instance_that_nobody_reclaims():
    async with running() as (pilot, desk):
        await press(pilot, "end", "r")
        await shows(pilot, "No reclaim is known: the instance keeps running alongside its replacement.")
        last = pilot.app.main.selection.instance
        await shows(pilot, plan_of(last).digest)
        await press(pilot, "enter")
        await tells(desk, pilot, "recover", last.region, last.instance_id, plan_of(last).digest, WHO)


async def test_r_on_an_instance_whose_recovery_waits_confirms_that_one():
    async with running() as (pilot, desk):
        await press(pilot, "j", "r")
        await shows(pilot, "Old → new")
        await press(pilot, "enter")
        await tells(desk, pilot, "confirm", ETL.recovery_id, plan_of(ETL_INSTANCE).digest, WHO)


async def test_r_on_an_instance_whose_recovery_runs_says_so():
    async with running() as (pilot, desk):
        await press(pilot, "r")
        assert toasts(pilot.app) == ["web-3: its recovery is already running."]
        assert desk.commands == []


async def test_x_vetoes_the_chosen_one_at_once_in_its_veto_window():
    desk, waits = in_veto_window()
    async with running(desk) as (pilot, _):
        await press(pilot, "x")
        await tells(desk, pilot, "veto", waits.recovery_id, WHO)


async def test_x_asks_before_it_vetoes_one_that_needs_a_person():
    async with running() as (pilot, desk):
        await press(pilot, "j", "x")
        await shows(pilot, "Veto the recovery of etl-7?")
        assert "no disk is protected yet: its data may be lost" in screen(pilot.app)
        await press(pilot, "enter")
        assert pilot.app.screen is pilot.app.main
        assert desk.commands == []
        await press(pilot, "x", "y")
        await tells(desk, pilot, "veto", ETL.recovery_id, WHO)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"created": (Created("kept disk", "d-1"),)}, "released; 1 disk is kept with its data"),
        ({"created": (Created("kept disk", "d-1"), Created("kept disk", "d-2"))}, "released; 2 disks are kept"),
        ({"route": Route.RESTART}, "stopped, not released: its disks stay"),
    ],
)
async def test_a_veto_says_of_the_data_what_is_true_of_one_and_of_several(more, said):
    first = reclaims()
    web, etl, job = first.recoveries
    desk = ScriptedDesk(replace(first, recoveries=(web, replace(etl, **more), job)))
    async with running(desk) as (pilot, _):
        await press(pilot, "j", "x")
        await shows(pilot, said)
        assert "may be lost" not in screen(pilot.app)
        await press(pilot, "escape", "3", "space", "space", "space", "x")
        await shows(pilot, f"etl-7 will be {said}")
        assert "batch-12 will be released unless this is a drill; no disk is protected yet" in screen(pilot.app)


async def test_x_on_a_running_one_says_what_is_lost_what_is_kept_and_what_that_costs():
    async with running(size=NARROW) as (pilot, desk):
        plan = plan_of(desk.current.instances[0])
        system, data = plan.spec.disks
        disks = (replace(system, disk_id="d-bp1aaa"), data)
        desk.plans[WEB.recovery_id] = replace(plan, spec=replace(plan.spec, disks=disks))
        desk.storage_price = {"snapshot": 0.02, "cloud_essd": 0.1}
        await press(pilot, "3", "x")
        await shows(pilot, "kept disk d-bp1aaa  40 GiB, at most 4.00 a month")
        assert "image m-bp7ab3kd9xw1  140 GiB, at most 2.80 a month" in screen(pilot.app)
        assert "web-3 is lost in 03:42, and nothing will replace it." in screen(pilot.app)
        await press(pilot, "enter", "x", "y")
        await tells(desk, pilot, "cancel", WEB.recovery_id, WHO)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"new_instance_id": "i-new"}, "i-new has been launched: it is too late to cancel."),
        ({"state": RecoveryState.RECOVERED, "ended": NOW}, "It has ended meanwhile: recovered."),
    ],
)
async def test_a_cancel_that_comes_too_late_says_so_and_is_not_sent(more, said):
    async with running() as (pilot, desk):
        await press(pilot, "3", "x")
        await shows(pilot, "Cancel the recovery of web-3?")
        first, *rest = desk.current.recoveries
        desk.show(recoveries=(replace(first, **more), *rest))
        await arrived(pilot, desk)
        pilot.app.screen.tick()
        await shows(pilot, said)
        assert "nothing will replace it" not in screen(pilot.app)
        await press(pilot, "y")
        assert desk.commands == []


@pytest.mark.parametrize(
    ("evidence", "behavior", "passed_s", "fate"),
    [
        ((Evidence.ENGINEER,), InterruptionBehavior.TERMINATE, 0, "keeps running: no reclaim of it is known."),
        (
            (Evidence.QUEUE,),
            InterruptionBehavior.TERMINATE,
            0,
            "has no lock: unless this is a drill, it is lost in 03:42",
        ),
        ((Evidence.LOCK,), InterruptionBehavior.STOP, 0, "is stopped in 03:42, not released"),
        (
            (Evidence.LOCK,),
            InterruptionBehavior.TERMINATE,
            230,
            "was reclaimed 00:08 ago, and nothing will replace it.",
        ),
    ],
)
async def test_a_cancel_says_what_becomes_of_the_instance(evidence, behavior, passed_s, fate):
    of = replace(instance(1, "web-1"), behavior=behavior)
    cause = reclaim(of, 222, evidence)
    runs = recovery(of, cause, RecoveryState.DRAINING)
    desk = ScriptedDesk(view(instances=(of,), interruptions=(cause,), recoveries=(runs,)))
    clock = FrozenClock()
    clock.go(passed_s)
    async with running(desk, clock=clock) as (pilot, _):
        await press(pilot, "x")
        await shows(pilot, f"web-1 {fate}")
        assert "Nothing is retained: no image, snapshot or disk" in screen(pilot.app)


def one_runs_and_one_waits(waits=RecoveryState.VETO_WINDOW):
    """web-1 is imaged and dies first, web-2 waits; web-3 is at peace."""
    one, two, three = (instance(n, recycling=n < 3) for n in (1, 2, 3))
    causes = reclaim(one, 100), reclaim(two, 200)
    runs = recovery(one, causes[0], RecoveryState.IMAGING)
    other = recovery(two, causes[1], waits, veto_until=NOW + timedelta(seconds=12))
    return ScriptedDesk(view(instances=(one, two, three), interruptions=causes, recoveries=(runs, other)))


@pytest.mark.parametrize("panel", ["1", "3"])
@pytest.mark.parametrize("waits", [RecoveryState.VETO_WINDOW, RecoveryState.NEEDS_YOU])
async def test_on_a_row_whose_recovery_runs_only_y_takes_another_one_and_its_plan_names_it(panel, waits):
    async with running(one_runs_and_one_waits(waits)) as (pilot, desk):
        await press(pilot, panel)
        footer = screen(pilot.app).splitlines()[-1]
        assert "x Cancel" in footer
        assert "y Confirm web-2" in footer
        assert ("h Hold web-2" in footer) is (waits is RecoveryState.VETO_WINDOW)
        await press(pilot, "y")
        await shows(pilot, "Recover web-2")
        await press(pilot, "escape")
        await press(pilot, "x")
        await shows(pilot, "Cancel the recovery of web-1?")
        assert desk.commands == []


@pytest.mark.parametrize("panel", ["1", "3"])
async def test_on_the_row_of_one_that_waits_the_keys_act_on_that_one(panel):
    async with running(one_runs_and_one_waits()) as (pilot, desk):
        await press(pilot, panel, "j", "h", "x")
        await wait_until(pilot, lambda: [command[0] for command in desk.commands] == ["hold", "veto"])
        assert {command[1] for command in desk.commands} == {desk.current.recoveries[1].recovery_id}
        await press(pilot, "y")
        await shows(pilot, "Recover web-2")


async def test_on_an_instance_at_peace_the_keys_take_the_only_one_in_its_veto_window_and_name_it():
    async with running(one_runs_and_one_waits()) as (pilot, desk):
        await press(pilot, "end")
        footer = screen(pilot.app).splitlines()[-1]
        for key in ("y Confirm web-2", "g Go now web-2", "x Veto web-2", "h Hold web-2"):
            assert key in footer
        await press(pilot, "h")
        await tells(desk, pilot, "hold", desk.current.recoveries[1].recovery_id, WHO)
        await press(pilot, "g")
        await shows(pilot, "Recover web-2")
        await press(pilot, "escape", "x")
        await shows(pilot, "Veto the recovery of web-2?")
        assert len(desk.commands) == 1


async def test_where_two_are_in_their_veto_window_only_the_row_says_which_is_meant():
    of, other = instance(1, "web-3"), instance(2, "web-4")
    windows = [recovery(one, reclaim(one), RecoveryState.VETO_WINDOW, veto_until=NOW) for one in (of, other)]
    three = (of, other, instance(3, "web-9"))
    async with running(ScriptedDesk(view(instances=three, recoveries=tuple(windows)))) as (pilot, desk):
        await press(pilot, "end", "x", "h")
        footer = screen(pilot.app).splitlines()[-1]
        assert not {"Veto", "Cancel", "Hold", "now"} & set(footer.split())
        await press(pilot, "home", "h")
        await tells(desk, pilot, "hold", windows[0].recovery_id, WHO)
        assert len(desk.commands) == 1


async def test_x_asks_when_what_ran_ended_and_one_in_its_veto_window_took_its_place_under_the_cursor():
    clock = FrozenClock()
    async with running(one_runs_and_one_waits(), clock=clock) as (pilot, desk):
        await press(pilot, "3")
        runs, waits = desk.current.recoveries
        desk.show(recoveries=(replace(runs, state=RecoveryState.RECOVERED, ended=NOW), waits))
        await arrived(pilot, desk)
        await press(pilot, "x")
        await shows(pilot, "Veto the recovery of web-2?")
        assert desk.commands == []
        await press(pilot, "escape")
        clock.go(2)
        await press(pilot, "x")
        await tells(desk, pilot, "veto", waits.recovery_id, WHO)


async def test_h_holds_in_a_veto_window():
    desk, waits = in_veto_window()
    async with running(desk) as (pilot, _):
        await press(pilot, "h")
        await tells(desk, pilot, "hold", waits.recovery_id, WHO)


async def test_g_goes_now_in_a_veto_window_after_showing_the_plan():
    desk, waits = in_veto_window()
    async with running(desk) as (pilot, _):
        await press(pilot, "g")
        await shows(pilot, "Old → new")
        assert desk.commands == []
        await press(pilot, "enter")
        await wait_until(pilot, lambda: bool(desk.commands))
        assert desk.commands[0][:2] == ("confirm", waits.recovery_id)


async def test_at_80_columns_a_veto_window_counts_down_beside_the_verdict_and_the_keys_are_all_there():
    desk, _ = in_veto_window()
    clock = FrozenClock()
    async with running(desk, size=NARROW, clock=clock) as (pilot, _):
        await shows(pilot, "veto 12s")
        footer = screen(pilot.app).splitlines()[-1]
        for key in ("y Confirm", "g Go now", "x Veto", "h Hold", "/ Filter", "? Help"):
            assert key in footer
        clock.go(1)
        pilot.app.main.tick()
        await shows(pilot, "veto 11s")


async def test_r_on_an_instance_at_peace_that_would_be_stopped_speaks_of_no_release():
    of = replace(instance(1), behavior=InterruptionBehavior.STOP)
    async with running(ScriptedDesk(view(instances=(of,)))) as (pilot, _):
        await press(pilot, "r")
        await shows(pilot, "Old → new")
        assert "No reclaim is known: the instance keeps running alongside its replacement." in screen(pilot.app)
        assert "released" not in screen(pilot.app)


async def test_g_is_the_first_row_where_no_veto_window_runs():
    async with running() as (pilot, _):
        await press(pilot, "end", "g")
        assert pilot.app.main.instances.table.model.cursor == 0


async def test_auto_is_armed_after_its_limits_were_shown_and_disarmed_at_once():
    async with running() as (pilot, desk):
        await press(pilot, "a")
        await shows(pilot, "at most 3 recoveries at once and 10 per hour")
        assert "veto window of 20 s" in screen(pilot.app)
        assert "recoveries that wait now are included; held ones stay held" in screen(pilot.app)
        await press(pilot, "escape", "a", "enter", "a", "y")
        await tells(desk, pilot, "arm", WHO)
        await shows(pilot, "AUTO armed · 0 running of 3")
        await press(pilot, "a")
        await tells(desk, pilot, "disarm", WHO)
        await shows(pilot, f"AUTO is off: disarmed by {WHO}")
        assert "✕" not in screen(pilot.app)


async def test_read_only_has_no_holes():
    desk, _ = in_veto_window()
    desk.show(read_only=True)
    async with running(desk, size=(200, 50)) as (pilot, _):
        main = pilot.app.main
        footer = screen(pilot.app).splitlines()[-1]
        offered = [command.title for command in pilot.app.get_system_commands(main)]
        for action in [action for action in actions.ACTIONS if action.danger]:
            assert action.title not in footer
            assert title(action) not in offered
            refused = actions.refusal(action, main.action_context)
            assert "read-only" in refused
            pilot.app.clear_notifications()
            pilot.app.act(action, refused)
            await wait_until(pilot, lambda refused=refused: toasts(pilot.app) == [refused])
            assert pilot.app.screen is main
            assert desk.commands == []


async def test_the_palette_offers_what_can_be_done_now():
    async with running() as (pilot, _):
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.main)}
        wanted = {"recovery: cancel (x)", "recovery: recover (r)", "program: help (?)", "theme: colour-blind"}
        assert wanted <= offered
        assert not {"recovery: veto (x)", "recovery: hold (h)"} & offered
        await press(pilot, "ctrl+p")
        await wait_until(pilot, lambda: pilot.app.screen is not pilot.app.main)
        await press(pilot, *"details", "enter")
        await shows(pilot, "SpotAsPriceGo")


async def test_c_copies_the_whole_id():
    async with running() as (pilot, _):
        await press(pilot, "c")
        assert pilot.app.clipboard == reclaims().instances[0].instance_id


async def test_in_tmux_a_copy_says_what_tmux_needs(monkeypatch):
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with running() as (pilot, _):
        await press(pilot, "c")
        assert toasts(pilot.app) == ["Copied i-bp10001fmxazb4p0001 · tmux needs set -g set-clipboard on"]


async def test_details_show_the_facts_and_the_timeline():
    async with running(size=(120, 60)) as (pilot, _):
        await press(pilot, "enter")
        for text in (
            "SpotAsPriceGo",
            "Q queue, L lock",
            "mia@bastion pts/3",
            "m-bp7ab3kd9xw1",
            "evidence LQ, deadline",
        ):
            await shows(pilot, text)
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.main


async def test_details_of_poison_show_its_body_harmlessly():
    async with running() as (pilot, _):
        await press(pilot, "2", "enter")
        await shows(pilot, "{�]0;x�")


async def test_help_names_every_action():
    async with running(size=(120, 110)) as (pilot, _):
        await press(pilot, "question_mark")
        for action in actions.ACTIONS:
            assert f"{action.title}:" in screen(pilot.app)


def test_a_key_that_sends_a_command_is_refused_by_a_read_only_console():
    assert [action.id for action in actions.ACTIONS if action.command and not action.danger] == []


def test_no_two_actions_that_can_be_meant_at_once_share_a_key():
    shared = {"x", "g", "y", "space"}
    keys = [key for action in actions.ACTIONS for key in action.keys]
    assert {key for key in keys if keys.count(key) > 1} == shared


@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
def test_the_footer_fits_and_ends_with_help(width):
    from spottui.console.widgets.footer import footer

    (own,) = in_veto_window()[0].current.recoveries
    context = ActionContext(recovery=own, waiting=own, in_window=own, on_instance=True, on_row=True)
    keys = footer(context, width)
    assert width < 80 or "Filter" in [key.title for key in keys]
    assert 1 + sum(key.cells for key in keys) <= width
    assert (keys[-1].shown, keys[-1].title) == ("?", "Help")
