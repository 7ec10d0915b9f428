"""The page of an instance and the statistics: what is known, what is not, and what is said of either."""

import logging
import os
import re
from datetime import timedelta
from functools import partial

import pytest
from msgspec.structs import replace
from textual.content import Content

from spottui.config import load
from spottui.console.text.cells import column_cells, flow
from spottui.console.text.readiness import readiness
from spottui.domain.background import Background, Found
from spottui.domain.billed_resources import Leftover, LeftoverKind
from spottui.domain.clock import SystemClock
from spottui.domain.facts import AutoAnswered, SignSeen
from spottui.domain.forecast import ImageTiming, Verdict
from spottui.domain.history import InstanceRecord, Past
from spottui.domain.instance import Disk, InterruptionBehavior
from spottui.domain.interruption import Evidence
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import AutoAnswer, Created, RecoveryState, Try
from spottui.domain.routes import Route
from spottui.sim.testing import SimServer
from spottui.tables.statistics import statistics
from tests.console.driving import NARROW, WHO, WIDE, BellApp, press, running, screen, shows, wait_until
from tests.console.scripted import (
    NOW,
    REGION,
    ScriptedDesk,
    background_of,
    because,
    instance,
    plan_of,
    reclaim,
    reclaims,
    recovery,
)

WIDEST = (200, 50)
PRICES = "DescribeSpotPriceHistory"
QUIET = ("down", "down", "down", "enter")
"""The keys to the page of an instance that is not reclaimed."""


def history():
    """Thirty reclaims within ten days, two of three recovered; 0.02 an hour dearer, or with no price known."""
    made = []
    for number in range(30):
        of = instance(number)
        cause = reclaim(of, -86_400 * (number % 10))
        plan = priced(plan_of(of), None if number % 6 == 1 else 0.14, 0.16)
        ended = recovery(
            of,
            cause,
            RecoveryState.RECOVERED if number % 3 else RecoveryState.FAILED,
            verdict=Verdict.WILL_MAKE_IT if number % 4 else Verdict.TIGHT,
            ended=cause.first_seen + timedelta(seconds=60 + number * 12),
            imaging_since=cause.first_seen + timedelta(seconds=2),
            image_id="m",
            new_instance_id=f"i-new{number}" if number % 3 else "",
            created=(Created("image", "m"), Created("kept disk", "d-1")),
            tries=(Try(plan.candidates[0].place, "vsw-bp1h", "m", "token"),),
        )
        made.append(Past.of(ended, plan))
    wish = reclaim(instance(99), 100, (Evidence.ENGINEER,))
    return (*made, Past(recovery(instance(99), wish, RecoveryState.SUSPECTED), "", ""))


def priced(plan, old, new):
    candidates = tuple(replace(one, price_per_hour=new) for one in plan.candidates)
    return replace(plan, candidates=candidates, price_per_hour=old, currency="CNY", surveyed=True)


def left():
    """An image of twelve days and a disk of two that recoveries left."""
    return (
        Leftover(LeftoverKind.IMAGE, "m-1", REGION, "r", "i", 40, "", since=NOW - timedelta(days=12)),
        Leftover(
            LeftoverKind.DISK, "d-1", REGION, "r", "i", 100, "", since=NOW - timedelta(days=2), priced_as="cloud_essd"
        ),
    )


async def test_an_instance_says_whether_it_would_make_it_now_and_which_disks_survive():
    async with running(size=(120, 70)) as (pilot, desk):
        one = desk.current.instances[-1]
        cause = reclaim(one, -9000)
        desk.history = (Past(recovery(one, cause, RecoveryState.RECOVERED), "h", "t"),)
        await press(pilot, "end", "enter")
        await shows(pilot, "Spot price of")
        for text in (
            "If reclaimed now",
            "WILL MAKE IT  image of 140 GiB takes about 03:50, 01:10 to spare",
            "system d-1 40 GiB cloud_essd: kept by disk protection",
            "newest image  m-bp1warm, 5h00m old",
            "source image  aliyun_3_x64_20G, 40d old",
            "details captured  9m00s ago",
            "captured, not shown",
            "Past reclaims",
            "recovered",
        ):
            assert text in screen(pilot.app)
        assert "c2VjcmV0" not in screen(pilot.app)


