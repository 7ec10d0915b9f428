"""What is given to people: a wheel that runs where nothing of this directory is, and an sdist that makes the same."""

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

from spottui import __version__
from spottui.sim.scenario import names
from tests.driving import clean_environment

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Built:
    """A wheel and an sdist, and a fresh environment that has the wheel and the dependencies of this one."""

    wheel: Path
    sdist: Path
    environment: Path

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        directory = self.environment.parent
        program = str(self.environment / "bin" / command[0])
        return subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            cwd=directory,
            env={**clean_environment(directory / "state"), "PYTHONPATH": ""},
            timeout=60,
        )


def build(source: Path, into: Path) -> list[Path]:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(into)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return sorted(into.iterdir())


def installed(directory: Path) -> Built:
    """Build, and install into an environment that has only pip's work in common with this one."""
    wheel, sdist = build(ROOT, directory / "dist")
    fresh = directory / "fresh"
    venv.create(fresh, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(fresh / "bin" / "python"), "--quiet"]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", str(wheel)], check=True)
    (packages,) = fresh.glob("lib/python*/site-packages")
    # Files of that kind which lie there, such as the one of the editable installation, are not read from here.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return Built(wheel, sdist, fresh)


def test_what_is_built_is_whole_and_runs_where_nothing_else_of_spottui_is(tmp_path: Path) -> None:
    """One test: it is built once, not by each worker."""
    built = installed(tmp_path)
    assert_it_runs(built)
    assert_it_is_whole(built)
    assert_the_sdist_makes_the_same_wheel(built, tmp_path / "from-sdist")


def assert_it_runs(built: Built) -> None:
    where = built.run("python", "-c", "import spottui; print(spottui.__file__)").stdout.strip()
    assert Path(where).is_relative_to(built.environment)
    assert built.run("spottui", "--version").stdout == f"spottui, version {__version__}\n"
    assert built.run("spottui", "doctor", "--help").returncode == 0
    listed = built.run("spottui", "sim", "--list-scenarios").stdout
    assert [name for name in names() if name not in listed] == []
    console = built.run("python", "-c", "from spottui.console.app import SpottuiApp as A; A.CSS_PATH.read_text()")
    assert console.returncode == 0, console.stderr
    missing = built.run("spottui", "status")
    assert missing.returncode == 2
    assert "spottui init" in missing.stderr


def assert_it_is_whole(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        inside = set(wheel.namelist())
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "spottui").rglob("*") if path.is_file()}
    assert {file for file in files if "__pycache__" not in file} <= inside
    assert {"spottui/console/styles.tcss", "spottui/sim/scenarios/demo.toml"} <= inside
    assert not any(name.startswith("tests/") for name in inside)


def assert_the_sdist_makes_the_same_wheel(built: Built, directory: Path) -> None:
    with tarfile.open(built.sdist) as sdist:
        sdist.extractall(directory, filter="data")
    (source,) = directory.iterdir()
    (wheel,) = [one for one in build(source, directory / "dist") if one.suffix == ".whl"]
    assert wheel.read_bytes() == built.wheel.read_bytes()
    assert {"LICENSE", "README.md", "CHANGELOG.md", "Makefile", "constraints.txt"} <= {p.name for p in source.iterdir()}
