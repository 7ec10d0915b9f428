"""`make screenshots`: the running program against the simulated cloud's named scenarios, as SVG.

`python -m tests.screenshots [NIGHT SIZE]` takes one night, in a process of its own since an engine lives as long as
its process.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual.pilot import Pilot

from spottui.cli.assembly import open_desk
from spottui.cli.console import leave
from spottui.config import load
from spottui.console.app import SpottuiApp
from spottui.domain.clock import SystemClock
from spottui.sim.testing import SimServer

PLACE = Path(__file__).parent.parent / "screenshots"
PATIENCE_S = 90
TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
"""Without it the pictures have the sixteen colours of a terminal that nobody uses."""


@dataclass(frozen=True)
class Camera:
    """A console under way, and the names of its pictures."""

    pilot: Pilot[None]
    size: str

    async def until(self, pattern: str) -> None:
        """Wait until the screen shows the pattern."""
        async with asyncio.timeout(PATIENCE_S):
            while not re.search(pattern, self._text()):
                await self.pilot.pause(0.1)

    async def press(self, *keys: str) -> None:
        """Type."""
        await self.pilot.press(*keys)
        await self.pilot.pause(0.3)

    def take(self, moment: str) -> None:
        """Keep what the screen shows."""
        name = f"{self.size}-{moment}.svg"
        self.pilot.app.save_screenshot(name, str(PLACE))
        print(f"screenshots/{name}")

    def _text(self) -> str:
        return re.sub(r"<[^>]+>", "", self.pilot.app.export_screenshot()).replace("&#160;", " ")


async def demo(camera: Camera) -> None:
    """Three reclaims, from the bell to the end."""
    await camera.until("3 NEED YOU")
    camera.take("1-three-reclaims")
    await camera.press("y")
    await camera.until("Tried in this order")
    camera.take("2-plan")
    await camera.press("enter")
    await camera.until("1 running")
    for running in (2, 3):
        await camera.press("y")
        await camera.until("Tried in this order")
        await camera.press("enter")
        await camera.until(f"{running} running")
    await camera.until(r"imaging +\d\d ?%")
    camera.take("3-imaging")
    await camera.until("3 recovered")
    camera.take("4-recovered")
    await camera.press("question_mark")
    camera.take("5-help")
    await camera.press("escape", "3", "enter")
    await camera.until("RunInstances")
    camera.take("6-timeline")
    await camera.press("escape", "1", "end", "enter")
    await camera.until("Price")
    camera.take("7-instance")
    await camera.press("escape", "i")
    await camera.until("Recovery time")
    camera.take("8-statistics")


async def storm(camera: Camera) -> None:
    """A hundred at once."""
    await camera.until(r"\d\d imaging|\d+ running")
    await camera.press("w")
    await camera.until(r"\d+ of \d+ makes? it")
    camera.take("9-storm")


NIGHTS: dict[str, tuple[str, bool, tuple[str, ...], Callable[[Camera], Awaitable[None]]]] = {
    "demo": ("demo", False, ("80x24", "120x40", "200x50"), demo),
    "storm": ("storm-100", True, ("80x24", "120x40"), storm),
}
"""A night's scenario, whether auto-mode is armed, the sizes of its pictures, and what happens."""


def main() -> None:
    """Take every night, each at each size in a process of its own, or the one that is named."""
    PLACE.mkdir(exist_ok=True)
    if len(sys.argv) > 1:
        asyncio.run(_night(*sys.argv[1:3]))
        leave(0)
    for name, (_, _, sizes, _) in NIGHTS.items():
        for size in sizes:
            subprocess.run([sys.executable, "-m", "tests.screenshots", name, size], check=True)


async def _night(name: str, size: str) -> None:
    scenario, auto, _, happens = NIGHTS[name]
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_STATE_HOME"] = directory
        os.environ |= TRUE_COLOUR
        os.environ.pop("NO_COLOR", None)
        config = Path(directory) / f"{name}.toml"
        with SimServer(scenario=scenario, config=config):
            await _watch(config, size, happens, auto=auto)


async def _watch(config: Path, size: str, happens: Callable[[Camera], Awaitable[None]], *, auto: bool) -> None:
    clock = SystemClock()
    app = SpottuiApp(
        partial(open_desk, load(config), clock, auto=auto, read_only=False),
        clock=clock,
        who="ann@bastion pts/1",
        title="spottui",
    )
    width, height = (int(part) for part in size.split("x"))
    async with app.run_test(size=(width, height)) as pilot:
        await happens(Camera(pilot, size))


if __name__ == "__main__":
    main()