async def test_under_a_reclaim_the_page_speaks_of_the_real_deadline_and_the_verdict_of_the_table():
    async with running(size=NARROW) as (pilot, desk):
        web, etl, _ = desk.current.recoveries
        desk.show(recoveries=(web, replace(etl, state=RecoveryState.FAILED, ended=NOW)))
        await press(pilot, "enter")
        await shows(pilot, "At its deadline, in 03:42")
        await shows(pilot, "WILL MAKE IT  image ready in 01:10, 02:32 to spare")
        assert "If reclaimed now" not in screen(pilot.app)
        await press(pilot, "escape", "down", "enter")
        await shows(pilot, "TIGHT  if begun now: image of 140 GiB takes about 03:50, 00:21 to spare")
        assert "At its deadline, in 04:11" in screen(pilot.app)


@pytest.mark.parametrize("size", [NARROW, WIDE, WIDEST])
async def test_the_price_history_is_a_chart_with_its_figures_at_every_size(size):
    async with running(size=size) as (pilot, _):
        await press(pilot, *QUIET)
        await shows(pilot, "Spot price of ecs.c7.large in cn-hangzhou-i, CNY per hour")
        text = screen(pilot.app)
        assert "now 0.169 · min 0.120 · max 0.280 · ╌ on-demand 0.420 (spot is 40%)" in text
        assert "0.4┤╌╌╌" in text
        assert "0┤" in text
        assert re.search("08-17 +08-18 .*08-23", text)


async def test_the_cloud_is_asked_only_when_the_page_is_opened():
    async with running() as (pilot, desk):
        asked = []
        desk.background = lambda *of: asked.append(of) or desk.surroundings
        await press(pilot, "down", "up")
        assert asked == []
        await press(pilot, *QUIET)
        await shows(pilot, "Spot price of")
        for _ in range(3):
            pilot.app.screen.tick()
        assert len(asked) == 1


@pytest.mark.parametrize("read_only", [False, True])
async def test_an_instance_stays_useful_when_the_cloud_says_nothing(read_only):
    refused = Found(problem="price history: DescribeSpotPriceHistory: Forbidden.NotSupportRAM; RequestId 4A-[b]7")
    desk = ScriptedDesk(reclaims(read_only=read_only))
    desk.surroundings = Background(refused, Found(problem="earlier images: no answer within 10 s"), Found())
    async with running(desk, size=(120, 60)) as (pilot, _):
        await press(pilot, *QUIET)
        await shows(
            pilot, "unknown: price history: DescribeSpotPriceHistory: Forbidden.NotSupportRAM; RequestId 4A-[b]7"
        )
        for text in (
            "WILL MAKE IT",
            "unknown: earlier images: no answer",
            "Launch spec",
            "Past reclaims",
            "tag team",
        ):
            assert text in screen(pilot.app)


async def test_a_journal_that_cannot_be_read_leaves_what_the_sweep_saw():
    async with running() as (pilot, desk):
        desk.refuse = "the journal is locked"
        await press(pilot, *QUIET)
        await shows(pilot, "the journal is locked")
        assert "172.16.3.4" in screen(pilot.app)


async def test_what_no_sweep_has_captured_yet_is_asked_for_again():
    async with running() as (pilot, desk):
        captured, desk.record = desk.record, lambda *_: InstanceRecord(None, None, ImageTiming(), ())
        await press(pilot, *QUIET)
        await shows(pilot, "unknown: no sweep has seen its disks yet")
        desk.record = captured
        pilot.app.screen.tick()
        await shows(pilot, "WILL MAKE IT")
        await shows(pilot, "Spot price of")


async def test_a_place_without_a_price_says_so_and_an_instance_never_captured_too():
    desk = ScriptedDesk(reclaims())
    desk.surroundings = replace(desk.surroundings, prices=Found())
    async with running(desk) as (pilot, _):
        await press(pilot, *QUIET)
        await shows(pilot, "no price for this type in this zone")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"delete_with_instance": False}, "✓ system d-1 40 GiB cloud_essd: survives the release"),
        ({"category": "local_ssd_pro"}, "✕ system d-1 40 GiB local_ssd_pro: lost, local disk"),
    ],
)
def test_each_disk_says_whether_it_survives(change, says):
    spec = plan_of(instance(1)).spec
    spec = replace(spec, disks=tuple(replace(disk, **change) for disk in spec.disks))
    assert says in readiness(InstanceRecord(spec, NOW, ImageTiming(), ()), None, NOW).plain


