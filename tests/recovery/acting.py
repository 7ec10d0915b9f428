"""One desk in a process of its own, told what to do line by line: `method argument …` in JSON, answered in JSON."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from spottui import words
from spottui.cli.assembly import open_desk
from spottui.cli.console import leave
from spottui.config import load
from spottui.desk import Desk
from spottui.domain.clock import SystemClock
from spottui.domain.commands import Cancel, Confirm, Retry
from spottui.domain.facts import PricesSeen
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route

WHO = "mei@bastion pts/3"


def main() -> None:
    """Arguments: the configuration, and whether auto-mode is armed."""
    desk = open_desk(load(Path(sys.argv[1])), SystemClock(), auto=sys.argv[2] == "auto", read_only=False)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        try:
            answer = _METHODS[method](desk, *arguments)
        except Refused as refused:
            answer = {"refused": str(refused)}
        print(json.dumps(msgspec.to_builtins(answer)), flush=True)
    desk.close()
    leave(0)


def recovery(desk: Desk, instance_id: str) -> Any:
    """Return the newest recovery of an instance, with what a person reads of it under `says`."""
    found = [one for one in desk.view().recoveries if one.instance_id == instance_id]
    if not found:
        return None
    one = found[-1]
    says = {"reason": words.reason(one.reason), "next": words.next_step(one.next_step), "trouble": words.trouble(one)}
    known = {"recovery_id": one.recovery_id, "awaits_release": one.awaits_release, "deadline": one.deadline}
    return {**msgspec.to_builtins(one), **known, "says": says}


_METHODS: dict[str, Callable[..., Any]] = {
    "recovery": recovery,
    "plan": lambda desk, recovery_id: _plan(desk, recovery_id),
    "confirm": lambda desk, recovery_id, route="": desk.carry_out(
        recovery_id, Confirm(_digest(desk, recovery_id), Route(route) if route else None), WHO
    ),
    "cancel": lambda desk, recovery_id: desk.carry_out(recovery_id, Cancel(), WHO),
    "retry": lambda desk, recovery_id: desk.carry_out(recovery_id, Retry(_digest(desk, recovery_id)), WHO),
    "timeline": lambda desk, recovery_id: [words.step(one) for one in desk.timeline(recovery_id)],
    "leftovers": lambda desk: desk.leftovers(),
    "look_around": lambda desk: desk.look_around(),
    "prices_seen": lambda desk: desk._journal.log.last(PricesSeen),
    "clean_up": lambda desk, resource_ids: desk.clean_up(resource_ids, WHO),
}


def _plan(desk: Desk, recovery_id: str) -> Any:
    plan = desk.plan(recovery_id)
    return plan and {
        "routes": plan.routes,
        "choices": plan.choices,
        "digest": plan.digest,
        "candidates": plan.candidates,
    }


def _digest(desk: Desk, recovery_id: str) -> str:
    plan = desk.plan(recovery_id)
    return plan.digest if plan else ""


if __name__ == "__main__":
    main()
