"""The keys act on what a page shows, the mouse presses what is named, and a key without a meaning says so."""

from datetime import timedelta

from msgspec.structs import replace

from spottui.console.dialogs.plan import PlanDialog
from spottui.domain.facts import CallBegun, CallFailed
from spottui.domain.plan import Caution, CautionKind, Stock
from spottui.domain.reasons import Failure
from spottui.domain.recovery import RecoveryState, Try
from tests.console.driving import NARROW, WHO, arrived, press, running, screen, shows, tells, toasts, wait_until
from tests.console.scripted import NOW, ScriptedDesk, instance, plan_of, reclaim, recovery, view
from tests.console.test_pages import told

REFUSED = Failure("RunInstances", "OperationDenied.NoStock", message="sold out [b]here[/b]", request_id="REQ-3")
LAUNCH = Try(("ecs.g7.large", "cn-hangzhou-j", False), "vsw-bp1j", "m-bp7", "t2")

ONE_ZONE = Caution(CautionKind.ONE_ZONE)


def three():
    """One that needs a person, one in its veto window in the same zone and type, and one that failed."""
    made = [instance(number, f"web-{number}", recycling=True) for number in (1, 4, 7)]
    states = (RecoveryState.NEEDS_YOU, RecoveryState.VETO_WINDOW, RecoveryState.FAILED)
    needs, veto, failed = (
        recovery(of, reclaim(of, 200 + 10 * n), state, image_s=60.0, veto_until=NOW + timedelta(seconds=15))
        for n, (of, state) in enumerate(zip(made, states, strict=True))
    )
    failed = replace(failed, ended=NOW, veto_until=None)
    causes = tuple(one.interruption for one in (needs, veto, failed))
    desk = ScriptedDesk(view(instances=tuple(made), interruptions=causes, recoveries=(needs, veto, failed)))
    desk.log = (
        told(-57, CallBegun("CreateImage", "t1", "i-1")),
        told(-40, CallBegun("RunInstances", "t2", attempt=LAUNCH)),
        told(-39.5, CallFailed("RunInstances", REFUSED, "t2")),
    )
    return desk, needs, veto, failed


async def test_on_a_timeline_the_keys_act_on_its_recovery_and_enter_shows_each_call_in_full():
    desk, needs, _, failed = three()
    async with running(desk, size=NARROW) as (pilot, _):
        await press(pilot, "3", "j", "enter")
        await shows(pilot, "Recovery of web-1")
        await shows(pilot, "y Confirm  x Veto  esc Close")
        await press(pilot, "y")
        await shows(pilot, plan_of(desk.current.instances[0]).digest)
        await press(pilot, "enter")
        await tells(desk, pilot, "confirm", needs.recovery_id, plan_of(desk.current.instances[0]).digest, WHO)
        await shows(pilot, "› 02:12:42 ")
        await press(pilot, "enter")
        for text in (
            "ecs.g7.large",
            "cn-hangzhou-j",
            "vsw-bp1j",
            "m-bp7",
            "ClientToken       t2",
            "REQ-3",
            "sold out [b]",
        ):
            await shows(pilot, text)
        await press(pilot, "escape", "down", "enter")
        await shows(pilot, "i-1")
        assert "ClientToken       t1" in screen(pilot.app)
        await press(pilot, "escape", "g")
        assert "No veto window on this row." in toasts(pilot.app) or pilot.app.screen.cursor == 0
        await press(pilot, "escape", "up", "enter")
        await shows(pilot, "Recovery of web-7")
        await press(pilot, "t")
        await shows(pilot, plan_of(desk.current.instances[2]).digest)
        await press(pilot, "enter")
        await tells(desk, pilot, "retry", failed.recovery_id, plan_of(desk.current.instances[2]).digest, WHO)


async def test_on_a_storm_the_keys_act_on_the_row_and_on_an_instance_on_its_recovery():
    desk, needs, veto, _ = three()
    async with running(desk, size=NARROW) as (pilot, _):
        await press(pilot, "w", "x")
        await shows(pilot, "Veto 2 recoveries?")
        assert "web-7" not in "".join(line for line in screen(pilot.app).splitlines() if "its data may" in line)
        await press(pilot, "escape", "y")
        await shows(pilot, "Recover 2 instances")
        await press(pilot, "escape", "h")
        await tells(desk, pilot, "hold", veto.recovery_id, WHO)
        desk.show(recoveries=(veto,))
        await arrived(pilot, desk)
        await press(pilot, "x")
        await shows(pilot, "Veto the recovery of web-4?")
        desk.show(recoveries=(needs, veto))
        await arrived(pilot, desk)
        await press(pilot, "escape")
        await press(pilot, "escape", "1", "home", "enter")
        await shows(pilot, "y Confirm  x Veto")
        await press(pilot, "v")
        await shows(pilot, '"recycling": true')
        await press(pilot, "escape", "y")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, PlanDialog))
        assert needs.name in screen(pilot.app)