def test_in_stop_mode_the_disks_stay_with_the_instance():
    of = replace(instance(1), behavior=InterruptionBehavior.STOP)
    told = readiness(InstanceRecord(plan_of(of).spec, NOW, ImageTiming(), ()), background_of(of, NOW), NOW).plain
    assert told.count("survives, the instance is only stopped") == 2
    assert "started again" in told


def test_nothing_is_forecast_of_what_is_not_known():
    record = InstanceRecord(replace(plan_of(instance(1)).spec, disks=()), None, ImageTiming(), ())
    told = readiness(record, None, NOW).plain
    assert "no forecast: image size unknown" in told
    assert "WILL" not in told
    assert (
        "no sweep has seen its disks yet" in readiness(InstanceRecord(None, None, ImageTiming(), ()), None, NOW).plain
    )


def test_a_hostile_disk_is_text():
    disk = Disk("d-\x1b[31m", "/dev/xvda", "[red]system", "cloud\x07", 40)
    spec = replace(plan_of(instance(1)).spec, disks=(disk,))
    told = readiness(InstanceRecord(spec, NOW, ImageTiming(), ()), None, NOW).plain
    assert "[red]system" in told
    assert not {"\x1b", "\x07"} & set(told)


def test_statistics_count_reclaims_and_leave_out_wishes():
    told = statistics(history(), {}, NOW.date())
    assert told.total == 30
    assert sum(day.total for day in told.by_day) == 30
    assert sum(day.failed for day in told.by_day) == 10
    assert dict(told.outcomes) == {"recovered": 20, "failed": 10}
    assert sum(count for _, count in told.forecasts.counts) == 30
    assert (told.forecasts.right, told.forecasts.judged) == (22, 22)
    assert told.latest[0].interruption.first_seen == max(one.interruption.first_seen for one in told.latest)
    assert dict(told.forecasts.counts)["WILL MAKE IT", "recovered"] == 15
    assert [(one.kind, one.count, one.gib) for one in told.kept] == [("image", 30, 4200), ("kept disk", 30, 1200)]
    assert told.median_s == 240
    assert told.slow_s <= told.times_s[-1]


@pytest.mark.parametrize(
    ("changes", "pair", "right"),
    [
        ({"verdict": Verdict.WILL_MAKE_IT}, ("WILL MAKE IT", "recovered"), (1, 1)),
        (
            {"verdict": Verdict.WILL_MAKE_IT, "route": Route.KEPT_DISK},
            ("WILL MAKE IT", "recovered by kept-disk"),
            (0, 1),
        ),
        ({"verdict": Verdict.WILL_NOT, "route": Route.KEPT_DISK}, ("WILL NOT", "recovered by kept-disk"), (1, 1)),
        ({"verdict": Verdict.TIGHT}, ("TIGHT", "recovered"), (0, 0)),
        (
            {"verdict": Verdict.WILL_MAKE_IT, "state": RecoveryState.FAILED},
            ("WILL MAKE IT", "failed, image ready"),
            (1, 1),
        ),
        (
            {"verdict": Verdict.WILL_MAKE_IT, "state": RecoveryState.FAILED, "tries": ()},
            ("WILL MAKE IT", "failed"),
            (0, 1),
        ),
        ({"verdict": Verdict.WILL_MAKE_IT, "state": RecoveryState.CANCELLED}, ("WILL MAKE IT", "cancelled"), (0, 0)),
        ({"route": Route.INSTANT}, ("IMAGE READY", "recovered"), (0, 0)),
        ({"route": Route.RESTART}, ("DATA KEPT", "recovered"), (0, 0)),
        ({"route": Route.RESTART, "state": RecoveryState.FAILED}, ("DATA KEPT", "failed"), (0, 0)),
    ],
)
def test_a_forecast_is_right_when_the_image_came_as_it_said(changes, pair, right):
    one = history()[1].recovery
    past = Past.of(replace(one, **{"verdict": None, "state": RecoveryState.RECOVERED, **changes}), None)
    told = statistics([past], {}, NOW.date()).forecasts
    assert told.counts == ((pair, 1),)
    assert (told.right, told.judged) == right


