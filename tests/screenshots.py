"""`make screenshots`: the moments of the demo, taken from the running program against a simulated cloud, as SVG."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
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
SIZES = ("80x24", "200x50")
RECLAIMS = 3
PATIENCE_S = 60


def main() -> None:
    """Run the demo in a process of its own for each size of the terminal, or here for the size that is named."""
    if len(sys.argv) > 1:
        width, height = (int(part) for part in sys.argv[1].split("x"))
        asyncio.run(_demo((width, height)))
        leave(0)
    for size in SIZES:
        subprocess.run([sys.executable, "-m", "tests.screenshots", size], check=True)


async def _demo(size: tuple[int, int]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_STATE_HOME"] = directory
        config = Path(directory) / "demo.toml"
        with SimServer(scenario="demo", config=config):
            await _one_night(config, size)


async def _one_night(config: Path, size: tuple[int, int]) -> None:
    settings = load(config)
    clock = SystemClock()
    app = SpottuiApp(
        partial(open_desk, settings, clock, auto=False, read_only=False),
        clock=clock,
        who="ann@bastion pts/1",
        title="spottui",
    )
    async with app.run_test(size=size) as pilot:
        await _until(pilot, "3 need you")
        _take(app, size, "1-three-reclaims")
        await pilot.press("y")
        await _until(pilot, "Tried in this order")
        _take(app, size, "2-plan")
        await pilot.press("enter")
        await _until(pilot, "1 running")
        for running in range(2, RECLAIMS + 1):
            await pilot.press("y")
            await _until(pilot, "Tried in this order")
            await pilot.press("enter")
            await _until(pilot, f"{running} running")
        await _until(pilot, r"imaging \d\d%")
        _take(app, size, "3-imaging")
        await _until(pilot, "none open")
        _take(app, size, "4-recovered")
        await pilot.press("question_mark")
        await pilot.pause()
        _take(app, size, "5-help")


async def _until(pilot: Pilot[None], pattern: str) -> None:
    """Wait until the screen shows the pattern."""
    async with asyncio.timeout(PATIENCE_S):
        while not re.search(pattern, _text(pilot.app)):
            await pilot.pause(0.1)


def _text(app: object) -> str:
    svg = app.export_screenshot()
    return re.sub(r"<[^>]+>", "", svg).replace("&#160;", " ")


def _take(app: SpottuiApp, size: tuple[int, int], moment: str) -> None:
    PLACE.mkdir(exist_ok=True)
    name = f"{size[0]}x{size[1]}-{moment}.svg"
    app.save_screenshot(name, str(PLACE))
    print(f"screenshots/{name}")


if __name__ == "__main__":
    main()
