"""Every scenario of the simulated cloud, end to end with the real headless console.

`python -m tests.scenarios [-j N] [NAME ...]` prints a table and exits with 1 when one ends otherwise than it says.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from spottui.sim.scenario import Scenario, load, names
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until

WITHIN_S = 40.0
LOOKS_AFTER = 3
"""Lock polls that must pass, once all is as expected, without anything else happening."""
POLICY = {"veto_window_s": 0, "lock_poll_s": 0.5, "long_poll_s": 2, "max_at_once": 50, "max_per_hour": 500}


@dataclass(frozen=True)
class Ending:
    """How a scenario ended; `differs` names what is otherwise than the scenario says, empty when nothing is."""

    name: str
    states: Counter[str]
    recover_s: tuple[float, ...]
    duplicates: int
    down: tuple[str, ...]
    data_lost: tuple[str, ...]
    differs: tuple[str, ...]
    took_s: float


def play(name: str, directory: Path) -> Ending:
    """Run one scenario until it is as it says and stays so, or its time is up."""
    scenario, began = load(name), time.monotonic()
    config = directory / f"{name}.toml"
    with SimServer(scenario=name, hold=True, config=config) as cloud:
        add_policy(config, **{key: value for key, value in POLICY.items() if key not in scenario.policy})
        run = _Run(scenario, cloud, config)
        with run.consoles():
            run.wait()
            found = run.found()
            differs = tuple(_differences(scenario.expect, found))
        return Ending(
            name,
            Counter(found["states"]),
            tuple(run.recover_s()),
            found["duplicates"],
            tuple(found["down"]),
            tuple(found["data_lost"]),
            differs,
            time.monotonic() - began,
        )


@dataclass
class _Run:
    scenario: Scenario
    cloud: SimServer
    config: Path
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    lives: list[Headless] = field(default_factory=list)

    def consoles(self) -> Headless:
        """Start the timeline and the console in the scenario's order; a killed one is followed by another."""
        self.before = {row["InstanceId"]: row for row in self.cloud.state()["instances"]}
        how = self.scenario.console
        if "after_s" in how:
            self.cloud.begin()
            time.sleep(how["after_s"])
        console = self._start()
        if "after_s" not in how:
            wait_until(lambda: len(self.cloud.calls("DescribeInstances")) >= 2)
            self.cloud.begin()
        if "kill_when" in how:
            wait_until(lambda: how["kill_when"] in console.states().values())
            console.kill()
            console = self._start()
        return console

    def wait(self) -> None:
        """Until all is as expected and a few polls later still is, or the time is up."""
        end = time.monotonic() + self.scenario.console.get("within_s", WITHIN_S)
        last = max((entry.at_s for entry in self.scenario.timeline), default=0)
        time.sleep(max(0, last - self.scenario.console.get("after_s", 0)))
        while time.monotonic() < end:
            if not list(_differences(self.scenario.expect, self.found())):
                self._let_polls_pass()
                return
            time.sleep(0.1)

    def found(self) -> dict[str, Any]:
        """Everything an `[expect]` table can name, as it is now."""
        state = self.cloud.state()
        states = self.lives[-1].states() if self.lives else {}
        launches = [row for row in self.cloud.calls("RunInstances") if "DryRun" not in row["params"]]
        queues = state["queues"].values()
        return {
            "recoveries": self._by_name(state),
            "states": dict(Counter(states.values())),
            "images": len(effects(self.cloud, "CreateImage")),
            "launches": len(effects(self.cloud, "RunInstances")),
            "protects": len(effects(self.cloud, "ModifyDiskAttribute")),
            "refused_launches": sum(row["status"] is not None and 400 <= row["status"] < 500 for row in launches),
            "messages": sum(queue["ActiveMessages"] + queue["InactiveMessages"] for queue in queues),
            "source_errors": [name for name in ("queue", "lock", "sweep") if self.lives[-1].source_error(name)],
            "disks": {row["InstanceName"]: len(row["DiskIds"]) for row in self._replacements(state)},
            "eips": sorted(row["InstanceName"] for row in self._replacements(state) if row["EipAllocationId"]),
            "behind": self._behind(state),
            "duplicates": _duplicates(state, self.cloud),
            "down": self._down(state),
            "data_lost": self._data_lost(state),
        }

    def recover_s(self) -> Iterator[float]:
        """Seconds from the first line about each recovery to `recovered`."""
        lines = [line for life in self.lives for line in list(life.lines) if line["kind"] == "recovery"]
        for recovery_id in {line["id"] for line in lines}:
            own = [line for line in lines if line["id"] == recovery_id]
            done = [line for line in own if line["state"] == "recovered"]
            if done:
                yield (_at(done[0]) - _at(own[0])).total_seconds()

    def _start(self) -> Headless:
        arguments = ["--auto"] if self.scenario.console.get("auto", True) else []
        self.lives.append(Headless(self.config, *arguments).wait_ready())
        return self.lives[-1]

    def _let_polls_pass(self) -> None:
        seen = len(self.cloud.calls("DescribeInstances"))
        wait_until(lambda: len(self.cloud.calls("DescribeInstances")) >= seen + LOOKS_AFTER)

    def _by_name(self, state: dict[str, Any]) -> dict[str, Any]:
        known = {**self.before, **{row["InstanceId"]: row for row in state["instances"]}}
        named: dict[str, list[str]] = {}
        for line in self.lives[-1].recoveries().values():
            name = line["name"] or known.get(line["instance_id"], {}).get("InstanceName", line["instance_id"])
            named.setdefault(name, []).append(line["state"])
        return {name: found[0] if len(found) == 1 else sorted(found) for name, found in named.items()}

    def _reclaimed(self, state: dict[str, Any]) -> Iterator[dict[str, Any]]:
        now = {row["InstanceId"]: row for row in state["instances"]}
        for instance_id, row in self.before.items():
            if instance_id not in now or "Recycling" in now[instance_id]["LockReasons"]:
                yield row

    def _replacements(self, state: dict[str, Any]) -> list[dict[str, Any]]:
        new = [row for row in state["instances"] if row["InstanceId"] not in self.before]
        return [row for row in new if row["Status"] == "Running" and not row["LockReasons"]]

    def _behind(self, state: dict[str, Any]) -> dict[str, list[str]]:
        """The servers behind each load balancer with their weights; the reclaimed instance's are marked as old."""
        names = {row["InstanceId"]: row["InstanceName"] for row in state["instances"]}
        names |= {row["InstanceId"]: f"old {row['InstanceName']}" for row in self._reclaimed(state)}
        balancers = {row["LoadBalancerId"]: row["LoadBalancerName"] for row in state["load_balancers"]}
        return {
            balancers[group["LoadBalancerId"]]: sorted(f"{names[one['ServerId']]} {one['Weight']}" for one in servers)
            for group in state["server_groups"]
            if (servers := group["Servers"])
        }

    def _down(self, state: dict[str, Any]) -> list[str]:
        up = {row["InstanceName"] for row in self._replacements(state)}
        return [row["InstanceName"] for row in self._reclaimed(state) if row["InstanceName"] not in up]

    def _data_lost(self, state: dict[str, Any]) -> list[str]:
        disks = {disk["DiskId"]: disk for disk in state["disks"]}
        imaged = {image["SourceInstanceId"] for image in state["images"] if image["Status"] == "Available"}
        there = {row["InstanceId"] for row in state["instances"]} | imaged
        return [
            row["InstanceName"]
            for row in self._reclaimed(state)
            if row["InstanceId"] not in there and not any(disk in disks for disk in row["DiskIds"])
        ]


