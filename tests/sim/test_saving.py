"""Same seed and clock, same story; and a world that is saved goes on where it was."""

import json

import pytest
from mns.mns_exception import MNSServerException

from spottui.sim.testing import SimServer
from tests.sim.calls import Api
from tests.sim.conftest import ecs_client, launch_request

START = 1_795_400_000.0


def _story(cloud: SimServer, polls: int) -> str:
    """A night, with as many polls in between as asked for; everything that is there at its end."""
    api = Api(cloud)
    for _ in range(polls):
        api("DescribeInstances")
    victims = cloud.spot_ids()[:3]
    cloud.interrupt(victims, copies=2)
    cloud.control("POST", "demand", {"instance_type": "ecs.g7.large", "zone": "cn-hangzhou-j", "amount": 1})
    image_id = api("CreateImage", InstanceId=victims[0], ClientToken="t")["ImageId"]
    cloud.advance(60)
    for _ in range(polls):
        api("DescribeImages")
    row = next(one for one in cloud.state()["instances"] if one["InstanceId"] == victims[0])
    ecs_client(cloud).run_instances(launch_request(cloud, row, image_id, client_token="l"))
    cloud.advance(400)
    saved = cloud.save()
    # Of the two streams of ids the second numbers requests, which is no part of the story.
    saved["ids"] = saved["ids"][0]
    return json.dumps([cloud.state(), saved], sort_keys=True)


def test_the_same_seed_and_clock_tell_the_same_story_however_often_somebody_looks():
    stories = []
    for seed, polls in ((7, 0), (7, 5), (8, 0)):
        with SimServer(seed=seed, speed=0, start_at=START) as cloud:
            stories.append(_story(cloud, polls))
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_a_saved_world_goes_on_where_it_was(cloud, queue, victim):
    api = Api(cloud)
    cloud.world(image_base_s=100, image_s_per_gib=0, token_in_process_s=0)
    cloud.fault("DescribeDisks", "error", code="InternalError", times=1)
    cloud.interrupt([victim["InstanceId"]], notice_s=50)
    cloud.send("held")
    held = {one.message_body: one for one in queue.batch_receive_message(16, 0)}["held"]
    made = api("CreateImage", InstanceId=victim["InstanceId"], ClientToken="t")["ImageId"]
    saved = cloud.save()
    cloud.advance(1000)
    ended = cloud.state()
    cloud.load(saved)
    assert cloud.save() == saved
    assert api("CreateImage", InstanceId=victim["InstanceId"], ClientToken="t")["ImageId"] == made
    assert api.refused("DescribeDisks") == (500, "InternalError")
    queue.delete_message(held.receipt_handle)
    cloud.advance(1000)
    again = cloud.state()
    assert again["images"] == ended["images"]
    assert again["instances"] == ended["instances"]
    assert cloud.state()["queues"][cloud.endpoint.queue]["ActiveMessages"] == 1


def test_a_program_starts_from_a_saved_world(cloud, tmp_path, victim):
    cloud.interrupt([victim["InstanceId"]])
    path = tmp_path / "world.json"
    path.write_text(json.dumps(cloud.save()))
    with SimServer(world=path) as other:
        assert other.endpoint.access_key_id == cloud.endpoint.access_key_id
        locked = [row["InstanceId"] for row in other.state()["instances"] if row["LockReasons"]]
        assert locked == [victim["InstanceId"]]


def test_what_is_no_saved_world_is_refused_and_changes_nothing(cloud):
    before = cloud.save()
    for wrong in ({}, {"format": 99}, {**before, "instances": {"i": 7}}, {"format": 1}):
        with pytest.raises(ValueError, match="error") as refused:
            cloud.load(wrong)
        assert json.loads(str(refused.value))["error"]["allowed"]
    assert cloud.save() == before


def test_a_queue_loses_nothing_in_a_save(cloud, queue):
    for number in range(40):
        cloud.send(f"m{number}", delay_s=number % 3 * 10)
    taken = queue.batch_receive_message(5, 0)
    queue.delete_message(taken[0].receipt_handle)
    cloud.load(cloud.save())
    cloud.advance(100)
    bodies = {taken[0].message_body}
    while True:
        try:
            bodies |= {one.message_body for one in queue.batch_receive_message(16, 0)}
        except MNSServerException:
            break
    assert bodies == {f"m{number}" for number in range(40)}
