"""Instances that nobody knows, releases that nobody has seen, and what is for others, in a queue of the cloud."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui.cloud import messages
from spottui.cloud.account import CloudAccount
from spottui.cloud.messages import Reclaim
from spottui.config import load
from spottui.domain.facts import MessageSeen, Released
from spottui.domain.interruption import NOTICE
from spottui.domain.recovery import Recovery
from spottui.journal import Journal
from spottui.sim.testing import SimServer
from spottui.watch.backfill import Gap
from spottui.watch.intake import Intake
from spottui.watch.queue_consumer import QueueConsumer
from spottui.watch.strangers import Strangers
from tests.driving import wait_until
from tests.sim.calls import Api
from tests.watch.given import REGION, event_body, nameless, release_body

BEIJING = "cn-beijing"


@dataclass
class Line:
    """The queue of a region taken in as a console does, without its sweeps: nobody is known at first."""

    cloud: SimServer
    account: CloudAccount
    journal: Journal
    feed: QueueConsumer
    intake: Intake
    strangers: Strangers
    told: list[Recovery]
    protected: list[str]

    def poll(self) -> bool:
        """Look once, ask again what failed as the lock poll does, and say whether the queue is empty."""
        self.feed.poll()
        self.strangers.poll(REGION)
        return self.left() == 0

    def left(self) -> int:
        queue = self.cloud.state()["queues"][self.cloud.endpoint.queue]
        return int(queue["ActiveMessages"]) + int(queue["InactiveMessages"])

    def reclaimed(self) -> set[str]:
        return {one.instance_id for one in self.journal.recoveries.all()}

    def lines(self) -> list[MessageSeen]:
        facts = [one.fact for one in self.journal.log.after(0, 100_000, (MessageSeen,))]
        return [fact for fact in facts if isinstance(fact, MessageSeen)]

    def lookups(self) -> list[str]:
        rows = self.cloud.calls("DescribeInstances")
        return [row["params"]["InstanceIds"] for row in rows if "InstanceIds" in row["params"]]


def line_of(cloud: SimServer, directory: Path, region: str = REGION) -> Line:
    """A console for one region, on the queue that all share."""
    assert cloud.endpoint.config
    read = load(cloud.endpoint.config)
    settings = replace(read, policy=replace(read.policy, long_poll_s=1))
    account, journal = CloudAccount(settings), Journal(directory / "journal.db")
    account.meet(within_s=10)
    strangers, told, protected = Strangers(account.regions, account.thread_pools), list[Recovery](), list[str]()
    intake = Intake(
        journal,
        account.clock,
        [region],
        nameless,
        lambda _, ids: protected.extend(ids),
        told.append,
        strangers,
        lambda _region: account.account_id,
    )
    gap = Gap(region, journal, account.clock, timedelta(minutes=1), lambda: None)
    feed = QueueConsumer(REGION, lambda: account.queue(settings.regions[0]), intake, gap)
    return Line(cloud, account, journal, feed, intake, strangers, told, protected)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[SimServer]:
    with SimServer(config=tmp_path / "c.toml", instances=12, regions=(REGION, BEIJING)) as cloud:
        yield cloud


@pytest.fixture
def line(cloud: SimServer, tmp_path: Path) -> Iterator[Line]:
    line = line_of(cloud, tmp_path / "own")
    yield line
    line.journal.close()


def forged(number: int) -> str:
    return f"i-forged{number:06d}"


def event(instance_id: str, **fields: object) -> str:
    return event_body(instance_id, datetime.now(UTC), **fields)


def spot_ids(cloud: SimServer, region: str = REGION) -> list[str]:
    rows = cloud.state()["instances"]
    return [row["InstanceId"] for row in rows if row["RegionId"] == region and row["SpotStrategy"] != "NoSpot"]


def arn(account: str, instance_id: str) -> str:
    return f"acs:ecs:{REGION}:{account}:instance/{instance_id}"


def test_a_flood_about_nobody_opens_nothing_and_holds_up_no_real_notice(line: Line) -> None:
    """A thousand messages are a dozen look-ups of a hundred ids each."""
    real = spot_ids(line.cloud)[0]
    for number in range(1000):
        line.cloud.send(event(forged(number)) if number % 4 else release_body(forged(number), datetime.now(UTC)))
    line.cloud.send(event(real))
    began = time.monotonic()
    # Not by `wait_until`, which pauses after each look for most of the time that is measured.
    while not (line.feed.poll() or line.strangers.poll(REGION) or line.reclaimed()):
        assert time.monotonic() - began < 20
        time.sleep(0.02)
    wait_until(line.poll)
    assert line.reclaimed() == {real}
    assert line.protected == [real]
    ignored = [one.not_listed for one in line.lines() if one.not_listed]
    assert sum(ignored) == 750
    assert len(ignored) <= len(line.lookups()) <= 20
    assert line.journal.log.after(0, 9, (Released,)) == ()


def test_what_cannot_be_looked_up_stays_in_the_queue_and_is_taken_in_later(line: Line) -> None:
    """An error, and an empty page without the permission to list, say nothing about any instance."""
    real = spot_ids(line.cloud)[0]
    line.cloud.world(permissions={"DescribeInstances": "empty"})
    line.cloud.send(event(real))
    wait_until(lambda: line.poll() or len(line.lookups()) > 1)
    assert (line.reclaimed(), line.left()) == (set(), 1)
    line.cloud.world(permissions={"DescribeInstances": "allow"})
    line.cloud.fault("DescribeInstances", "html_502", times=1)
    wait_until(line.poll)
    assert line.reclaimed() == {real}
    assert line.journal.recoveries.all()[0].interruption.duplicates == 0


def test_a_body_of_many_events_is_deleted_when_all_of_them_are_answered(line: Line) -> None:
    real = spot_ids(line.cloud)[:2]
    events = [json.loads(base64.b64decode(event(one))) for one in (forged(1), *real, forged(2))]
    line.cloud.send(json.dumps(events))
    wait_until(line.poll)
    assert line.reclaimed() == set(real)
    assert [one.not_listed for one in line.lines()] == [2]


def test_a_forged_release_closes_nothing_and_a_real_one_is_noted(line: Line) -> None:
    living, gone = spot_ids(line.cloud)[:2]
    line.cloud.send(event(living))
    line.cloud.send(event(gone))
    wait_until(line.poll)
    Api(line.cloud)("DeleteInstance", InstanceId=gone, Force=True)
    wait_until(lambda: line.account.regions[REGION].gone([gone]))
    for one in (living, gone):
        line.cloud.send(release_body(one, datetime.now(UTC)))
    line.cloud.send(release_body(forged(1), datetime.now(UTC)))
    wait_until(line.poll)
    known = {one.instance_id: one.interruption.released_at for one in line.journal.recoveries.all()}
    assert known[living] is None
    assert known[gone] is not None
    assert len([one for one in line.lines() if one.name == "Instance:StateChange"]) == 3


def test_history_tells_of_what_is_gone_and_closes_nothing_that_lives(line: Line) -> None:
    real, missed, at = spot_ids(line.cloud)[0], forged(1), datetime.now(UTC)
    events = [messages.Released(one, REGION, at) for one in (real, missed, forged(2))]
    line.intake.history(REGION, [*events, *(Reclaim(one, REGION, at, "delete") for one in (real, missed))])
    known = {one.instance_id: one.interruption.released_at for one in line.journal.recoveries.all()}
    assert known == {real: None, missed: at}
    assert [one.fact for one in line.journal.log.after(0, 9, (Released,))] == [Released(at, at + NOTICE)]


def test_a_reclaim_of_another_region_is_left_for_the_console_that_has_it(line: Line, tmp_path: Path) -> None:
    theirs, ours = spot_ids(line.cloud, BEIJING)[0], spot_ids(line.cloud)[0]
    line.cloud.send(event(theirs, regionId=BEIJING))
    line.cloud.send(event(ours))
    wait_until(lambda: line.poll() or (line.reclaimed() == {ours} and line.left() == 1))
    for _ in range(3):
        line.feed.poll()
    assert [one.unconfigured_region for one in line.lines()] == [BEIJING], "said once, however often it is received"
    other = line_of(line.cloud, tmp_path / "other", BEIJING)
    wait_until(lambda: other.feed.poll() or line.left() == 0)
    assert other.reclaimed() == {theirs}
    assert line.reclaimed() == {ours}
    other.journal.close()


def test_without_the_permission_to_give_it_back_it_is_left_all_the_same(line: Line) -> None:
    theirs = spot_ids(line.cloud, BEIJING)[0]
    line.cloud.fault("ChangeMessageVisibility", "error", times=99, code="AccessDenied", status=403)
    line.cloud.send(event(theirs, regionId=BEIJING))
    wait_until(lambda: line.poll() or line.cloud.calls("ChangeMessageVisibility"))
    assert line.left() == 1
    assert not line.cloud.calls("DeleteMessage")


def test_the_account_that_an_event_names_is_ours_or_it_is_left(line: Line) -> None:
    first, second, third = spot_ids(line.cloud)[:3]
    line.cloud.send(event(first, resourceId=arn("1234567890123456", first)))
    line.cloud.send(event(second, resourceId=arn(line.cloud.endpoint.account_id, second)))
    line.cloud.send(event(third, resourceId=arn("<account>", third), userId="169070********30"))
    wait_until(lambda: line.poll() or (len(line.reclaimed()) == 2 and line.left() == 1))
    assert line.reclaimed() == {second, third}
    assert [one.other_account for one in line.lines()] == ["1234567890123456"]


def test_where_no_account_is_known_the_cloud_is_believed_when_it_lists_the_instance(line: Line, tmp_path: Path) -> None:
    line.cloud.world(permissions={"GetCallerIdentity": "forbidden"})
    unknowing = line_of(line.cloud, tmp_path / "unknowing")
    real = spot_ids(line.cloud)[0]
    line.cloud.send(event(real, resourceId=arn("1234567890123456", real)))
    wait_until(unknowing.poll)
    assert unknowing.account.account_id == ""
    assert unknowing.reclaimed() == {real}
    unknowing.journal.close()
