"""CloudMonitor's history: what it is asked for, when, and what it may say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.cloudmonitor import CloudMonitor
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.messages import Reclaim, Released
from spottui.cloud.rpc import accepted
from spottui.config import load
from spottui.domain.interruption import Evidence
from spottui.sim.testing import SimServer
from spottui.watch.backfill import Backfill, Gap
from tests.watch.given import REGION, HandClock, Taken

BEIJING = "cn-beijing"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimServer, CloudAccount]]:
    config = tmp_path_factory.mktemp("sim") / "c.toml"
    with SimServer(config=config, regions=(REGION, BEIJING)) as cloud:
        yield cloud, CloudAccount(load(config))


@pytest.fixture
def cloud(shared: tuple[SimServer, CloudAccount]) -> SimServer:
    shared[0].reset()
    return shared[0]


@pytest.fixture
def monitor(shared: tuple[SimServer, CloudAccount]) -> CloudMonitor:
    return shared[1].monitors[REGION]


def spot_of(cloud: SimServer, region: str) -> list[str]:
    rows = cloud.state()["instances"]
    return [row["InstanceId"] for row in rows if row["RegionId"] == region and row["SpotStrategy"] != "NoSpot"]


def since_start() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - timedelta(minutes=30), now + timedelta(minutes=30)


def test_reclaims_and_releases_of_the_region_come_with_their_times(cloud: SimServer, monitor: CloudMonitor) -> None:
    ours, theirs = spot_of(cloud, REGION)[0], spot_of(cloud, BEIJING)[0]
    cloud.interrupt([ours, theirs], notice_s=1)
    cloud.advance(2)
    reclaim, released = monitor.history(*since_start())
    assert (type(reclaim), type(released)) == (Reclaim, Released)
    assert reclaim.instance_id == released.instance_id == ours
    assert reclaim.at
    assert released.at
    assert timedelta() < released.at - reclaim.at <= timedelta(seconds=2)
    assert reclaim.at
    assert monitor.history(reclaim.at + timedelta(seconds=0.5), since_start()[1]) == (released,)


def test_every_page_is_read(cloud: SimServer, monitor: CloudMonitor) -> None:
    some = spot_of(cloud, REGION)[:5]
    for _ in range(21):
        cloud.interrupt(some, lock=False, queue=False)
    assert len(monitor.history(*since_start())) == 105
    pages = [row["params"]["PageNumber"] for row in cloud.calls("DescribeSystemEventAttribute")]
    assert pages == ["1", "2", "1"]


def test_a_missing_permission_is_said_with_what_to_do(cloud: SimServer, monitor: CloudMonitor) -> None:
    cloud.world(permissions={"DescribeSystemEventAttribute": "forbidden"})
    with pytest.raises(CloudError, match=r"Forbidden\.RAM") as refused:
        monitor.history(*since_start())
    assert refused.value.kind is ErrorKind.DENIED
    assert "setup --policy" in refused.value.advice


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"Code": "403", "Success": False, "Message": "no", "RequestId": "R"}, ErrorKind.DENIED),
        ({"Code": "500", "Success": False}, ErrorKind.BROKEN),
        ({"Code": "200", "Success": "false"}, ErrorKind.REFUSED),
        ({"Code": "Throttling.User", "Success": False}, ErrorKind.THROTTLED),
    ],
)
def test_a_refusal_with_http_200_is_an_error(body: dict[str, object], kind: ErrorKind) -> None:
    with pytest.raises(CloudError) as refused:
        accepted("DescribeSystemEventAttribute", body)
    assert refused.value.kind is kind


def test_what_is_no_answer_is_an_error_and_not_an_empty_history(cloud: SimServer, monitor: CloudMonitor) -> None:
    cloud.fault("DescribeSystemEventAttribute", "bad_json")
    with pytest.raises(CloudError):
        monitor.history(*since_start())


class Line:
    """A gap and a back-fill on a clock turned by hand, which starts at the cloud's time."""

    def __init__(self, directory: Path, monitor: CloudMonitor) -> None:
        self.clock = HandClock(datetime.now(UTC) + timedelta(seconds=1))
        self.taken = Taken(directory, self.clock)
        self.turns = 0
        self.monitor = monitor
        self.start()

    def start(self) -> None:
        """As a new process does."""
        self.taken.restart()
        self.gap = Gap(REGION, self.taken.journal, self.clock, timedelta(seconds=30), self.turned)
        self.backfill = Backfill(self.monitor, self.gap, self.taken.intake, self.clock)

    def turned(self) -> None:
        self.turns += 1

    def listen(self, seconds: int) -> None:
        """The queue answers every ten seconds, and the history is asked as often."""
        for _ in range(0, seconds, 10):
            self.clock.turn(10)
            self.gap.answered()
            self.backfill.poll()


