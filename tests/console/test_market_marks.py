"""Early warnings and the way back to spot, over a real desk: marks, columns, words, filters, and no key that acts."""

import os
from functools import partial

import pytest
from msgspec.structs import replace

from spottui.config import load
from spottui.domain.background import FleetBackground
from spottui.domain.clock import CloudClock
from spottui.domain.way_back import OnDemand
from spottui.sim.testing import SimServer
from tests.console.driving import NARROW, WHO, BellApp, press, running, shows, tells, toasts, wait_until
from tests.console.scripted import NOW, ScriptedDesk, instance, plan_of, view
from tests.recovery.test_way_back import WORLD, replaced_on_demand


def marks(app):
    model = app.main.instances.table.model
    return {str(row[5]): str(row[2]) or " " for row in model.rows.values()}


def names(main):
    model = main.instances.table.model
    return [model.rows[key][5] for key in model.view]


def tick(app):
    app.main.tick()
    return True


@pytest.fixture
def real(tmp_path, monkeypatch):
    """A read-only console over a cloud with each early sign, and an on-demand replacement."""
    from spottui.cli.assembly import open_desk

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    config, clock = tmp_path / "c.toml", CloudClock()
    with SimServer(config=config, world=WORLD) as cloud:
        replaced_on_demand(load(config).journal, cloud)
        desk = partial(open_desk, load(config), clock, auto=False, read_only=True)
        yield cloud, BellApp(desk, clock=clock, who=WHO, title="spottui")


async def test_what_may_be_reclaimed_soon_and_what_may_go_back_are_marked_at_any_width(real):
    cloud, app = real
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "4 spot · 0 reclaiming · 2 early warnings")
        for name, mark in (("near", "▲"), ("going", "▲"), ("dear", "←"), ("rising", " "), ("calm", " ")):
            assert marks(app)[name] == mark
        main = app.main
        for typed, kept in (("wayback", ["dear"]), ("warning:price", ["near"]), ("early", ["going", "near"])):
            await press(pilot, "slash", *typed, "enter")
            await wait_until(pilot, lambda kept=kept: names(main) == kept)
        await press(pilot, "escape", "end", "up", "up", "up", "enter")
        await shows(pilot, "← on-demand replacement of a spot instance; spot is in stock in")
        await shows(pilot, "saves about ¥438")
        await press(pilot, "B")
        assert toasts(app)[-1] == "Back to spot is unavailable: read-only. Start it without --read-only to act."
        await press(pilot, "escape")
        asked = len(cloud.calls("DescribeAvailableResource"))
        cloud.world(interruption_rates={"*": "5-10%"})
        cloud.advance(700)
        await wait_until(pilot, lambda: tick(app) and marks(app)["rising"] == "▲")
        assert len(cloud.calls("DescribeAvailableResource")) == asked + 1
        assert marks(app)["dear"] == " ", "where the rate rises there is no way back"
        await shows(pilot, "4 early warnings")
        await press(pilot, "end", "up", "enter")
        await shows(pilot, "▲ spot price of ¥0.190/h is 95% of its price limit of ¥0.200/h")
        await shows(pilot, "▲ interruption rate of ecs.g7.large in cn-hangzhou-h rose from 0-3% to")
        await press(pilot, "escape")
        await pilot.resize_terminal(200, 50)
        for column in ("warning", "back"):
            main.instances.table.show_columns(main.instances.table.arrangement.showing(column, shown=True))
        await press(pilot, "z")
        await shows(pilot, "price 95% of limit; rate 5-10%, was 0-3%")
        await shows(pilot, "Way back")
        await shows(pilot, "not now")
        made = {row["action"] for row in cloud.calls() if row["effect"]}
        assert made <= {"DescribeInstances"}, "a mark is never an action"
        assert marks(app)["dear"] == " "


async def test_nothing_is_asked_of_the_market_while_anything_is_reclaimed():
    async with running(size=NARROW) as (pilot, desk):
        for _ in range(3):
            pilot.app.main.tick()
            await pilot.pause(0.05)
        assert desk.looked_around == 0
        desk.show(recoveries=(), interruptions=(), instances=tuple(instance(number) for number in range(4, 9)))
        await wait_until(pilot, lambda: tick(pilot.app) and desk.looked_around == 1)


async def test_the_way_back_runs_by_the_plan_that_was_shown():
    dear = replace(instance(5), spot_strategy="NoSpot")
    async with running(ScriptedDesk(view(instances=(dear, instance(6)))), size=NARROW) as (pilot, desk):
        await shows(pilot, "B Back to spot")
        await press(pilot, "B")
        await shows(pilot, "enter")
        await wait_until(pilot, lambda: desk.planned_to_spot)
        await press(pilot, "enter")
        digest = plan_of(dear).digest
        await tells(desk, pilot, "recover", dear.region, dear.instance_id, digest, WHO)
        gone_back = {(dear.region, dear.instance_id): OnDemand(replaced_by=instance(9).instance_id)}
        desk.show(fleet_background=FleetBackground(NOW, on_demand=gone_back))
        await wait_until(pilot, lambda: pilot.app.session.view.fleet_background is not None)
        desk.refuse = f"{dear.instance_id} has weight 100 in ALB sgp-1."
        await press(pilot, "B")
        await shows(pilot, "Not deleted.")
        await press(pilot, "y", "escape")
        desk.refuse = None
        await press(pilot, "B")
        await shows(pilot, "Force=true")
        await press(pilot, "enter", "B")
        await shows(pilot, "d-2 (100 GiB)")
        assert len(desk.commands) == 1, "enter is no yes"
        await press(pilot, "y")
        await tells(desk, pilot, "delete_on_demand", dear.region, dear.instance_id, WHO)
        await press(pilot, "down", "B")
        assert toasts(pilot.app)[-1] == "Only an on-demand replacement of a spot instance can go back to spot."