async def test_the_room_that_the_statistics_leave_shows_the_latest_reclaims():
    desk = ScriptedDesk(reclaims())
    *_, failed, newest = (past for past in history()[:2])
    why = replace(failed.recovery, reason=because("no stock anywhere"))
    desk.history = (replace(failed, recovery=why), newest)
    async with running(desk, size=WIDEST) as (pilot, _):
        await press(pilot, "i")
        await shows(pilot, "Latest reclaims")
        lines = screen(pilot.app).partition("Latest reclaims")[2].splitlines()[1:3]
        assert re.search(r"08-2\d \d\d:\d\d +web-0 +ecs.c7.large +cn-hangzhou-h +failed +TIGHT +no stock", lines[0])
        assert re.search(
            r"08-2\d \d\d:\d\d +web-1 +ecs.c7.large +cn-hangzhou-i +recovered +72s +WILL MAKE IT", lines[1]
        )
        await pilot.resize_terminal(*NARROW)
        await shows(pilot, "2 reclaims")
        assert "Latest reclaims" not in screen(pilot.app)


@pytest.mark.parametrize("size", [NARROW, WIDE, WIDEST])
async def test_i_opens_the_statistics(size):
    desk = ScriptedDesk(reclaims())
    desk.history, desk.left = history(), left()
    async with running(desk, size=size) as (pilot, _):
        await press(pilot, "i")
        await shows(pilot, "30 reclaims")
        seen = screen(pilot.app)
        for _ in range(3):
            await press(pilot, "pagedown")
            seen += screen(pilot.app)
        for text in (
            "0└",
            "✕ days with a failure",
            "p50 4m00s · p90",
            "5 to 10 min ▆",
            "Forecast vs outcome, 22 of 22 right",
            "WILL MAKE IT → recovered ",
            "WILL MAKE IT → failed, image ready ▆",
            "cn-hangzhou-h ▆",
            "1 image: 40 GiB, oldest 12d; price unknown",
            "as listed by the cloud now",
            "+¥0.300/h in total for 15, max +¥0.020/h",
            "5 more unpriced",
        ):
            assert text in seen


async def test_only_configured_prices_are_named():
    desk = ScriptedDesk(reclaims())
    desk.history, desk.left, desk.storage_price = history(), left(), {"snapshot": 0.12}
    async with running(desk, size=(120, 60)) as (pilot, _):
        await press(pilot, "i")
        await shows(pilot, "1 image: 40 GiB, oldest 12d; at most 4.80 per month")
        assert "1 kept disk: 100 GiB, oldest 2d; price unknown" in screen(pilot.app)


async def test_statistics_without_the_cloud_show_what_the_journal_knows_of_kept_things():
    desk = ScriptedDesk(reclaims())
    desk.history = history()

    def leftovers():
        desk.refuse = "Leftovers cannot be listed: DescribeImages: no answer."
        desk._maybe_refuse()

    desk.leftovers = leftovers
    async with running(desk, size=(120, 60)) as (pilot, _):
        await press(pilot, "i")
        await shows(pilot, "from the journal only; Leftovers cannot")
        assert "30 images: 4,200 GiB" in screen(pilot.app)


async def test_statistics_of_nothing_are_said_in_a_line():
    async with running() as (pilot, _):
        await press(pilot, "i")
        await shows(pilot, "No reclaim in the journal yet.")


async def test_both_pages_follow_the_size_of_the_terminal():
    desk = ScriptedDesk(reclaims())
    desk.history = history()
    for keys, text in ((QUIET, "Spot price"), (("i",), "30 reclaims")):
        async with running(desk, size=WIDE) as (pilot, _):
            await press(pilot, *keys)
            await shows(pilot, text)
            for size in ((60, 16), NARROW, WIDEST):
                await pilot.resize_terminal(*size)
                await wait_until(pilot, lambda size=size: pilot.app.size == size)
                lines = pilot.app.screen.text().plain.splitlines()
                assert any("╌╌╌" in line or "▆" in line for line in lines)
                charted = [line for line in lines if "┤" in line or "│" in line or "▆" in line]
                assert charted
                assert max(map(len, charted)) <= size[0] - 4


