"""What is found by a tag is all that there is: beyond the thousand that are listed so, and while others are deleted."""

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import OUR_TAG, Ecs
from spottui.cloud.leftovers import our_snapshots
from spottui.config import load
from spottui.sim.testing import SimServer
from tests.driving import wait_until
from tests.sim.calls import Api
from tests.sim.conftest import create_image, ecs_client

MOST = 1_000


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[SimServer]:
    with SimServer(instances=2, config=tmp_path / "c.toml") as cloud:
        cloud.world(image_base_s=0, image_s_per_gib=0)
        create_image(ecs_client(cloud), cloud.spot_ids()[0])
        wait_until(lambda: cloud.state()["images"][-1]["Status"] == "Available")
        yield cloud


@pytest.fixture
def ecs(cloud: SimServer) -> Ecs:
    assert cloud.endpoint.config
    return CloudAccount(load(cloud.endpoint.config)).regions["cn-hangzhou"]


def multiply(cloud: SimServer, table: str, number: int) -> set[str]:
    """Make so many of the last thing of a kind, all with our tag; return their ids."""
    saved = cloud.save()
    cloud.speed(0)
    rows: dict[str, dict[str, Any]] = saved[table]
    last = list(rows.values())[-1]
    places = count(max(row["seq"] for row in rows.values()) + 1)
    made = {
        f"{last['id']}{n:04}": {
            **last, "id": f"{last['id']}{n:04}", "seq": next(places), "tags": {OUR_TAG: f"cn-hangzhou.i-{n}.1"},
            "name": f"made-{n}",
        }
        for n in range(number)
    }  # fmt: skip
    rows.update(made)
    cloud.load(saved)
    return set(made)


def test_more_instances_than_are_listed_by_a_tag(cloud: SimServer, ecs: Ecs) -> None:
    made = multiply(cloud, "instances", MOST + 1)
    assert {instance.instance_id for instance in ecs.our_instances()} == made


def test_more_images_than_are_listed_by_a_tag(cloud: SimServer, ecs: Ecs) -> None:
    made = multiply(cloud, "images", MOST + 1)
    assert set(ecs.our_images()) == made


def test_more_snapshots_than_are_listed_by_a_tag(cloud: SimServer, ecs: Ecs) -> None:
    made = multiply(cloud, "snapshots", MOST + 1)
    assert set(our_snapshots(ecs)) == made


@pytest.mark.parametrize("kind", ["Image", "Snapshot"])
def test_one_that_is_deleted_between_two_pages_hides_no_other(cloud: SimServer, ecs: Ecs, kind: str) -> None:
    made = multiply(cloud, f"{kind.lower()}s", 150)
    action, found = f"Describe{kind}s", set[str]()
    cloud.fault(action, "slow", delay_s=0.5)
    look = ecs.our_images if kind == "Image" else lambda: our_snapshots(ecs)
    looking = threading.Thread(target=lambda: found.update(look()))
    looking.start()
    wait_until(lambda: cloud.calls(action))
    first = min(made)
    Api(cloud)(f"Delete{kind}", **{f"{kind}Id": first})
    looking.join()
    assert len(cloud.calls(action)) > 1, "it had several pages"
    assert made - {first} <= found
