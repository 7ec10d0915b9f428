"""A desk is opened in two steps: what the journal says can be read before anything of the cloud is imported."""

import json
import subprocess
import sys

from spottui.sim.testing import SimServer

OPEN = """
import json, sys, time
from pathlib import Path
from spottui.cli.assembly import open_desk
from spottui.config import load
from spottui.domain.clock import CloudClock

def show(view):
    sdks = [name for name in ("alibabacloud_tea_openapi", "mns") if name in sys.modules]
    shown = {"starting": view.starting, "sdks": sdks, "unswept": view.unswept}
    print(json.dumps(shown | {"names": [instance.name for instance in view.instances]}))

desk = open_desk(load(Path(sys.argv[1])), CloudClock(), auto=False, read_only=False, show=show)
until = time.monotonic() + 30
while not (view := desk.view()).instances or view.unswept:
    assert time.monotonic() < until
    desk.wait(view.version, 1)
print(json.dumps(sorted(instance.name for instance in view.instances)))
desk.close()
"""


def test_what_the_journal_says_is_shown_before_the_sdks_are_imported(tmp_path):
    config = tmp_path / "c.toml"
    with SimServer(instances=9, config=config):
        first, swept = _opened(config)
        again, _ = _opened(config)
    assert first == {"starting": True, "sdks": [], "unswept": [], "names": []}
    assert swept
    assert again == {"starting": True, "sdks": [], "unswept": ["cn-hangzhou"], "names": again["names"]}
    assert sorted(again["names"]) == swept


def _opened(config):
    command = [sys.executable, "-c", OPEN, str(config)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return map(json.loads, ran.stdout.splitlines())
