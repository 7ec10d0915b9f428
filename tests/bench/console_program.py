"""The console as it is, with one task more on its event loop that notes how late it wakes.

Run as `spottui` is, with `--config` and `--lateness FILE`: each second the file holds the latenesses so far, in ms.
"""

import argparse
import asyncio
import json
import os
from pathlib import Path
from time import perf_counter

from spottui.cli import console
from spottui.config import load
from spottui.console.app import SpottuiApp

BEAT_S = 0.01


def main() -> None:
    """Start the console with the heartbeat."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--lateness", type=Path, required=True)
    parser.add_argument("--auto", action="store_true")
    arguments = parser.parse_args()
    mount = SpottuiApp.on_mount

    def on_mount(app: SpottuiApp) -> None:
        mount(app)
        app.heartbeat = asyncio.create_task(_beat(arguments.lateness))

    SpottuiApp.on_mount = on_mount  # type: ignore[method-assign]
    console.leave(console.run_console(load(arguments.config), auto=arguments.auto, read_only=False))


async def _beat(file: Path) -> None:
    late_ms: list[float] = []
    written = perf_counter()
    while True:
        before = perf_counter()
        await asyncio.sleep(BEAT_S)
        late_ms.append(round((perf_counter() - before - BEAT_S) * 1000, 2))
        if perf_counter() - written > 1:
            written = perf_counter()
            partly = file.with_suffix(".part")
            partly.write_text(json.dumps(late_ms))
            os.replace(partly, file)


if __name__ == "__main__":
    main()