async def test_the_mouse_presses_footer_keys_and_tab_titles_and_a_key_without_meaning_says_so():
    desk, *_ = three()
    async with running(desk, size=NARROW) as (pilot, _):
        await press(pilot, "j")
        foot = screen(pilot.app).splitlines()[-1]
        await pilot.click("#footer", offset=(foot.index("Confirm"), 0))
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, PlanDialog))
        await press(pilot, "escape", "Q")
        assert toasts(pilot.app) == ["Q does nothing here; ? lists the keys."]
        await press(pilot, "ctrl+c")
        assert "q quits" in toasts(pilot.app)[0]
        desk.show(events=(told(0, CallBegun("X")), told(1, CallFailed("RunInstances", REFUSED))))
        await shows(pilot, "2 Events (2)")
        instances = pilot.app.main.instances
        await pilot.click("#instances", offset=(instances.outer_size.width - 6, instances.outer_size.height - 1))
        await wait_until(pilot, lambda: pilot.app.main.panel is pilot.app.main.events_panel)
        await pilot.click("#recoveries", offset=(4, 0))
        await wait_until(pilot, lambda: pilot.app.main.panel is pilot.app.main.recoveries)


async def test_after_a_veto_the_cursor_keeps_its_place():
    desk, needs, veto, failed = three()
    async with running(desk) as (pilot, _):
        await press(pilot, "3", "j")
        table = pilot.app.main.recoveries.table
        assert table.model.chosen[0] == needs.recovery_id
        desk.show(recoveries=(replace(needs, state=RecoveryState.VETOED, ended=NOW), veto, failed))
        await arrived(pilot, desk)
        await wait_until(pilot, lambda: table.model.chosen[0] == veto.recovery_id)
        assert table.model.cursor == 1
        await press(pilot, "x")
        await shows(pilot, "Veto the recovery of web-4?")
        assert desk.commands == []


async def test_many_plans_open_with_their_sum_and_on_a_wide_screen_a_plan_is_one_table_with_nothing_twice():
    desk, needs, *_ = three()
    plan = plan_of(desk.current.instances[0])
    home, other, far = plan.candidates
    why = f"same type, other zone; {'a reason that needs more than one line of the table ' * 3}"
    places = (
        replace(home, price_per_hour=0.407, stock=Stock.LOW, interruption_rate="3-5%"),
        replace(other, price_per_hour=0.35, stock=Stock.NONE),
        replace(far, reason=why, problem="[b]no quota[/b]"),
    )
    desk.plans[needs.recovery_id] = replace(
        plan, candidates=places, price_per_hour=0.38, currency="CNY", surveyed=True, cautions=(ONE_ZONE,)
    )
    async with running(desk, size=(160, 50)) as (pilot, _):
        await press(pilot, "3", "j", "y")
        await shows(pilot, "Tried in this order")
        lines = screen(pilot.app).splitlines()
        (title,) = (line for line in lines if "Interrupted" in line)
        rows = [next(line for line in lines if f" {sign} " in line) for sign in ("now", "1.", "2.", "3.")]
        table = [title, *rows]
        assert len({line.index(text) for line, text in zip(table, ("Place", *["c7.large"] * 4), strict=True)}) == 1
        prices = ("Price", "¥0.380/h", "¥0.407/h", "¥0.350/h", "unknown")
        assert len({line.index(text) + len(text) for line, text in zip(table, prices, strict=True)}) == 1
        assert "+¥0.027/h" in rows[1]
        assert "-¥0.030/h" in rows[2]
        assert "sold out" in rows[2]
        assert "! [b]no quota[/b]" in rows[3]
        assert lines[lines.index(rows[3]) + 1].index("more than one") >= title.index("Why")
        assert sum("security groups" in line for line in lines) == 1
        assert sum(far.vswitch_id in line for line in lines) == 1
        await press(pilot, "escape", "home", "space", "space", "space", "y")
        await shows(pilot, "2 plans: 2 make it · +¥0.027/h (1 unpriced)")
        assert "! warnings: private IP 2 · one zone 1" in screen(pilot.app)
