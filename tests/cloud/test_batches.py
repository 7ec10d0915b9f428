"""One bad id never spoils a list: by property, and against the simulated cloud."""

from collections.abc import Iterator, Sequence
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.cloud import disks
from spottui.cloud.account import CloudAccount
from spottui.cloud.batches import in_halves
from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.leftovers import tag
from spottui.config import load
from spottui.sim.testing import SimServer

REGION = "cn-hangzhou"
BAD_ID = CloudError("DescribeDisks", ErrorKind.NOT_FOUND, "InvalidDiskId.NotFound")
IDS = st.lists(st.integers(0, 400).map("d-{}".format), max_size=250, unique=True)


@given(IDS, st.sets(st.integers(0, 400).map("d-{}".format), max_size=8), st.integers(1, 100))
def test_every_good_id_is_answered_in_few_calls(ids: list[str], bad: set[str], most: int) -> None:
    calls: list[Sequence[str]] = []

    def ask(some: Sequence[str]) -> dict[str, str]:
        calls.append(some)
        assert 0 < len(some) <= most
        if bad.intersection(some):
            raise BAD_ID
        return {one: f"disk {one}" for one in some}

    found = in_halves(ids, ask, most)
    asked_bad = bad & set(ids)
    assert dict(found) == {one: f"disk {one}" for one in ids if one not in bad}
    assert found.refused.keys() == asked_bad
    lengths = found.each(len)
    assert dict(lengths) == {one: len(text) for one, text in found.items()}
    assert lengths.refused == found.refused
    assert len(calls) <= ceil(len(ids) / most) + 2 * len(asked_bad) * ceil(log2(most) if most > 1 else 0)
    for one in asked_bad:
        with pytest.raises(CloudError):
            found.get(one)


@pytest.mark.parametrize("kind", [kind for kind in ErrorKind if kind.repeats and kind is not ErrorKind.BUSY])
def test_a_call_that_failed_says_nothing_of_any_id(kind: ErrorKind) -> None:
    calls: list[Sequence[str]] = []

    def ask(some: Sequence[str]) -> dict[str, str]:
        calls.append(some)
        raise CloudError("DescribeDisks", kind)

    with pytest.raises(CloudError):
        in_halves(["d-1", "d-2"], ask)
    assert len(calls) == 1


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimServer, Ecs]]:
    config = tmp_path_factory.mktemp("batches") / "c.toml"
    with SimServer(config=config, instances=60) as server:
        yield server, CloudAccount(load(config)).regions[REGION]


def test_an_instance_that_may_not_be_looked_up_hides_no_other_and_is_not_gone(cloud: tuple[SimServer, Ecs]) -> None:
    server, ecs = cloud
    ids = [row["InstanceId"] for row in server.state()["instances"]]
    server.fault("DescribeInstances", "error", match={"InstanceIds": "*i-bad*"}, times=1000, code="Odd.Id", status=400)
    asked = [*ids, "i-bad", "i-unknown"]
    before = len(server.calls("DescribeInstances"))
    found = ecs.launch_specs(asked)
    assert set(found) == set(ids)
    assert list(found.refused) == ["i-bad"]
    assert len(server.calls("DescribeInstances")) - before <= 1 + 2 * 7
    assert ecs.gone(asked) == {"i-unknown"}
    assert not ecs.gone(["i-bad"])
    assert not ecs.gone([ids[0]])
    assert ecs.gone(["i-unknown"])


def test_a_hundred_instances_are_one_look(cloud: tuple[SimServer, Ecs]) -> None:
    server, ecs = cloud
    ids = [row["InstanceId"] for row in server.state()["instances"]]
    before = len(server.calls("DescribeInstances"))
    assert ecs.gone([*ids, *(f"i-forged{n}" for n in range(40))]) == {f"i-forged{n}" for n in range(40)}
    assert len(server.calls("DescribeInstances")) - before == 2, "the look, and whether it may be believed"


def test_without_the_permission_nothing_is_gone(cloud: tuple[SimServer, Ecs]) -> None:
    server, ecs = cloud
    server.fault("DescribeInstances", "error", match={"DryRun": "*"}, code="Forbidden.RAM", status=403)
    with pytest.raises(CloudError, match="Forbidden"):
        ecs.gone(["i-forged"])


def test_a_refused_role_costs_no_other(cloud: tuple[SimServer, Ecs]) -> None:
    server, ecs = cloud
    all_roles = dict(ecs.ram_roles([row["InstanceId"] for row in server.state()["instances"]]))
    bad, *others = all_roles
    assert others
    server.fault(
        "DescribeInstanceRamRole",
        "error",
        match={"InstanceIds": f"*{bad}*"},
        times=1000,
        code="Forbidden.RAM",
        status=403,
    )
    found = ecs.ram_roles(all_roles)
    assert dict(found) == {one: all_roles[one] for one in others}
    assert found.refused[bad].kind is ErrorKind.DENIED


def test_disks_that_cannot_be_kept_cost_no_other_its_protection(cloud: tuple[SimServer, Ecs]) -> None:
    server, ecs = cloud
    rows = [row for row in server.state()["disks"] if not row["Category"].startswith("ephemeral")][:20]
    ids = [row["DiskId"] for row in rows]
    answers = ecs.protect_each([*ids[:7], "d-gone", *ids[7:]])
    assert set(answers) == set(ids)
    assert list(answers.refused) == ["d-gone"]
    still = {row["DiskId"] for row in server.state()["disks"] if row["DeleteWithInstance"]}
    assert not still & set(ids)


def test_what_can_be_tagged_is_tagged_and_the_rest_is_said(cloud: tuple[SimServer, Ecs]) -> None:
    server, ecs = cloud
    ids = [row["DiskId"] for row in server.state()["disks"]][:6]
    with pytest.raises(CloudError, match="d-gone"):
        tag(ecs, "disk", [*ids[:3], "d-gone", *ids[3:]], "interruption-1", "2026-12-01")
    tagged = disks.by_id(ecs, ids)
    assert all(dict(disk.tags).get("spottui") == "interruption-1" for disk in tagged.values())