def _duplicates(state: dict[str, Any], cloud: SimServer) -> int:
    """Instances beyond the first, and images of the old one beyond the first that was not given up, of one recovery."""
    launched = Counter(row["Tags"]["spottui"] for row in state["instances"] if "spottui" in row["Tags"])
    good = [row for row in state["images"] if row["Status"] != "CreateFailed" and row["SourceInstanceId"]]
    imaged = Counter(row["Tags"]["spottui"] for row in good if "spottui" in row["Tags"])
    return sum(number - 1 for number in (*launched.values(), *imaged.values()))


def _differences(expect: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """What is not as expected; what a table does not name must not be there: doubles, losses, instances down."""
    for key, wanted in {"duplicates": 0, "down": [], "data_lost": [], **expect}.items():
        if found[key] != wanted:
            yield f"{key}: {found[key]} instead of {wanted}"


def _at(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["at"])


def _row(ending: Ending) -> str:
    states = ", ".join(f"{number} {state}" if number > 1 else state for state, number in ending.states.items())
    times = ending.recover_s
    seconds = f"{statistics.median(times):.1f} / {max(times):.1f}" if times else "-"
    outcome = "DIFFERS" if ending.differs else "ok"
    return (
        f"{ending.name:<30} {outcome:<8} {states or 'no recovery':<16} {seconds:>13} {ending.duplicates:>7} "
        f"{len(ending.down):>5} {len(ending.data_lost):>5} {ending.took_s:>7.0f}"
    ) + "".join(f"\n    {one}" for one in ending.differs)


def main() -> int:
    """Play the named scenarios, or all, some at once, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="all, unless named")
    parser.add_argument("-j", type=int, default=3, dest="at_once", help="so many at once [3]")
    chosen = parser.parse_args()
    # The long ones first, so that none of them is alone at the end.
    todo = sorted(chosen.names or names(), key=lambda name: -load(name).console.get("within_s", 0))
    head = ("scenario", "outcome", "ends with", "recover s", "doubles", "down", "lost", "took s")
    print("{:<30} {:<8} {:<16} {:>13} {:>7} {:>5} {:>5} {:>7}".format(*head), flush=True)
    with tempfile.TemporaryDirectory(prefix="spottui-scenarios-") as directory:
        endings = list(_played(todo, Path(directory), chosen.at_once))
    as_said = sum(not ending.differs for ending in endings)
    print(f"{as_said} of {len(endings)} end as they say; {sum(e.duplicates for e in endings)} doubles")
    return 0 if as_said == len(endings) else 1


def _played(todo: list[str], directory: Path, at_once: int) -> Iterator[Ending]:
    def one(name: str) -> Ending:
        (directory / name).mkdir()
        try:
            ending = play(name, directory / name)
        except AssertionError as problem:
            # A console that does not start, or says nothing more, is one scenario's ending and not the end of all.
            ending = Ending(name, Counter(), (), 0, (), (), (str(problem) or "the console ended",), 0.0)
        print(_row(ending), flush=True)
        return ending

    run: Callable[[str], Ending] = one
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(run, todo)


if __name__ == "__main__":
    sys.exit(main())
