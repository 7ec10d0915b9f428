"""The same seed, start and calls give the same story, to the byte: worlds, ledgers and what scenarios come to."""

import json

import pytest

from spottui.sim import saving
from spottui.sim.registry import ALB, NLB, SLB, STS
from spottui.sim.scenario import load, names, prepare
from spottui.sim.serve import Options, _make_world
from spottui.sim.testing import SimServer
from tests.sim.balancing import BACKEND_PORT, fleet, named, visit
from tests.sim.calls import Api

START = 1_764_000_000.0
A_WHILE_S, AN_HOUR_S = 50, 3600


def night(name):
    """The ledger, and the whole world at several moments, after a client did and was told the same again."""
    with SimServer(scenario=name, speed=0, start_at=START) as cloud:
        api = Api(cloud)
        ids = [row["InstanceId"] for row in cloud.state()["instances"]]
        told = []
        for seconds, action, params in (
            (1, "DescribeInstances", {"LockReason": "Recycling"}),
            (1, "CreateImage", {"InstanceId": ids[0], "ClientToken": "t"}),
            (8, "CreateSnapshotGroup", {"InstanceId": ids[-1]}),
            (50, "StartInstance", {"InstanceId": ids[len(ids) // 2]}),
            (240, "DescribeImages", {"Status": "ALL"}),
            (AN_HOUR_S, "DescribeSpotPriceHistory", {"InstanceType": "ecs.g7.large", "NetworkType": "vpc"}),
        ):
            cloud.advance(seconds)
            told.append(_answer(api, action, params))
            if seconds >= A_WHILE_S:
                told.append(cloud.save())
        return json.dumps([told, cloud.calls(), cloud.state()])


def _answer(api, action, params):
    try:
        return api(action, **params)
    except Exception as refusal:  # What a scenario breaks belongs to its story: refused, cut off, no answer at all.
        return [type(refusal).__name__, getattr(refusal, "code", "")]


@pytest.mark.parametrize("name", names())
def test_each_scenario_is_the_same_twice(name):
    assert night(name) == night(name)


def night_behind_balancers():
    """Ledger, world, log of requests and answers of a night with every product in it."""
    with SimServer(world=fleet(), speed=0, start_at=START) as cloud:
        web, groups = named(cloud, "web-1")["InstanceId"], cloud.state()["server_groups"]
        servers = json.dumps([{"ServerId": web, "Weight": "0"}])
        answers = [Api(cloud, SLB)("SetBackendServers", LoadBalancerId=groups[0]["ServerGroupId"],
                                   BackendServers=servers)]  # fmt: skip
        for version, group in zip((ALB, NLB), groups[1:], strict=True):
            row = {"Servers__1__ServerId": web, "Servers__1__ServerType": "Ecs", "Servers__1__Port": BACKEND_PORT,
                   "Servers__1__Weight": 0, "ServerGroupId": group["ServerGroupId"]}  # fmt: skip
            answers.append(Api(cloud, version)("UpdateServerGroupServersAttribute", **row))
        answers.append(Api(cloud, STS)("AssumeRole", RoleArn="acs:ram::1:role/ops", RoleSessionName="night"))
        seen = []
        for _ in range(4):
            seen += [visit(row["Address"]) for row in cloud.state()["load_balancers"]]
            cloud.advance(3)
        cloud.interrupt([web], notice_s=5)
        cloud.advance(20)
        told = (cloud.calls(), cloud.state(), cloud.save(), cloud.control("GET", "traffic"), answers)
        return json.dumps(told), seen


def test_a_night_behind_load_balancers_is_the_same_twice():
    first, seen = night_behind_balancers()
    assert (first, seen) == night_behind_balancers()
    assert set(seen) == {"web-1", "web-2"}


def test_the_preparation_of_a_scenario_changes_nothing_by_itself():
    scenario = load("quiet")
    world = _make_world(Options(speed=0, start_at=START, hold=True), scenario)
    before = saving.save(world)
    prepare(world, scenario)
    assert saving.save(world) == before
