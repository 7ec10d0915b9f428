"""Files are UTF-8 whatever the locale, and what a terminal or pipe cannot show ends no command."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

import spottui
from spottui.config import load
from spottui.sim.testing import SimServer
from tests.driving import clean_environment

PACKAGE = Path(spottui.__file__).parent
TEXT = ("read_text", "write_text", "fdopen", "open", "TextIOWrapper", "NamedTemporaryFile", "Popen", "run")


def calls_without_encoding(source: str) -> Iterator[int]:
    """Lines of calls that read or write text in the locale's encoding."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (name := name_of(node)) in TEXT and is_text(name, node):
            yield node.lineno


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_text(name: str, call: ast.Call) -> bool:
    given = {keyword.arg for keyword in call.keywords}
    if ast.unparse(call.func).endswith(("recoveries.open", "command_line.open")):
        return False
    words = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if "encoding" in given or "utf-8" in words or "utf-8-sig" in words:
        return False
    if name in ("run", "Popen"):
        return bool(given & {"text", "universal_newlines"})
    if name in ("read_text", "write_text"):
        return True
    if name == "TextIOWrapper":
        return len(call.args) < 2
    modes = [word for word in words if set(word) <= set("rwaxbt+") and word]
    opens_a_path = name != "open" or isinstance(call.func, ast.Name) or not call.args or bool(modes)
    return opens_a_path and not any("b" in mode for mode in modes)


@pytest.mark.parametrize(
    "bad",
    [
        "path.read_text()", "path.write_text(x)", "open(x)", "open(x, 'w')", "path.open()", "path.open('a')",
        "os.fdopen(fd, 'w')", "subprocess.run(c, text=True)", "subprocess.Popen(c, universal_newlines=True)",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_is_for(bad: str) -> None:
    assert list(calls_without_encoding(bad)) == [1]


@pytest.mark.parametrize(
    "good",
    [
        "path.read_text('utf-8-sig')", "path.open('rb')", "open(x, encoding='utf-8')",
        "opener.open(request, timeout=1)",
        "os.fdopen(fd, 'wb')", "subprocess.run(c, capture_output=True)",
        "subprocess.run(c, text=True, encoding='utf-8')",
    ],
)  # fmt: skip
def test_the_search_finds_nothing_else(good: str) -> None:
    assert list(calls_without_encoding(good)) == []


def test_no_file_is_read_in_the_encoding_of_the_locale() -> None:
    found = {file: list(calls_without_encoding(file.read_text("utf-8"))) for file in PACKAGE.rglob("*.py")}
    assert found
    assert not {file: lines for file, lines in found.items() if lines}


@pytest.fixture(scope="module")
def toml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A configuration with a BOM, and with words in Chinese; the files beside it have a BOM too."""
    path = tmp_path_factory.mktemp("utf8") / "雲.toml"
    with SimServer(instances=4, config=path):
        text = path.read_text("utf-8")
        path.write_text(f'{text}\nstop_file = "停止"\n\n[policy.deny_tags]\n"环境" = "生产"\n', "utf-8-sig")
        credentials = path.with_name("雲-credentials.ini")
        credentials.write_text(credentials.read_text("utf-8"), "utf-8-sig")
        yield path


ONE_AFTER_THE_OTHER = """
import json, os, sys
from spottui.__main__ import main
import spottui.cli.rooms, spottui.cli.doctor, spottui.cli.report, spottui.cli.status
ended = []
toml, outputs, commands = sys.argv[1:]
for number, command in enumerate(json.loads(commands)):
    if not os.fork():
        for stream, name in ((1, "output"), (2, "errors")):
            with open(f"{outputs}/{name}-{number}", "wb") as file:
                os.dup2(file.fileno(), stream)
        sys.argv = ["spottui", *command, "--config", toml]
        main()
    ended.append(os.waitstatus_to_exitcode(os.wait()[1]))
print(json.dumps(ended))
"""
"""The streams of each are those of the interpreter, in its encoding."""


def ran(toml: Path, commands: Sequence[Sequence[str]], environment: dict[str, str], outputs: Path) -> list[int]:
    """Run commands, what they print in files `output-N` and `errors-N`; return their exit codes."""
    kept = {key: value for key, value in clean_environment(toml.parent / "state").items() if not key.startswith("LC_")}
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_THE_OTHER, toml, outputs, json.dumps(commands)],
        capture_output=True, env={**kept, "PYTHONUTF8": "0", **environment}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "gbk:strict"},
    ],
)
def test_no_command_dies_of_a_character(toml: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    commands = (["status"], ["doctor"], ["report", "--since", "30d"], ["status", "--json"])
    ended = ran(toml, commands, environment, tmp_path)
    said = {file.name: file.read_text("latin-1") for file in tmp_path.iterdir()}
    assert set(ended) <= {0, 1}, said
    assert all(said[f"output-{number}"] + said[f"errors-{number}"] for number in range(len(commands)))
    assert not re.search("Traceback|defect", "".join(said.values()))
    json.loads(said["output-3"])


POLICY = """
import sys
from pathlib import Path
from spottui.config import load
print(ascii(load(Path(sys.argv[1])).policy))
"""


@pytest.mark.parametrize("utf8_mode", ["0", "1"])
def test_what_is_configured_means_the_same_in_every_locale(toml: Path, utf8_mode: str) -> None:
    environment = {**clean_environment(toml.parent), "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", POLICY, str(toml)],
        capture_output=True, timeout=60, env={**environment, "PYTHONUTF8": utf8_mode},
    )  # fmt: skip
    policy = load(toml).policy
    assert policy.deny_tags == {"环境": "生产"}
    assert policy.stop_file == str(toml.parent / "停止")
    in_bytes = os.fsencode(policy.stop_file).decode("ascii", "surrogateescape")
    expected = {ascii(policy), ascii(replace(policy, stop_file=in_bytes))}
    assert done.stdout.decode().strip() in expected, done.stderr.decode()
