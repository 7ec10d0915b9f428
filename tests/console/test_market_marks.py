"""Early warnings and the way back to spot, over a real desk: marks, columns, words, filters, and no key that acts."""

import os
from functools import partial

import pytest

from spottui.config import load
from spottui.domain.clock import CloudClock
from spottui.sim.testing import SimServer
from tests.console.driving import WHO, BellApp, press, shows, toasts, wait_until
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
        await shows(pilot, "saves about ¥438 a month: B")
        await press(pilot, "B")
        assert toasts(app)[-1] == "Back to spot is off: read-only. Start it without --read-only to act."
        await press(pilot, "escape")
        asked = len(cloud.calls("DescribeAvailableResource"))
        cloud.world(interruption_rates={"*": "5-10%"})
        cloud.advance(700)
        await wait_until(pilot, lambda: tick(app) and marks(app)["rising"] == "▲")
        assert len(cloud.calls("DescribeAvailableResource")) == asked + 1
        assert marks(app)["dear"] == " ", "where the rate rises there is no way back"
        await shows(pilot, "4 early warnings")
        await press(pilot, "end", "up", "enter")
        await shows(pilot, "▲ spot price of 0.19 CNY per hour is 95% of its price limit of 0.2")
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
