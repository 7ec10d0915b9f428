"""One recovery from the command line, which several tests look at."""

from collections.abc import Iterator

import pytest

from spottui.sim.testing import SimServer
from tests.cli.running import Night, start
from tests.driving import effects, wait_until


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """`recover --when-locked` runs, then the instance is reclaimed and told of five times."""
    toml = tmp_path_factory.mktemp("night") / "c.toml"
    with SimServer(config=toml) as cloud:
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        instance_id = cloud.spot_ids()[1]
        with start(toml, "recover", instance_id, "--when-locked", "--yes") as process:
            wait_until(lambda: any(row["params"].get("LockReason") for row in cloud.calls("DescribeInstances")))
            assert not effects(cloud, "CreateImage"), "it waits for the lock"
            # An hour: what is looked at later must not have been released meanwhile.
            cloud.interrupt([instance_id], copies=5, notice_s=3600)
            output, _ = process.communicate(timeout=60)
        yield Night(cloud, toml, instance_id, output, process.returncode, effects(cloud, "RunInstances"))
