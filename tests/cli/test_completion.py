"""The shells complete: each really, with the script that `spottui completion` prints, where it is installed."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spottui.config import load
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.launch_spec import LaunchSpec
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from tests.cli.running import run
from tests.driving import clean_environment

ASK = {
    "bash": 'source "$1"; COMP_WORDS=({words}); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _spottui_completion spottui;'
    ' printf "%s\\n" "${COMPREPLY[@]}"',
    "zsh": "compdef() {{ : }}; _describe() {{ print -l -- ${{completions_with_descriptions%%:*}} }};"
    ' compadd() {{ print -l -- $completions }}; source "$1"; words=({words}); CURRENT=$#words; _spottui_completion',
    "fish": 'source $argv[1]; complete -C "{words}" | string split -f1 \\t',
}
"""How each shell is asked what it would offer for a line."""
QUESTIONS = [
    ("spottui do", {"doctor"}),
    ("spottui re", {"ready", "recover", "replay", "report"}),
    ("spottui guard --sta", {"--state"}),
    ("spottui --read", {"--read-only"}),
    ("spottui recover --route w", {"warm-image"}),
    ("spottui launch w", {"web", "worker"}),
    ("spottui drill et", {"etl-7"}),
    ("spottui recover i-bp1", {"i-bp1a"}),
    ("spottui drill --game-day storm-10", {"storm-100"}),
]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home with a configuration, a journal that knows instances, and `spottui` on the path."""
    program = tmp_path / "bin" / "spottui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m spottui "$@"\n')
    program.chmod(0o755)
    config = tmp_path / "config" / "spottui" / "config.toml"
    config.parent.mkdir(parents=True)
    template = (
        'region = "cn-hangzhou"\nimage_id = "m"\ninstance_type = "t"\nvswitch_id = "v"\nsecurity_group_ids = []\n'
    )
    config.write_text(
        f'journal = "{tmp_path}/journal.db"\n'
        '[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n'
        f"[template.web]\n{template}[template.worker]\n{template}[template.other]\n{template}"
    )
    remember(Path(load(config).journal), {"i-bp1a": "etl-7", "i-bp2b": "$(touch hacked)", "i-bp3c": "web-1"})
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**clean_environment(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config"), "PATH": path}


def remember(path: Path, names: dict[str, str]) -> None:
    now = datetime.now(UTC)
    journal = Journal(path)
    specs = [
        LaunchSpec(
            Instance("cn-hangzhou", key, name, "t", "h", InstanceStatus.RUNNING, "SpotAsPriceGo", False), "v", (), ()
        )
        for key, name in names.items()
    ]
    journal.fleet.put("cn-hangzhou", [Captured(spec, None, now) for spec in specs])
    journal.close()


@pytest.mark.parametrize(("line", "offered"), QUESTIONS, ids=[line for line, _ in QUESTIONS])
@pytest.mark.parametrize("shell", ASK)
def test_a_shell_offers_commands_options_and_values(
    environment: dict[str, str], tmp_path: Path, shell: str, line: str, offered: set[str]
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(run("completion", shell).stdout)
    ask = ASK[shell].format(words=line) if shell != "bash" else ASK[shell].replace("{words}", line)
    options = {"bash": ["--norc", "-c"], "zsh": ["-fc"], "fish": ["--no-config", "-c"]}[shell]
    arguments = [ask, str(script)] if shell == "fish" else [ask, shell, str(script)]
    done = subprocess.run([shell, *options, *arguments], capture_output=True, text=True, env=environment, timeout=60)
    assert set(done.stdout.split()) == offered, done.stderr


def test_a_name_that_a_shell_would_run_is_not_offered(environment: dict[str, str]) -> None:
    asked = {**environment, "_SPOTTUI_COMPLETE": "bash_complete", "COMP_WORDS": "spottui drill ", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-m", "spottui"], capture_output=True, text=True, env=asked, timeout=60)
    assert "etl-7" in done.stdout
    assert "hacked" not in done.stdout


def test_without_a_configuration_nothing_is_offered_and_nothing_made(tmp_path: Path) -> None:
    state = tmp_path / "state"
    environment = {**clean_environment(state), "XDG_CONFIG_HOME": str(tmp_path / "none")}
    for words in ("spottui drill x", "spottui launch x"):
        asked = {**environment, "_SPOTTUI_COMPLETE": "zsh_complete", "COMP_WORDS": words, "COMP_CWORD": "2"}
        done = subprocess.run([sys.executable, "-m", "spottui"], capture_output=True, text=True, env=asked, timeout=60)
        assert (done.stdout.strip(), done.stderr) == ("", "")
    assert not state.exists()


@pytest.mark.parametrize("shell", ASK)
def test_each_script_asks_this_program(shell: str) -> None:
    done = run("completion", shell)
    assert done.exit_code == 0
    assert f"_SPOTTUI_COMPLETE={shell}_complete" in done.stdout
