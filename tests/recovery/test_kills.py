"""kill -9 at ten random moments of five recoveries."""

from pathlib import Path
from statistics import median

from tests.chaos import Toll, kill_while_recovering


def test_ten_kills_lose_nothing_double_nothing_and_cost_seconds(config: Path) -> None:
    toll = Toll()
    kill_while_recovering(config, kills=10, seed=2, toll=toll)
    assert (toll.kills, toll.recoveries) == (10, 5)
    assert (toll.lost, toll.doubled_images, toll.doubled_instances) == (0, 0, 0)
    assert toll.resume_s
    # The median: what else runs on a shared machine is no failure of ours.
    assert median(toll.resume_s) < 3
