"""What this cloud has, as the table of docs/simulator.md: made from the code, so that it cannot be out of date."""

from collections.abc import Iterator

from spottui.sim import registry, rpc
from spottui.sim.assumptions import ASSUMPTIONS
from spottui.sim.control import CALLS
from spottui.sim.mns.http import OPERATIONS
from spottui.sim.scenario import names

REGISTERED = rpc.REGISTERED
"""Imported for the actions they register."""

_SERVICES = (
    ("ECS 2014-05-26", registry.ECS), ("VPC 2016-04-28", registry.VPC), ("CloudMonitor 2019-01-01",
    registry.CLOUD_MONITOR), ("STS 2015-04-01", registry.STS), ("CLB (slb) 2014-05-15", registry.SLB),
    ("ALB 2020-06-16", registry.ALB), ("NLB 2022-04-30", registry.NLB),
    ("PrivateZone (pvtz) 2018-01-01", registry.PVTZ),
)  # fmt: skip


def table() -> str:
    """Markdown: services with their actions, what they refuse, the control calls and the open questions."""
    return "\n".join([
        "| service | actions |", "|---|---|", *_services(), "",
        "| action | documented parameters that are refused |", "|---|---|", *_refusals(), "",
        "| open question | assumed | or |", "|---|---|---|",
        *(
            f"| {assumption.question} (`{assumption.switch}`) | `{assumption.assumed}` | `{assumption.other}` |"
            for assumption in ASSUMPTIONS
        ), "",
        f"Control calls: {', '.join(f'`{name}`' for name in sorted(CALLS))}.", "",
        f"{len(names())} scenarios; `spottui sim --list-scenarios` tells them.",
    ])  # fmt: skip


def _services() -> Iterator[str]:
    for title, version in _SERVICES:
        yield f"| {title} | {' '.join(registry.actions(version))} |"
    yield f"| MNS/SMQ 2015-06-06 | {' '.join(sorted([*OPERATIONS, 'ReceiveMessage', 'BatchReceiveMessage']))} |"
    yield "| instance metadata | meta-data, user-data, dynamic, credentials of the instance's role, hardened mode |"


def _refusals() -> Iterator[str]:
    for title, version in _SERVICES:
        for name in registry.actions(version):
            if registry.refused(version, name):
                yield f"| {title.split()[0]} {name} | {' '.join(sorted(registry.refused(version, name)))} |"


if __name__ == "__main__":
    print(table())  # noqa: T201  this is the program's output
