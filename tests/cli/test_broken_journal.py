"""What breaks the journal's file under the running program, and what it says and does then."""

import os
import random
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from spottui.config import load
from spottui.journal import Journal
from spottui.journal.process_locks import ProcessLocks
from spottui.sim.testing import SimServer
from tests.cli.running import start
from tests.driving import Headless, add_policy, effects, wait_until
from tests.journal.writing import say


def overwritten(path: Path, _pid: int) -> None:
    path.write_bytes(random.Random(7).randbytes(50_000))


def deleted(path: Path, _pid: int) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        if one.is_file():
            one.unlink()


def replaced(path: Path, _pid: int) -> None:
    other = path.with_name("other.db")
    Journal(other).close()
    other.replace(path)


def unwritable(path: Path, pid: int) -> None:
    """What the disk takes no more of, and not for want of room."""
    wal = path.with_name(f"{path.name}-wal")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (wal.stat().st_size, wal.stat().st_size))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (overwritten, "it was overwritten under this console"),
        (deleted, "it was deleted or replaced under this console"),
        (replaced, "it was deleted or replaced under this console"),
        (unwritable, "the disk gives an error"),
    ],
)
def test_it_ends_in_words_within_three_seconds_and_another_may_go_on(
    live_cloud: SimServer, config: Path, harm: Callable[[Path, int], None], said: str
) -> None:
    add_policy(config, veto_window_s=100)
    journal = Path(load(config).journal)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([live_cloud.spot_ids()[0]])
        wait_until(lambda: "veto window" in console.states().values())
        harm(journal, console.pid)
        began = time.monotonic()
        if harm is unwritable:
            live_cloud.interrupt([live_cloud.spot_ids()[1]])
        wait_until(lambda: not console.alive, 5)
        assert time.monotonic() - began < (5 if harm is unwritable else 3)
        assert console.stop() == 1
        assert f"spottui: journal {journal}: {said}" in console.stderr().splitlines()[0]
        assert "Traceback" not in console.stderr()
        assert ProcessLocks(journal, acts=False).living() == ()


def test_a_log_that_a_loss_of_power_has_cut_short_loses_and_doubles_nothing(
    live_cloud: SimServer, config: Path
) -> None:
    """SQLite takes what is whole of it; what is missing is found again in the cloud."""
    add_policy(config, veto_window_s=0, lock_poll_s=0.5)
    journal = Path(load(config).journal)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([victim], notice_s=600)
        wait_until(lambda: effects(live_cloud, "RunInstances"))
        console.kill()
    files = {one: one.read_bytes() for one in journal.parent.glob(f"{journal.name}*") if one.is_file()}
    wal = journal.with_name(f"{journal.name}-wal")
    for share in (0.98, 0.6):
        for one, content in files.items():
            one.write_bytes(content)
        os.truncate(wal, int(len(files[wal]) * share))
        with Headless(config, "--auto").wait_ready() as console:
            wait_until(lambda: console.states().get(victim) == "recovered")
            assert console.stop() == 0
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 1


@pytest.mark.parametrize("share", [0.3, 0.999])
def test_a_file_that_is_cut_short_is_refused_in_words_and_left_as_it_is(
    live_cloud: SimServer, config: Path, share: float
) -> None:
    path = Path(load(config).journal)
    with Journal(path) as journal:
        for _ in range(30):
            journal.run(lambda t: say(t, "x" * 4000))
    os.truncate(path, int(path.stat().st_size * share))
    before = path.read_bytes()
    for arguments in (["--headless"], ["recover", live_cloud.spot_ids()[0], "--yes"]):
        with start(config, *arguments) as process:
            said, _ = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in said) == (2, False), said
        assert said.startswith(f"spottui: journal {path}: ")
        assert "malformed" in said
    assert path.read_bytes() == before


@pytest.fixture
def small_disk(config: Path) -> Iterator[Path]:
    """A disk of three megabytes, on which the program keeps its state."""
    state = config.parent / "state"
    state.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(state)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield state
    subprocess.run(["umount", "--lazy", str(state)], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return ballast


def test_a_full_disk_is_said_once_and_what_is_safe_goes_on(
    live_cloud: SimServer, config: Path, small_disk: Path
) -> None:
    add_policy(config, veto_window_s=0)
    config.write_text(config.read_text().replace("journal = ", "# journal = "))
    first, *others = live_cloud.spot_ids()[:4]
    live_cloud.world(image_base_s=3)
    with Headless(config, "--auto").wait_ready() as console:
        live_cloud.interrupt([first])
        wait_until(lambda: effects(live_cloud, "CreateImage"))
        ballast = fill(small_disk)
        live_cloud.interrupt(others)
        wait_until(lambda: problems(console), 20)
        wait_until(lambda: len(effects(live_cloud, "ModifyDiskAttribute")) >= 2, 20)
        time.sleep(4)
        ballast.unlink()
        wait_until(lambda: list(console.states().values()) == ["recovered"] * 4)
        assert problems(console) == ["journal: the disk is full", None]
        assert console.stop() == 0
        assert console.stderr() == ""
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 4


def problems(console: Headless) -> list[str | None]:
    """What was said of the journal, without that all is well at the start."""
    said = [line["problem"] for line in list(console.lines) if line["kind"] == "journal"]
    changes = [one for one, before in zip(said, [None, *said], strict=False) if one != before]
    return changes
