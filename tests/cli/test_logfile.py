"""The log is for programs and for its owner, and does not grow for ever."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spottui.cli import logfile
from spottui.cli.common import Failed, fail_with
from tests.cli.running import own_state


@pytest.fixture(autouse=True)
def logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The program's logger as it is at the start."""
    logger = logging.getLogger("spottui")
    for name in ("spottui", "asyncio", "py.warnings"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield logger
    for handler in logger.handlers:
        handler.close()


def test_each_line_is_one_json_object_whatever_was_said(tmp_path: Path, logger: logging.Logger) -> None:
    logfile.log_to(tmp_path / "state" / "spottui.log")
    logfile.log_to(tmp_path / "state" / "spottui.log")
    logger.info("queue %s: %s", "cn-hangzhou", 'two\nlines and a "quote"')
    try:
        raise ValueError("why")
    except ValueError:
        logger.exception("it failed")
    first, second = map(json.loads, (tmp_path / "state" / "spottui.log").read_text().splitlines())
    assert first["message"] == 'queue cn-hangzhou: two\nlines and a "quote"'
    assert first["level"] == "INFO"
    assert first["at"].endswith("+00:00")
    assert "ValueError: why" in second["error"]


def test_half_a_character_is_logged_like_any_other(tmp_path: Path, logger: logging.Logger) -> None:
    """As a file's name in a locale that cannot write it."""
    logfile.log_to(tmp_path / "spottui.log")
    logger.info("stop file %s", "caf\udce9")
    assert json.loads((tmp_path / "spottui.log").read_text("utf-8"))["message"] == "stop file caf\udce9"


def test_it_is_rotated_and_only_its_owner_can_read_any_of_it(
    tmp_path: Path, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "BYTES", 2_000)
    path = tmp_path / "spottui.log"
    logfile.log_to(path)
    for number in range(200):
        logger.info("line %d", number)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [
        path.name,
        *(f"{path.name}.{n}" for n in range(1, logfile.OLDER_FILES + 1)),
    ]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert all(file.stat().st_size <= 2_000 for file in files)
    assert json.loads(path.read_text().splitlines()[-1])["message"] == "line 199"


def test_a_log_that_cannot_be_written_stops_nobody_and_says_nothing_on_the_screen(
    tmp_path: Path, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spottui.log").mkdir()
    logfile.log_to(tmp_path / "spottui.log")
    logger.error("nobody hears this")
    assert capsys.readouterr() == ("", "")


def test_a_defect_is_words_on_the_screen_and_a_traceback_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_state(monkeypatch, tmp_path)
    with pytest.raises(Failed, match=r"a bug in spottui: KeyError; the traceback is in .*spottui\.log"):
        fail_with(KeyError("who"))
    (line,) = (tmp_path / "state" / "spottui" / "spottui.log").read_text().splitlines()
    assert "KeyError" in json.loads(line)["error"]


NOISE = """
import asyncio, gc, logging, sys, threading, warnings
from pathlib import Path
from spottui.cli.logfile import log_to
log_to(Path(sys.argv[1]))
threading.Thread(target=lambda: [].pop(), name="worker").start()
async def lost():
    raise ValueError("http://h/?Password=s3cret&UserData=abc")
async def main():
    asyncio.ensure_future(lost())
    await asyncio.sleep(0.01)
    gc.collect()
asyncio.run(main())
warnings.warn("is deprecated")
logging.getLogger("a.library").error("it failed")
class Late:
    def __del__(self):
        raise KeyError("late")
Late()
"""


@pytest.mark.parametrize("place", ["log", "nowhere/log"], ids=["written", "not written"])
def test_what_python_prints_goes_to_the_log_and_not_over_the_screen(tmp_path: Path, place: str) -> None:
    (tmp_path / "nowhere").write_text("a file")
    done = subprocess.run(
        [sys.executable, "-c", NOISE, tmp_path / place], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("", "")
    if place == "log":
        lines = [json.loads(line) for line in (tmp_path / place).read_text().splitlines()]
        said = {line["message"].partition("\n")[0] for line in lines}
        assert {"thread worker died", "an unraisable exception"} <= said
        assert any("never retrieved" in one for one in said)
        assert any("is deprecated" in one for one in said)
        assert "s3cret" not in (tmp_path / place).read_text()
