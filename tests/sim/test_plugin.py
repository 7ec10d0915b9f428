"""The pytest plugin, as a stranger's test suite uses it."""

import os
import subprocess
import sys
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
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "spottui.sim.plugin", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_simulated_cloud_runs_without_textual_and_the_sdks():
    code = (
        "import sys; import spottui.sim.serve, spottui.sim.main, spottui.sim.testing\n"
        "print([m for m in ('textual', 'dbos', 'sqlalchemy', 'mns', 'alibabacloud_ecs20140526') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
