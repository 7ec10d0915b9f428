"""Hooks run beside a recovery, once for each event, and what they say is in the journal."""

import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from spottui.recovery import shell_commands
from spottui.sim.testing import SimServer
from tests.cli.running import start
from tests.driving import add_policy, wait_until
from tests.recovery.test_routes import Acting, details

# Appends what it was given to a file; and stays for as long as the file `stay` is there.
TOLD = """
import json, os, sys, time
told = json.load(sys.stdin)
given = {name: value for name, value in os.environ.items() if name.startswith("SPOTTUI_")}
with open(sys.argv[2], "a") as file:
    print(json.dumps([sys.argv[1], given, told]), file=file, flush=True)
while os.path.exists(sys.argv[2] + ".stay"):
    time.sleep(0.05)
print("told of", sys.argv[1], "password=hunter2 \\x1b[2J")
sys.exit(3)
"""


def hooks(directory: Path) -> str:
    program, told = directory / "tell.py", directory / "told"
    program.write_text(TOLD)
    here = "".join(
        f'[[hook]]\non = "{on}"\ncommand = {json.dumps([sys.executable, str(program), on, str(told)])}\n'
        for on in ("notice", "recovered", "failed")
    )
    return f"""{here}
[[hook]]
on = "recovered"
command = ["{directory}/none"]

[[hook]]
on = "recovered"
where = "replacement"
command = "systemctl restart agent"
"""


def told(directory: Path) -> list[Any]:
    file = directory / "told"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def report(config: Path, instance_id: str) -> str:
    reporting = start(config, "report", instance_id, "--json")
    return reporting.communicate(timeout=60)[0]


def said(desk: Acting, recovery: dict[str, Any], on: str) -> list[str]:
    return [
        line
        for line in details(desk, recovery)
        if line.startswith("Hook ") and f" ({on}) " in line and not line.endswith(" started")
    ]


def test_hooks_run_once_beside_the_recovery_and_are_not_run_again_after_kill_9(
    live_cloud: SimServer, config: Path, tmp_path: Path
) -> None:
    add_policy(config, veto_window_s=0, max_at_once=50, lock_poll_s=0.5, sweep_s=2)
    with config.open("a") as file:
        file.write(hooks(tmp_path))
    first, second = live_cloud.spot_ids()[:2]
    (tmp_path / "told.stay").touch()
    desk = Acting(config, "auto")
    live_cloud.interrupt([first])
    recovered = desk.until(first, "recovered", "failed")
    new = recovered["new_instance_id"]
    wait_until(lambda: [on for on, *_ in told(tmp_path)] == ["notice", "recovered"])
    wait_until(
        lambda: any(
            "on the replacement (recovered) exited with 0" in line for line in said(desk, recovered, "recovered")
        )
    )
    assert not said(desk, recovered, "notice"), "the recovery has not waited for it"
    desk.kill()
    (tmp_path / "told.stay").unlink()

    with closing(Acting(config, "auto")) as again:
        wait_until(lambda: all(hook["ended"] for hook in again("recovery", first)["hooks"]))
        lost = "unknown whether it ran: its console ended first; it will not be run again"
        assert said(again, recovered, "notice") == [f"Hook {sys.executable} (notice) {lost}"]
        assert f"Hook {sys.executable} (recovered) {lost}" in said(again, recovered, "recovered")
        not_there = f"Hook {tmp_path}/none (recovered) did not start: No such file or directory"
        assert not_there in said(again, recovered, "recovered")
        (run,) = live_cloud.calls("RunCommand")
        assert run["params"]["InstanceId.1"] == new

        no_money = {"code": "InvalidAccountStatus.NotEnoughBalance", "status": 403}
        live_cloud.fault("RunInstances", "error", match={"ClientToken": "*"}, **no_money)
        live_cloud.interrupt([second])
        failed = again.until(second, "failed")
        (line,) = wait_until(lambda: said(again, failed, "failed"))
        assert f"Hook {sys.executable} (failed) exited with 3 after" in line
        assert "told of failed password=*** " in line
        assert "\x1b" not in line
    retrying = start(config, "recover", second, "--yes")
    assert retrying.wait(60) == 0
    assert [on for on, *_ in told(tmp_path)] == ["notice", "recovered", "notice", "failed", "recovered"]
    lines = [line["text"] for line in json.loads(report(config, second))["timeline"]]
    assert any(f"Hook {sys.executable} (recovered) exited with 3" in line for line in lines), lines
    _, given, incident = told(tmp_path)[1]
    assert given == {
        "SPOTTUI_RECOVERY": recovered["recovery_id"],
        "SPOTTUI_INSTANCE": first,
        "SPOTTUI_REGION": "cn-hangzhou",
        "SPOTTUI_STATE": "recovered",
        "SPOTTUI_NEW_INSTANCE": new,
    }
    assert (incident["id"], incident["state"], incident["new_instance_id"]) == (
        given["SPOTTUI_RECOVERY"],
        "recovered",
        new,
    )


def test_the_time_of_a_command_is_boxed_for_all_that_it_starts(tmp_path: Path) -> None:
    """It is killed with its children; what it has said until then, and only so much, is kept."""
    script = f"sh -c 'sleep 1; touch {tmp_path}/late' & yes | head -c 100000; echo; exec sleep 60"
    began = time.monotonic()
    ran = shell_commands.run(["sh", "-c", script], b"{}", {}, timeout_s=0.5)
    assert time.monotonic() - began < 10
    assert ran.exit_code is None
    assert ran.output == "y\n" * (shell_commands.KEPT // 2)
    # What is left behind by one that has ended goes with it.
    ran = shell_commands.run(["sh", "-c", f"(sleep 60; touch {tmp_path}/late) & echo $A; exit 4"], b"", {"A": "b"}, 30)
    assert (ran.exit_code, ran.output) == (4, "b\n")
    # One that made a session of its own holds the output for as long as it likes, and the hook is over all the same.
    ran = shell_commands.run(["sh", "-c", "setsid sleep 30 & echo begun"], b"", {}, 30)
    assert (ran.exit_code, ran.output) == (0, "begun\n")
    # Neither waits for the other where a program writes more than a pipe holds before it has read all that it is told.
    ran = shell_commands.run(["cat"], b"y" * 300_000, {}, 30)
    assert (ran.exit_code, len(ran.output)) == (0, shell_commands.KEPT)
    assert time.monotonic() - began < 20
    time.sleep(max(0.0, began + 1.5 - time.monotonic()))
    assert not (tmp_path / "late").exists()
