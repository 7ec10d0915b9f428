"""A guard that listens to a queue too: the metadata decides, and nothing of others is lost."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spottui.cloud.event_rules import drill_body
from spottui.cloud.metadata import Metadata
from spottui.domain.interruption import Notice
from spottui.sim.testing import SimServer
from spottui.workload.guard import Guard as WorkloadGuard
from spottui.workload.guard import Rules
from spottui.workload.progress import ProgressFile, run_until_done
from tests.cli.running import KINDS, run
from tests.driving import clean_environment, effects, wait_until

REGION = "cn-hangzhou"
SAVES = """
import os, signal, sys, time
run = int(os.environ["SPOTTUI_RUN"])
def save(*_):
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
print(run, flush=True)
while run == 1:
    time.sleep(0.05)
"""

ENDS_WHEN_THE_QUEUE_IS_EMPTY = SAVES.replace("run == 1", "run == 1 or not os.path.exists(sys.argv[1] + '/go')")


@pytest.fixture(scope="module")
def world() -> Iterator[SimServer]:
    with SimServer(instances=8) as cloud:
        yield cloud


@pytest.fixture
def cloud(world: SimServer) -> SimServer:
    world.reset()
    return world


def environment(cloud: SimServer, directory: Path) -> dict[str, str]:
    key, secret = cloud.endpoint.access_key_id, cloud.endpoint.access_key_secret
    given = {"ALIBABA_CLOUD_ACCESS_KEY_ID": key, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret}
    return {**clean_environment(directory), **given}


class Guard:
    """`spottui guard --queue` in a process of its own, on the first spot instance."""

    def __init__(
        self, cloud: SimServer, directory: Path, *, queue: str = "", poll_s: float = 30, metadata: str = "",
        command: str = "",
    ) -> None:  # fmt: skip
        self.instance_id = cloud.spot_ids()[0]
        self.state = directory / "state.json"
        address = metadata or f"{cloud.url}/_sim/metadata/{self.instance_id}"
        self._output = (directory / "output").open("w+")
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "spottui", "guard", "--metadata", address, "--poll", str(poll_s),
                "--margin", "10", "--state", str(self.state),
                "--queue", queue or f"{cloud.url}/queues/{cloud.endpoint.queue}", "--", sys.executable,
                "-c", command or SAVES, str(directory),
            ],
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=environment(cloud, directory),
        )  # fmt: skip

    def __enter__(self) -> "Guard":
        wait_until(lambda: "1\n" in self.said())
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        self._output.close()

    def said(self) -> str:
        return (self.state.parent / "output").read_text()

    def outcome(self) -> tuple[str, int]:
        found = json.loads(self.state.read_text())
        return found["outcome"], found["runs"]


def waiting(cloud: SimServer) -> int:
    """How many messages are in the queue, held ones included."""
    queue = cloud.state()["queues"][cloud.endpoint.queue]
    return int(queue["ActiveMessages"] + queue["InactiveMessages"] + queue["DelayMessages"])


def flat(instance_id: str, ago: timedelta = timedelta(0)) -> str:
    at = f"{datetime.now(UTC) - ago:%Y%m%dT%H%M%S}.000+0000"
    return json.dumps({**drill_body(REGION, instance_id), "eventTime": at})


def test_the_notice_of_this_instance_ends_the_workload_and_only_it_is_deleted(cloud: SimServer, tmp_path: Path) -> None:
    """The metadata is looked at every 30 s here: it is the queue that spoke, and the metadata agreed when asked."""
    with Guard(cloud, tmp_path) as guard:
        for other in cloud.spot_ids()[1:3]:
            cloud.send(flat(other))
        for odd in ("no JSON", json.dumps(drill_body(REGION, "i-nobody"))):
            cloud.send(odd)
        cloud.interrupt([guard.instance_id])
        assert guard.process.wait(20) == 75
        assert "SIGTERM sent" in guard.said()
        assert guard.outcome() == ("interrupted", 1)
    assert waiting(cloud) == 4, "what is about others is still there"
    assert len(effects(cloud, "BatchDeleteMessage")) == 1


def test_others_do_not_stand_in_the_way_and_can_take_their_messages_meanwhile(cloud: SimServer, tmp_path: Path) -> None:
    """More of them than one batch holds."""
    for _ in range(20):
        cloud.send(flat("i-somebodyelse"))
    with Guard(cloud, tmp_path) as guard:
        wait_until(lambda: len(cloud.calls("ChangeMessageVisibility")) >= 20)
        assert guard.process.poll() is None
        cloud.interrupt([guard.instance_id])
        assert guard.process.wait(20) == 75
    assert waiting(cloud) == 20


@pytest.mark.parametrize("ago_s", [290, 0, -200, -80_000])
def test_a_stale_or_forged_notice_ends_nothing_while_the_metadata_plans_nothing(
    cloud: SimServer, tmp_path: Path, ago_s: float
) -> None:
    with Guard(cloud, tmp_path) as guard:
        cloud.send(flat(guard.instance_id, ago=timedelta(seconds=ago_s)))
        wait_until(lambda: "the metadata announces none" in guard.said())
        assert guard.process.poll() is None
        assert "SIGTERM" not in guard.said()
        cloud.interrupt([guard.instance_id], queue=False)
        assert guard.process.wait(20) == 75, "the metadata agreed later"
        assert guard.outcome() == ("interrupted", 1)


def test_a_message_about_others_too_is_heard_and_left_to_them(cloud: SimServer, tmp_path: Path) -> None:
    """It comes again at once, and is not taken for another drill."""
    with Guard(cloud, tmp_path) as guard:
        both = [drill_body(REGION, guard.instance_id), drill_body(REGION, "i-somebodyelse")]
        cloud.send(json.dumps(both))
        assert guard.process.wait(20) == 0
        assert guard.outcome() == ("done", 2)
    assert waiting(cloud) == 1


def test_a_flood_of_drills_is_one_drill(cloud: SimServer, tmp_path: Path) -> None:
    """The second run would be warned again, and a third begun."""
    with Guard(cloud, tmp_path, command=ENDS_WHEN_THE_QUEUE_IS_EMPTY) as guard:
        cloud.send(json.dumps(drill_body(REGION, guard.instance_id)))
        wait_until(lambda: "2\n" in guard.said())
        for _ in range(5):
            cloud.send(json.dumps(drill_body(REGION, guard.instance_id)))
        wait_until(lambda: waiting(cloud) == 0)
        assert "another drill within five minutes" in guard.said()
        (tmp_path / "go").touch()
        assert guard.process.wait(20) == 0
        assert guard.outcome() == ("done", 2)


class NothingBut(BaseHTTPRequestHandler):
    """A metadata service that knows the instance's id and fails for everything else."""

    instance_id = ""

    def do_GET(self) -> None:
        known = self.path.endswith("/instance-id")
        self.send_response(200 if known else 500)
        self.end_headers()
        self.wfile.write(self.instance_id.encode() if known else b"")

    def do_PUT(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class NothingButUndated(NothingBut):
    """As above, and its answers have no `Date`."""

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)