@pytest.fixture
def line(tmp_path: Path, monitor: CloudMonitor) -> Line:
    return Line(tmp_path, monitor)


def asked(cloud: SimServer) -> int:
    return len(cloud.calls("DescribeSystemEventAttribute"))


def test_what_nobody_listened_to_is_suspected_and_never_more(cloud: SimServer, line: Line) -> None:
    victim = spot_of(cloud, REGION)[0]
    cloud.interrupt([victim], lock=False, queue=False)
    line.clock.turn(30)
    line.backfill.poll()
    (found,) = line.taken.all(victim)
    assert found.evidence == (Evidence.BACKFILL,)
    assert not found.confirmed
    assert [one.recovery_id for one in line.taken.told] == [found.id]


def test_the_same_history_is_told_once(cloud: SimServer, line: Line) -> None:
    victim = spot_of(cloud, REGION)[0]
    cloud.interrupt([victim], lock=False, queue=False)
    for _ in range(3):
        line.clock.turn(30)
        line.backfill.poll()
    (found,) = line.taken.all(victim)
    assert found.duplicates == 0
    assert len(line.taken.told) == 1


def test_a_queue_that_answers_needs_no_history(cloud: SimServer, line: Line) -> None:
    line.listen(90)
    before = asked(cloud)
    line.listen(300)
    assert asked(cloud) == before
    assert line.gap.since is None


def test_an_outage_is_asked_for_from_the_last_answer_until_the_queue_has_settled(cloud: SimServer, line: Line) -> None:
    line.listen(90)
    answered = line.clock.now()
    turns = line.turns
    line.clock.turn(5)
    line.gap.failed()
    assert (line.turns, line.gap.since) == (turns + 1, answered)
    line.clock.turn(100)
    line.gap.failed()
    victim = spot_of(cloud, REGION)[0]
    cloud.advance((line.clock.now() - datetime.now(UTC)).total_seconds() - 10)
    cloud.interrupt([victim], lock=False, queue=False)
    line.backfill.poll()
    assert line.taken.all(victim)
    line.gap.answered()
    assert line.turns == turns + 2
    assert line.gap.since == answered
    line.listen(50)
    assert line.gap.since == answered
    line.listen(20)
    assert line.gap.since is None


def test_silence_without_an_error_is_a_gap_too(cloud: SimServer, line: Line) -> None:
    line.listen(90)
    answered = line.clock.now()
    line.clock.turn(31)
    line.gap.answered()
    assert line.gap.since == answered


def test_a_restart_asks_from_the_last_time_that_the_queue_was_well(cloud: SimServer, line: Line) -> None:
    line.listen(300)
    well = line.clock.now()
    line.clock.turn(1200)
    line.start()
    assert line.gap.since
    assert timedelta() <= well - line.gap.since <= timedelta(seconds=70)


def test_the_window_is_bounded(cloud: SimServer, line: Line) -> None:
    assert line.gap.since == line.clock.now() - timedelta(minutes=15)
    line.listen(90)
    line.clock.turn(5 * 3600)
    line.start()
    assert line.gap.since == line.clock.now() - timedelta(hours=1)
    line.backfill.poll()
    row = cloud.calls("DescribeSystemEventAttribute")[-1]["params"]
    asked_s = (int(row["EndTime"]) - int(row["StartTime"])) / 1000
    assert asked_s == pytest.approx(3660, abs=1)


def test_a_history_that_fails_keeps_the_gap_and_tells_it_later(cloud: SimServer, line: Line) -> None:
    victim = spot_of(cloud, REGION)[0]
    cloud.interrupt([victim], lock=False, queue=False)
    cloud.fault("DescribeSystemEventAttribute", "html_502")
    line.clock.turn(70)
    line.gap.answered()
    line.clock.turn(70)
    with pytest.raises(CloudError):
        line.backfill.poll()
    assert line.gap.since
    line.backfill.poll()
    assert line.taken.all(victim)
    assert line.gap.since is None
