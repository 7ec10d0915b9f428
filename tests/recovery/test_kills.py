"""kill -9 at ten random moments of five recoveries."""

from pathlib import Path
from statistics import median

from spottui.sim.testing import SimServer
from tests.chaos.consoles import kill_while_recovering
from tests.driving import Headless, add_policy, effects, wait_until


def test_kills_at_random_lose_nothing_double_nothing_and_cost_seconds(config: Path) -> None:
    toll = kill_while_recovering(config, kills=4, seed=2)
    assert (toll.kills, toll.recoveries, toll.harm) == (4, 5, 0)
    assert toll.resume_s
    # The median, and beside a start with nothing to resume: what else runs on a shared machine is no failure of ours.
    assert median(toll.resume_s) < max(3, 3 * toll.start_s)


def test_a_clean_end_in_the_middle_goes_on_at_the_next_start(live_cloud: SimServer, config: Path) -> None:
    live_cloud.world(image_base_s=6)
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: console.states().get(victim) == "imaging" and live_cloud.calls("CreateImage"))
        assert console.stop() == 0
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: console.states().get(victim) == "recovered")
    assert len(effects(live_cloud, "CreateImage")) == 1
    assert len(effects(live_cloud, "RunInstances")) == 1


def test_no_two_threads_are_the_first_to_decode_a_type(live_cloud: SimServer, config: Path) -> None:
    """They would end the process by SIGSEGV, without a word."""
    live_cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto", program=("tests.first_decodings",)).wait_ready() as console:
        live_cloud.interrupt([victim])
        wait_until(lambda: not console.alive or console.states().get(victim) == "recovered")
        assert console.alive, console.stderr()
