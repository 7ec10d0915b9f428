"""How the screens look; what they say is asserted elsewhere."""

import threading

import pytest

from tests.console.driving import NARROW, WHO, WIDE, BellApp, console_over, press, screen, shows, wait_until
from tests.console.scripted import FrozenClock, ScriptedDesk, reclaims

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])


@pytest.fixture(autouse=True)
def _same_on_every_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")


def opened(*keys, until=""):
    async def go(pilot):
        await wait_until(pilot, lambda: pilot.app.main.view is not None)
        await shows(pilot, "NEEDS YOU")
        await press(pilot, *keys)
        await wait_until(pilot, lambda: until in screen(pilot.app))

    return go


@SIZES
def test_starting(snap_compare, size):
    may_open = threading.Event()
    app = BellApp(lambda: may_open.wait(20), clock=FrozenClock(), who=WHO, title="spottui")

    async def shot(pilot):
        await shows(pilot, "starting…")
        threading.Timer(1.0, may_open.set).start()

    assert snap_compare(app, terminal_size=size, run_before=shot)


@SIZES
@pytest.mark.parametrize(
    ("keys", "until"),
    [((), "web-3"), (("j", "j", "y"), "NO LOCK SEEN"), (("question_mark",), "Confirm:")],
    ids=["reclaims", "plan", "help"],
)
def test_screens(snap_compare, size, keys, until):
    app = console_over(ScriptedDesk(reclaims()))
    assert snap_compare(app, terminal_size=size, run_before=opened(*keys, until=until))


def test_without_colour(snap_compare, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console_over(ScriptedDesk(reclaims())), terminal_size=NARROW, run_before=opened())
