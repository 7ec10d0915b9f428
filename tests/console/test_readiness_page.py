"""The readiness board: the values of `spottui ready` as a table, the worst first."""

from datetime import timedelta

from spottui.domain.forecast import Verdict
from spottui.domain.plan import WarmImage
from spottui.domain.readiness import FleetReadiness, Missing, Readiness
from spottui.domain.routes import Route
from tests.console.driving import NARROW, WIDE, press, running, shows, toasts, wait_until
from tests.console.scripted import NOW, REGION, ScriptedDesk, instance, plan_of, reclaims


def readiness_of(number, route, verdict, *missing, image_h=None, data_s=None, per_month=None):
    image = WarmImage(f"m-{number}", NOW - timedelta(hours=image_h)) if image_h is not None else None
    data_made = NOW - timedelta(seconds=data_s) if data_s is not None else None
    spec = plan_of(instance(number)).spec
    return Readiness(spec, route, verdict, 230.0, image, data_made, missing, per_month)


def board():
    """One instance of each kind, the best first."""
    return FleetReadiness(
        NOW,
        (
            readiness_of(4, Route.INSTANT, Verdict.IMAGE_READY, image_h=5, data_s=420, per_month=31.5),
            readiness_of(5, Route.IMAGE, Verdict.WILL_MAKE_IT, Missing.NOT_KEPT_READY),
            readiness_of(6, Route.IMAGE, Verdict.WILL_MAKE_IT, Missing.NO_SYSTEM_IMAGE, Missing.NO_DATA_SNAPSHOTS),
            readiness_of(7, Route.IMAGE, Verdict.TIGHT, Missing.SYSTEM_IMAGE_TOO_OLD, image_h=80, per_month=12.0),
            readiness_of(8, Route.KEPT_DISK, Verdict.DATA_KEPT, Missing.NOT_KEPT_READY),
            readiness_of(9, Route.IMAGE, Verdict.NOT_KNOWN, Missing.DISKS_NOT_KNOWN, Missing.NOT_RUNNING),
        ),
    )


def names(app):
    table = app.screen._panel.table
    return [table.model.rows[key][3] for key in table.model.view]


async def test_the_board_shows_the_worst_first_filters_and_opens_an_instance():
    desk = ScriptedDesk(reclaims())
    desk.fleet_readiness = board()
    async with running(desk, size=NARROW) as (pilot, _):
        await press(pilot, "colon", *"ready", "enter")
        await shows(pilot, "1 NOT KNOWN · 1 DATA KEPT · 1 TIGHT · …")
        assert names(pilot.app) == ["web-9", "web-8", "web-7", "web-6", "web-5", "web-4"]
        await shows(pilot, "no system image; no data sn")
        for typed, kept in (
            ("tight", ["web-7"]),
            ("image:", None),
            ("lacks:snapshots", ["web-6"]),
            ("finished", ["web-6"]),
            ("system>6h", ["web-7"]),
            ("-kept", ["web-9", "web-7", "web-6", "web-4"]),
        ):
            await press(pilot, "slash", *typed)
            if kept is None:
                await shows(pilot, "image: needs a value after it")
            else:
                await wait_until(pilot, lambda kept=kept: names(pilot.app) == kept)
            await press(pilot, "escape")
        await press(pilot, "slash", *"web-4", "enter")
        await wait_until(pilot, lambda: names(pilot.app) == ["web-4"])
        await press(pilot, "enter")
        await shows(pilot, "If reclaimed now")
        await shows(pilot, "Past reclaims")
        await press(pilot, "escape", "escape")
        assert names(pilot.app)[0] == "web-9"
        await press(pilot, "c")
        assert pilot.app.clipboard == instance(9).instance_id
        desk.fleet_readiness = FleetReadiness(NOW, (), (f"{REGION}: DescribeImages: Forbidden.RAM",))
        await press(pilot, "R")
        await shows(pilot, "Readiness: unknown. cn-hangzhou: DescribeImages: Forbidden.RAM")
        await press(pilot, "enter")
        assert toasts(pilot.app) == ["Nothing is selected."]
        desk.refuse = "a replay makes no cloud calls"
        await press(pilot, "R")
        await shows(pilot, "Readiness: unknown. a replay makes no cloud calls")
        await press(pilot, "q")
        assert pilot.app.screen is pilot.app.main


async def test_the_board_says_in_words_why_it_is_empty():
    async with running(size=WIDE) as (pilot, _):
        await press(pilot, "b")
        await shows(pilot, "wait for the next sweep")
