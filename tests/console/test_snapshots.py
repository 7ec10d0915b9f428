"""How the screens look; what they say is asserted elsewhere."""

import threading
from datetime import timedelta

import pytest

from spottui.console.pages.page import Page
from spottui.console.themes import SIXTEEN_COLOURS
from spottui.domain.savings import Cost, Savings
from tests.console.driving import NARROW, WHO, WIDE, BellApp, console_over, press, screen, shows, wait_until
from tests.console.scripted import NOW, FrozenClock, ScriptedDesk, reclaims
from tests.console.test_detail_pages import history, left
from tests.console.test_pages import LOG

WIDEST = (200, 50)
ALL_SIZES = pytest.mark.parametrize("size", [NARROW, WIDE, WIDEST], ids=["80x24", "120x40", "200x50"])
TWO_THEMES = pytest.mark.parametrize("theme", ["spottui-dark", "spottui-light"], ids=["dark", "light"])


def opened(*keys, until=""):
    async def go(pilot):
        await wait_until(pilot, lambda: pilot.app.session.view is not None)
        await shows(pilot, "NEEDS YOU")
        await press(pilot, *keys)
        await wait_until(pilot, lambda: until in screen(pilot.app) + whole_page(pilot.app.screen))

    return go


def whole_page(shown):
    """What a page says, also below its last line on the screen."""
    return shown.text().plain if isinstance(shown, Page) else ""


@ALL_SIZES
@TWO_THEMES
def test_starting(snap_compare, size, theme):
    may_open = threading.Event()
    app = BellApp(lambda: may_open.wait(20), clock=FrozenClock(), who=WHO, title="spottui")
    app.theme = theme

    async def shot(pilot):
        await shows(pilot, "starting…")
        threading.Timer(1.0, may_open.set).start()

    assert snap_compare(app, terminal_size=size, run_before=shot)


def a_night():
    """The three reclaims with a log and a past."""
    desk = ScriptedDesk(reclaims())
    desk.log, desk.history, desk.left = LOG, history(), left()
    desk.storage_price = {"snapshot": 0.12}
    desk.saved = thirty_days()
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
        (("w",), "will make it"),
        (("C",), "Columns of"),
        (("q",), "Quit"),
    ],
    ids=["plan", "help", "timeline", "reclaimed", "instance", "statistics", "storm", "columns", "quit"],
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