@contextmanager
def serving(handler: type[NothingBut], instance_id: str) -> Iterator[str]:
    service = type("Service", (handler,), {"instance_id": instance_id})
    with ThreadingHTTPServer(("127.0.0.1", 0), service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def silent_metadata(cloud: SimServer) -> Iterator[str]:
    with serving(NothingBut, cloud.spot_ids()[0]) as address:
        yield address


def test_a_fresh_notice_counts_where_the_metadata_cannot_be_asked(
    cloud: SimServer, tmp_path: Path, silent_metadata: str
) -> None:
    with Guard(cloud, tmp_path, metadata=silent_metadata) as guard:
        cloud.send(flat(guard.instance_id))
        wait_until(lambda: "if this machine still runs in" in guard.said())
        assert "the metadata service is unreachable" in guard.said()
        assert guard.outcome() == ("interrupted", 1)
    assert waiting(cloud) == 0


def test_an_old_notice_does_not_count_where_the_metadata_cannot_be_asked(
    cloud: SimServer, tmp_path: Path, silent_metadata: str
) -> None:
    with Guard(cloud, tmp_path, metadata=silent_metadata) as guard:
        cloud.send(flat(guard.instance_id, ago=timedelta(seconds=200)))
        wait_until(lambda: "s old and the metadata service is unreachable: ignored" in guard.said())
        assert guard.process.poll() is None
        assert "SIGTERM" not in guard.said()


def test_a_queued_notice_is_not_thrown_away_where_the_hosts_clock_is_ahead(tmp_path: Path) -> None:
    with SimServer(instances=4, start_at=time.time() - 600) as cloud, Guard(cloud, tmp_path) as guard:
        cloud.interrupt([guard.instance_id], lock=False)
        wait_until(lambda: "the metadata announces none" in guard.said())
        assert waiting(cloud) == 1
        cloud.interrupt([guard.instance_id], queue=False)
        assert guard.process.wait(20) == 75
        assert guard.outcome() == ("interrupted", 1)


@pytest.mark.parametrize(
    ("behind_s", "age_s", "said"),
    [
        (-600, 0, "if this machine still runs in 3"),
        (600, 200, "s old and the metadata service is unreachable: ignored"),
    ],
)
def test_the_queue_tells_the_clouds_time_where_the_metadata_does_not(
    tmp_path: Path, behind_s: float, age_s: float, said: str
) -> None:
    """The host's clock would make a fresh notice stale, and an old one fresh."""
    with SimServer(instances=4, start_at=time.time() + behind_s) as cloud:
        instance_id = cloud.spot_ids()[0]
        cloud.interrupt([instance_id], lock=False)
        cloud.advance(age_s)
        with (
            serving(NothingButUndated, instance_id) as metadata,
            Guard(cloud, tmp_path, metadata=metadata, poll_s=0.5) as guard,
        ):
            wait_until(lambda: said in guard.said())
            assert ("SIGTERM sent" in guard.said()) == (age_s == 0)


class OneNotice:
    """Says once that the machine goes in a moment."""

    def __init__(self) -> None:
        self._notices = [Notice(datetime.now(UTC) + timedelta(seconds=1.5), is_confirmed=False)]
        self._stopped = threading.Event()

    def poll(self) -> Notice | None:
        if self._notices:
            return self._notices.pop()
        self._stopped.wait(10)
        return None

    def done(self) -> None:
        pass

    def stop(self) -> None:
        self._stopped.set()


def test_the_workload_is_run_again_when_the_deadline_is_over_and_the_machine_lives(tmp_path: Path) -> None:
    said: list[str] = []
    only = OneNotice()
    rules = Rules(margin_s=0.2, poll_s=0.02, fresh_s=300, grace_s=0.1)
    guard = WorkloadGuard(rules, Metadata("http://127.0.0.1:9"), said.append, lambda: only)
    file = ProgressFile(tmp_path / "state.json")
    began = datetime.now(UTC)
    assert run_until_done((sys.executable, "-c", SAVES), guard, file, said.append) == 0
    assert datetime.now(UTC) - began >= timedelta(seconds=1.5)
    found = json.loads((tmp_path / "state.json").read_text())
    assert (found["outcome"], found["runs"]) == ("done", 2)
    assert "this machine still runs: running the workload again" in said


def test_a_drill_is_answered_as_a_notice_and_the_workload_is_gone_on_with(cloud: SimServer, tmp_path: Path) -> None:
    with Guard(cloud, tmp_path) as guard:
        cloud.send(json.dumps(drill_body(REGION, guard.instance_id)))
        assert guard.process.wait(20) == 0
        assert guard.outcome() == ("done", 2)
        assert "drill: as if reclaimed" in guard.said()
    assert waiting(cloud) == 0


def test_a_notice_of_an_earlier_reclaim_is_over(cloud: SimServer, tmp_path: Path) -> None:
    """An instance in Stop mode is started again with the same id."""
    with Guard(cloud, tmp_path) as guard:
        cloud.send(flat(guard.instance_id, ago=timedelta(minutes=6)))
        wait_until(lambda: waiting(cloud) == 0)
        assert guard.process.poll() is None
        assert "SIGTERM sent" not in guard.said()


def test_a_queue_that_is_not_there_is_said_once_and_stops_no_workload(cloud: SimServer, tmp_path: Path) -> None:
    with Guard(cloud, tmp_path, queue=f"{cloud.url}/queues/nowhere") as guard:
        wait_until(lambda: "QueueNotExist" in guard.said())
        assert guard.process.poll() is None


def test_a_queue_that_fails_in_every_way_is_heard_again(cloud: SimServer, tmp_path: Path) -> None:
    """There are messages of others enough for no long poll to wait."""
    for _ in range(60):
        cloud.send(flat("i-somebodyelse"))
    for fault in KINDS.values():
        cloud.fault("BatchReceiveMessage", **fault)  # type: ignore[arg-type]
    with Guard(cloud, tmp_path, poll_s=0.05) as guard:
        wait_until(lambda: cloud.control("GET", "faults") == [])
        assert guard.process.poll() is None
        cloud.send(json.dumps(drill_body(REGION, guard.instance_id)))
        assert guard.process.wait(20) == 0
        assert guard.outcome() == ("done", 2)
        assert "ReceiveMessage: InternalError" in guard.said()
        assert "Traceback" not in guard.said()


def test_an_address_of_another_form_is_refused() -> None:
    done = run("guard", "--queue", "spot-interruption", "--", "true")
    assert done.exit_code == 2
    assert "queues/NAME" in done.stderr


@pytest.mark.parametrize(("queue", "code", "word"), [("spot-interruption", 0, "exists"), ("no", 1, "QueueNotExist")])
def test_a_dry_run_takes_nothing(cloud: SimServer, tmp_path: Path, queue: str, code: int, word: str) -> None:
    metadata = f"{cloud.url}/_sim/metadata/{cloud.spot_ids()[0]}"
    options = ["--metadata", metadata, "--queue", f"{cloud.url}/queues/{queue}", "--dry-run", "--", "true"]
    command = [sys.executable, "-m", "spottui", "guard", *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(cloud, tmp_path), timeout=60)
    assert (done.returncode, word in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert cloud.calls("BatchReceiveMessage") == []


def test_nothing_heavy_is_imported_where_no_queue_is_asked_for(cloud: SimServer) -> None:
    code = (
        "import sys; from spottui.cli.main import main\n"
        f"try: main(['guard', '--metadata', '{cloud.url}/_sim/metadata/{cloud.spot_ids()[0]}', '--', 'true'])\n"
        "except SystemExit as end: assert not end.code\n"
        "print([name for name in ('mns', 'alibabacloud_credentials', 'sqlalchemy', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