@pytest.fixture
def real(tmp_path, monkeypatch):
    """A read-only console over the simulated cloud."""
    from spottui.cli.assembly import open_desk

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    config, clock = tmp_path / "c.toml", SystemClock()
    log = logging.getLogger("spottui")
    with SimServer(config=config, instances=6) as cloud:
        desk = partial(open_desk, load(config), clock, auto=False, read_only=True)
        yield cloud, BellApp(desk, clock=clock, who=WHO, title="spottui")
    # A desk takes the log of its process to a file of its own.
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    log.propagate = True


async def test_both_pages_over_a_real_desk_that_is_read_only(real):
    cloud, app = real
    async with app.run_test(size=(120, 60)) as pilot:
        await wait_until(pilot, lambda: app.session.view and app.session.view.instances)
        await wait_until(pilot, lambda: app.session.view.fleet_background is not None)
        await press(pilot, "enter")
        await shows(pilot, "╌ on-demand")
        await shows(pilot, "no image yet")
        asked = [(row["params"].get("ZoneId"), row["params"]["InstanceType"]) for row in cloud.calls(PRICES)]
        assert len(asked) == len(set(asked))
        await press(pilot, "escape", "i")
        await shows(pilot, "as listed by the cloud now")
        await press(pilot, "escape", "b")
        await shows(pilot, "not kept ready")
        await press(pilot, "escape")
        await pilot.resize_terminal(200, 50)
        await shows(pilot, "6 spot ¥")
        await shows(pilot, "% of on-demand) · no reclaim in 30 days · if reclaimed now: ")
        await shows(pilot, "risk h ")
        assert len(cloud.calls("DescribeSpotAdvice")) == len(cloud.calls("DescribeAvailableResource")) == 1


async def test_both_pages_over_a_real_desk_whose_cloud_breaks(real):
    cloud, app = real
    cloud.fault(PRICES, "html_502", times=0)
    async with app.run_test(size=(120, 60)) as pilot:
        await wait_until(pilot, lambda: app.session.view and app.session.view.instances)
        cloud.fault("*", "html_502", times=0)
        await press(pilot, "enter")
        await shows(pilot, "unknown: price history: DescribeSpotPriceHistory")
        assert "If reclaimed now" in screen(app)
        await press(pilot, "escape", "i")
        await shows(pilot, "from the journal only; Leftovers cannot be listed")


async def test_details_say_when_each_sign_first_came_and_only_what_the_feed_has():
    desk = ScriptedDesk(reclaims())
    web, *_ = desk.current.recoveries
    signs = [
        one for one in desk.current.events if isinstance(one.fact, SignSeen) and one.recovery_id == web.recovery_id
    ]
    answer = AutoAnswered(AutoAnswer.GRANTED, Reason(Why.VETO_WINDOW), veto_until=NOW, again=True)
    desk.log = (*reversed(signs), replace(signs[-1], at=NOW))
    desk.show(events=(*desk.current.events, replace(signs[-1], seq=99, fact=answer)))
    async with running(desk, size=WIDEST) as (pilot, _):
        await press(pilot, "enter")
        await shows(pilot, "Q queue 02:13:04Z, L lock 02:13:06Z")
        assert "unless vetoed" not in screen(pilot.app), "its state says so"


def test_what_is_longer_than_its_column_goes_on_below_its_own_text():
    told = flow([Content("  reason      one two three four five"), Content("  alone in a line that is longer")], 30, 20)
    assert told.plain.splitlines() == [
        "  reason      one two three",
        "              four five",
        "  alone in a line that is",
        "  longer",
    ]


def test_sections_flow_in_their_order_into_the_shortest_column():
    assert [column_cells(width, 54) for width in (75, 115, 195)] == [75, 56, 63]
    told = flow([Content("a\na\na"), Content("b"), Content("c")], 115, 54).plain.splitlines()
    assert [line.split() for line in told] == [["a", "b"], ["a", "c"], ["a"]]
    assert {len(line) for line in told} == {115}
