"""The pytest plugin, as a stranger's test suite uses it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

SUITE = """
import pytest

def test_stands_still(spottui_cloud):
    before = spottui_cloud.state()["now"]
    spottui_cloud.advance(60)
    assert len(spottui_cloud.state()["instances"]) == 24
    assert spottui_cloud.state()["now"] != before

@pytest.mark.spottui_cloud(instances=3, scenario="no-stock-anywhere", speed=0)
def test_as_asked_for(spottui_cloud):
    assert len(spottui_cloud.state()["instances"]) == 3
"""


def test_the_fixture_gives_a_cloud_as_the_marker_says(tmp_path):
    (tmp_path / "test_mine.py").write_text(SUITE)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_simulated_cloud_runs_without_textual_and_the_sdks():
    heavy = ("textual", "dbos", "sqlalchemy", "mns", "alibabacloud_ecs20140526", "cryptography")
    code = (
        "import sys; import spottui.sim.serve, spottui.sim.main, spottui.sim.testing\n"
        f"print([module for module in {heavy} if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_simulated_cloud_is_installed_and_runs_by_itself(tmp_path):
    project = Path(__file__).parents[2] / "packaging/spottui-sim"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=project, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("spottui_sim-*.whl")
    where = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(where)
    assert {path.name for path in (where / "spottui").iterdir()} == {"__init__.py", "sim"}
    # The dependencies come from this environment; what the simulated cloud must do without is made impossible.
    run = (
        "import sys; sys.modules.update(dict.fromkeys(['textual', 'mns', 'alibabacloud_ecs20140526', 'sqlalchemy']))\n"
        "import spottui; assert len(spottui.__path__) == 1, spottui.__path__\n"
        "from spottui.sim.__main__ import main; sys.argv = ['spottui-sim', '--list-scenarios']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(where)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no-stock-anywhere" in done.stdout
