"""The same seed, start and calls give the same story, to the byte: worlds, ledgers and what scenarios come to."""

import json

import pytest

from spottui.sim import saving
from spottui.sim.scenario import begin, load, names, prepare
from spottui.sim.serve import Options, _make_world
from spottui.sim.testing import SimServer
from tests.sim.calls import Api

START = 1_764_000_000.0
AN_HOUR_S = 3600


def story(name):
    """The whole world at several moments of a scenario that nobody interferes with."""
    scenario = load(name)
    world = _make_world(Options(speed=0, start_at=START, hold=True), scenario)
    begin(world, scenario)
    told = []
    for seconds in (1, 10, 60, 300, AN_HOUR_S):
        world.advance(seconds)
        told.append(json.dumps(saving.save(world)))
    return told


@pytest.mark.parametrize("name", names())
def test_each_scenario_is_the_same_twice(name):
    assert story(name) == story(name)


def night(name):
    """The ledger and the world after a client did the same again."""
    with SimServer(scenario=name, speed=0, start_at=START) as cloud:
        api = Api(cloud)
        first = cloud.spot_ids()[0]
        cloud.advance(2)
        api("DescribeInstances", LockReason="Recycling")
        api("CreateImage", InstanceId=first, ClientToken="t")
        api("CreateSnapshotGroup", InstanceId=cloud.spot_ids()[1])
        cloud.advance(400)
        api("DescribeImages", Status="ALL")
        api.refused("StartInstance", InstanceId=cloud.spot_ids()[3])
        return json.dumps(cloud.calls()), json.dumps(cloud.state()), json.dumps(cloud.save())


@pytest.mark.parametrize("name", ["quiet", "demo", "formats-mixed", "storm-100", "noisy-queue"])
def test_ledger_and_world_of_a_night_are_the_same_twice(name):
    assert night(name) == night(name)


def test_the_preparation_of_a_scenario_changes_nothing_by_itself():
    scenario = load("quiet")
    world = _make_world(Options(speed=0, start_at=START, hold=True), scenario)
    before = saving.save(world)
    prepare(world, scenario)
    assert saving.save(world) == before
