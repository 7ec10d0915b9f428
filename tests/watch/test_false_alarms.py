"""An error, an empty page or a row that vanished is never evidence: one console goes through all of them."""

from pathlib import Path

from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until
from tests.sim.calls import Api

FAST = {"veto_window_s": 0, "lock_poll_s": 0.5, "sweep_s": 2, "long_poll_s": 1}
TIMEOUTS = 25


def looks(cloud: SimServer) -> int:
    return len(cloud.calls("DescribeInstances"))


def let_looks_pass(cloud: SimServer, number: int) -> None:
    seen = looks(cloud)
    wait_until(lambda: looks(cloud) >= seen + number)


def time_out(cloud: SimServer, times: int) -> None:
    """That many calls in a row hang, and then are cut off."""
    cloud.fault("DescribeInstances", "timeout", times=times, delay_s=0.05)
    wait_until(lambda: sum(row["status"] is None for row in cloud.calls("DescribeInstances")) >= times)


def test_nothing_of_this_starts_a_recovery(live_cloud: SimServer, config: Path) -> None:
    add_policy(config, **FAST)
    drilled, deleted, reclaimed = live_cloud.spot_ids()[:3]
    live_cloud.world(permissions={"DescribeSystemEventAttribute": "forbidden"})
    with Headless(config, "--auto").wait_ready() as console:
        wait_until(lambda: "Forbidden.RAM" in console.source_error("backfill"))
        assert "Grant this action" in console.source_error("backfill")

        # What is suspected keeps the lock poll at its pace, and is what a wrong look would confirm.
        live_cloud.interrupt([drilled], format="drill")
        wait_until(lambda: console.states() == {drilled: "suspected"})
        time_out(live_cloud, TIMEOUTS)
        wait_until(lambda: not console.source_error("lock"))

        live_cloud.world(permissions={"DescribeInstances": "empty"})
        wait_until(lambda: "Forbidden.RAM" in console.source_error("sweep"))
        let_looks_pass(live_cloud, 6)
        live_cloud.world(permissions={"DescribeInstances": "allow"})
        wait_until(lambda: not console.source_error("sweep"))

        Api(live_cloud)("DeleteInstance", InstanceId=deleted, Force=True)
        let_looks_pass(live_cloud, 6)

        assert console.states() == {drilled: "suspected"}
        assert not effects(live_cloud, "CreateImage")
        assert not effects(live_cloud, "RunInstances")

        # And it has not gone deaf over it.
        live_cloud.interrupt([reclaimed])
        wait_until(lambda: effects(live_cloud, "CreateImage") and reclaimed in console.states())
    assert console.states().keys() == {drilled, reclaimed}
