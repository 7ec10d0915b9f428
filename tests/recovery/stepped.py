"""The program on a machine whose clock is stepped while it runs: `SPOTTUI_STEP` names a file with seconds in it.

Only what reads the time of day sees it; the monotonic clock goes on, as it does on such a machine.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from spottui.__main__ import main
from spottui.domain.clock import SystemClock

STEP = Path(os.environ["SPOTTUI_STEP"])
_time = time.time


def ahead_s() -> float:
    return float(STEP.read_text() or 0)


if __name__ == "__main__":
    SystemClock.now = lambda _self: datetime.fromtimestamp(_time() + ahead_s(), UTC)  # type: ignore[method-assign]
    main()
