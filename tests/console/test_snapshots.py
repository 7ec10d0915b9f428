"""How the screens look; what they say is asserted elsewhere."""

import threading
from datetime import timedelta

import pytest
from msgspec.structs import replace
from textual._context import visible_screen_stack

from spottui.console.pages.page import Page
from spottui.console.themes import SIXTEEN_COLOURS
from spottui.domain.background import FleetBackground
from spottui.domain.early_warning import EarlySign, EarlyWarning
from spottui.domain.places import Price
from spottui.domain.savings import Cost, Savings
from spottui.domain.way_back import OnDemand, WayBack
from tests.console.driving import (
    NARROW,
    WHO,
    WIDE,
    BellApp,
    console_over,
    only_on_demand,
    press,
    screen,
    shows,
    wait_until,
)
from tests.console.scripted import NOW, REGION, FrozenClock, ScriptedDesk, instance, reclaims, view
from tests.console.test_detail_pages import history, left
from tests.console.test_pages import LOG
from tests.console.test_readiness_page import board

WIDEST = (200, 50)
ALL_SIZES = pytest.mark.parametrize("size", [NARROW, WIDE, WIDEST], ids=["80x24", "120x40", "200x50"])
TWO_THEMES = pytest.mark.parametrize("theme", ["spottui-dark", "spottui-light"], ids=["dark", "light"])


@pytest.fixture(autouse=True)
def _only_the_picture_is_drawn():
    with only_on_demand():
        yield


def opened(*keys, until=""):
    async def go(pilot):
        await wait_until(pilot, lambda: pilot.app.session.view is not None)
        await shows(pilot, "NEEDS YOU")
        await press(pilot, *keys)
        await wait_until(pilot, lambda: until in whole_screen(pilot.app) + whole_page(pilot.app.screen))

    return go


def whole_screen(app):
    """What is seen, also through a dialog: lines that are drawn for this text are those of the picture."""
    visible_screen_stack.set(app._background_screens)
    return screen(app)


def whole_page(shown):
    """What a page says, also below its last line on the screen."""
    return shown.text().plain if isinstance(shown, Page) else ""


@ALL_SIZES
@TWO_THEMES
def test_starting(snap_compare, size, theme, monkeypatch):
    may_open = threading.Event()
    app = BellApp(lambda: may_open.wait(20), clock=FrozenClock(), who=WHO, title="spottui")
    app.theme = theme
    # The picture is what it ends with.
    monkeypatch.setattr(app, "exit", lambda picture: (may_open.set(), type(app).exit(app, picture)))

    async def shot(pilot):
        await shows(pilot, "starting…")

    assert snap_compare(app, terminal_size=size, run_before=shot)


def a_night():
    """The three reclaims with a log and a past."""
    desk = ScriptedDesk(reclaims())
    desk.log, desk.history, desk.left = LOG, history(), left()
    desk.storage_price = {"snapshot": 0.12}
    desk.saved = thirty_days()
    desk.fleet_readiness = board()
    return desk


def thirty_days():
    """What ten instances saved in ten days, of which they were watched for one hour in four."""
    days = (Cost(18 + day % 3, 60.0, 60.0) for day in range(10))
    by_day = tuple((NOW.date() - timedelta(days=9 - number), cost) for number, cost in enumerate(days))
    return Savings(NOW - timedelta(days=30), NOW, "CNY", by_day, unpriced_h=1800.0)


@ALL_SIZES
@TWO_THEMES
def test_the_main_screen(snap_compare, size, theme):
    app = console_over(a_night())
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=opened(until="web-3"))


@ALL_SIZES
@TWO_THEMES
@pytest.mark.parametrize(
    ("keys", "until"),
    [
        (("j", "j", "y"), "NO LOCK SEEN"),
        (("question_mark",), "Confirm marked"),
        (("3", "enter"), "CreateImage"),
        (("enter",), "Spot price of"),
        (("down", "down", "down", "enter"), "Spot price of"),
        (("i",), "as listed by the cloud now"),
        (("w",), "makes it"),
        (("b",), "1 DATA KEPT"),
        (("C",), "Columns of"),
        (("q",), "Quit"),
    ],
    ids=["plan", "help", "timeline", "reclaimed", "instance", "statistics", "storm", "ready", "columns", "quit"],
)
def test_pages_and_dialogs(snap_compare, size, theme, keys, until):
    app = console_over(a_night())
    app.theme = theme
    assert snap_compare(app, terminal_size=size, run_before=opened(*keys, until=until))


def test_colour_blind(snap_compare):
    app = console_over(a_night())
    app.theme = "spottui-colour-blind"
    assert snap_compare(app, terminal_size=WIDE, run_before=opened(until="web-3"))


def test_sixteen_colours(snap_compare):
    app = console_over(a_night())
    app.theme = SIXTEEN_COLOURS[0]
    assert snap_compare(app, terminal_size=NARROW, run_before=opened())


def test_without_colour(snap_compare, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console_over(ScriptedDesk(reclaims())), terminal_size=NARROW, run_before=opened())


@ALL_SIZES
def test_marks_of_the_market(snap_compare, size):
    near, dear, *calm = (instance(number) for number in range(4, 12))
    dear = replace(dear, spot_strategy="NoSpot")
    price = Price(0.1, 0.43, "CNY")
    warnings = (
        EarlyWarning(EarlySign.PRICE, price=0.1, limit=0.105, currency="CNY"),
        EarlyWarning(EarlySign.RATE, rate="5-10%", was="0-3%"),
    )
    around = FleetBackground(
        NOW,
        {(near.instance_type, near.zone): price},
        warnings={(near.region, near.instance_id): warnings},
        on_demand={(dear.region, dear.instance_id): OnDemand(WayBack(f"{REGION}-h", price))},
    )
    app = console_over(ScriptedDesk(view(instances=(near, dear, *calm), fleet_background=around)))

    async def shot(pilot):
        await shows(pilot, "1 early warning")
        table = pilot.app.main.instances.table
        for column in ("warning", "back"):
            table.show_columns(table.arrangement.showing(column, shown=True))
        await press(pilot, "z")

    assert snap_compare(app, terminal_size=size, run_before=shot)
