"""Runs the console under Textual's pilot over a scripted desk, and reads its screen."""

import asyncio
import contextlib
import time

import pytest
from textual._compositor import Compositor

from spottui.console.app import SpottuiApp
from tests.console.scripted import FrozenClock, ScriptedDesk, reclaims

WHO = "mia@bastion pts/3"
WIDE, NARROW = (120, 40), (80, 24)


class BellApp(SpottuiApp):
    """Counts the bells that a headless terminal does not ring."""

    bells = 0

    def bell(self):
        self.bells += 1


def console_over(desk, clock=None, **more):
    return BellApp(lambda: desk, clock=clock or FrozenClock(), who=WHO, title="spottui", **more)


async def wait_until(pilot, condition, timeout_s=40.0):
    ends, pause_s = time.monotonic() + timeout_s, 0.01
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"waited {timeout_s} s for {condition}; the screen:\n{screen(pilot.app)}")
        await pilot.pause(pause_s)
        # To look at a screen takes the processor from whatever draws it.
        pause_s = min(1.5 * pause_s, 0.1)
    await pilot.pause()


@contextlib.asynccontextmanager
async def running(desk=None, size=WIDE, clock=None, *, toasts_shown=False, drawn=False, **more):
    """Run the console until it shows the desk's view; yields the pilot and the desk.

    A headless terminal drops what is drawn of each change. Unless that is `drawn` all the same, the screen is drawn
    when a test reads it, and at the end.
    """
    desk = desk or ScriptedDesk(reclaims())
    app = console_over(desk, clock, **more)
    with contextlib.nullcontext() if drawn else only_on_demand():
        async with app.run_test(size=size, notifications=toasts_shown) as pilot:
            await wait_until(pilot, lambda: app.session.view is not None)
            yield pilot, desk
            screen(app)


@contextlib.contextmanager
def only_on_demand():
    draw = Compositor.render_update

    def render_update(self, full=False, **how):
        return draw(self, full=True, **how) if full else self._dirty_regions.clear()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Compositor, "render_update", render_update)
        yield


def texts(table):
    """The lines of a table as they are seen, its header first."""
    return [table.render_line(y).text for y in range(table.size.height)]


async def press(pilot, *keys):
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def shows(pilot, text):
    await wait_until(pilot, lambda: text in screen(pilot.app))


async def tells(desk, pilot, *command):
    await wait_until(pilot, lambda: command in desk.commands)


async def arrived(pilot, desk):
    await wait_until(pilot, lambda: pilot.app.session.view.version == desk.current.version)


def screen(app):
    """The whole screen as text."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def toasts(app):
    return [notification.message for notification in app._notifications]


async def settle(pilot):
    """Let everything that is on its way to the screen be drawn."""
    for _ in range(3):
        await asyncio.sleep(0)
        await pilot.pause()
