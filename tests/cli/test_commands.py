"""The command line: fast where it is asked for little, and exit 2 for what is wrong."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from spottui.cli.main import COMMANDS
from tests.cli.running import run
from tests.driving import clean_environment

HEAVY = ("textual", "asyncio", "sqlalchemy", "aiohttp", "alibabacloud_tea_openapi", "mns", "msgspec", "apprise")


def spottui(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spottui", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=clean_environment(tmp_path), timeout=60)


QUESTIONS = [["--version"], ["--help"], *([name, "--help"] for name in COMMANDS)]


@pytest.mark.parametrize("arguments", QUESTIONS, ids=lambda arguments: " ".join(arguments))
def test_small_questions_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from spottui.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("question", ["--version", "--help"])
def test_version_and_help_take_no_more_than_eight_empty_pythons(question: str) -> None:
    """In the processor's time, the best of nine: other tests keep the clock and the processor busy."""

    def took_s(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    rounds = [(took_s("-m", "spottui", question), took_s("-c", "")) for _ in range(9)]
    assert min(ours for ours, _ in rounds) < 8 * min(empty for _, empty in rounds)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_an_example_that_fits_80_columns(name: str) -> None:
    done = run(name, "--help", env={"COLUMNS": "80"})
    assert done.exit_code == 0
    assert f"spottui {name}" in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_a_wrong_configuration_exits_2_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[policy]\nvetoo = 3\n")
    for mode in ([], ["--headless"]):
        done = spottui(tmp_path, *mode, "--config", str(tmp_path / "c.toml"))
        assert done.returncode == 2
        assert "line 2" in done.stderr
        assert "Traceback" not in done.stderr


def test_auto_and_read_only_exclude_each_other(tmp_path: Path) -> None:
    done = spottui(tmp_path, "--auto", "--read-only")
    assert done.returncode == 2
    assert "mutually exclusive" in done.stderr


def test_a_journal_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    journal = tmp_path / "broken.db"
    journal.write_bytes(b"this is no database, but it is long enough to look like one" * 20)
    (tmp_path / "c.toml").write_text(
        f'journal = "{journal}"\n[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n'
    )
    done = spottui(tmp_path, "--headless", "--config", str(tmp_path / "c.toml"))
    assert done.returncode == 2
    assert str(journal) in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_recovers_all_three_and_ends(tmp_path: Path) -> None:
    done = spottui(tmp_path, "demo", "--headless", "--auto")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "3 of 3 recovered"


@pytest.mark.parametrize("arguments", [[], ["demo"], ["drill", "--game-day", "demo"]], ids=" ".join)
def test_without_a_terminal_the_screen_is_refused_and_the_way_without_is_named(
    tmp_path: Path, arguments: list[str]
) -> None:
    config = tmp_path / "c.toml"
    config.write_text('[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n')
    done = spottui(tmp_path, *([] if arguments else ["--config", str(config)]), *arguments)
    assert done.returncode == 2
    assert done.stderr == "spottui: not a terminal. Use --headless to print one JSON line per change.\n"


def test_a_game_day_needs_a_scenario_that_there_is(tmp_path: Path) -> None:
    done = run("--headless", "drill", "--game-day", "no-such-night")
    assert done.exit_code == 2
    assert "--list-scenarios" in done.stderr
