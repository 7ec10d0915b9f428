"""How long an instance behind a load balancer is away, by each route, and how old the data of its replacement is.

All at once in one simulated cloud: system disk 40 GiB, data disk 200 GiB, an image takes 290 s and a boot 25 s. A
client asks the load balancer ten times a second. About fifteen minutes; `SPOTTUI_BENCH_SCALE=0.1` takes a tenth.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from spottui.cli.assembly import open_desk
from spottui.config import load
from spottui.desk import Desk
from spottui.domain.clock import SystemClock
from spottui.domain.commands import Confirm
from spottui.domain.outcome import outcome
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.routes import Route
from spottui.sim.testing import SimServer
from tests.driving import add_policy, wait_until
from tests.recovery.calm import allow_older_system, make_system_image
from tests.sim.balancing import ADDRESSES, BACKEND_PORT, PORT, REGION, fleet, named, visit
from tests.sim.calls import Api

SCALE = float(os.environ.get("SPOTTUI_BENCH_SCALE", "1"))
IMAGE_S, BOOT_S, NOTICE_S = 290 * SCALE, 25 * SCALE, 300 * SCALE
WHO = "mei@bastion pts/3"
ROUTES = {"web-1": Route.INSTANT, "web-2": Route.WARM_IMAGE, "web-3": Route.IMAGE, "web-4": Route.KEPT_DISK}
AIMS = {Route.INSTANT: f"< {60 + BOOT_S:g} s"}
SPARE = 2
"""Servers that stay, so that the load balancer always has one."""


def run() -> Iterator[dict[str, object]]:
    """Reclaim one instance for each route at once, and wait until all are served again."""
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "c.toml"
        with SimServer(world=_world(), config=config) as cloud:
            instances = {name: named(cloud, name) for name in ROUTES}
            _make_earlier_images(cloud, instances)
            cloud.world(image_base_s=IMAGE_S, image_s_per_gib=0, boot_s=BOOT_S)
            add_policy(config, veto_window_s=0, lock_poll_s=2, warm_image="true")
            with _Visitor() as visitor:
                yield from _measured(
                    cloud, config, {name: row["InstanceId"] for name, row in instances.items()}, visitor
                )


def _world() -> dict[str, object]:
    world, count = fleet(), len(ROUTES) + SPARE
    web = {**world["instance"][0], "count": count}
    front = {
        "name": "front",
        "product": "alb",
        "address": ADDRESSES["alb"],
        "port": PORT,
        "backend_port": BACKEND_PORT,
        "servers": [f"web-{number}" for number in range(1, count + 1)],
    }
    return {**world, "instance": [web, *world["instance"][1:]], "load_balancer": [front]}


def _make_earlier_images(cloud: SimServer, instances: dict[str, dict[str, str]]) -> None:
    cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
    make_system_image(cloud, instances["web-1"])
    allow_older_system(cloud, instances["web-1"])
    warm = instances["web-2"]["InstanceId"]
    tag = {"Tag__1__Key": "spottui", "Tag__1__Value": f"{REGION}.{warm}.1"}
    made = Api(cloud)("CreateImage", InstanceId=warm, ImageName="earlier", **tag)["ImageId"]
    wait_until(lambda: any(row["ImageId"] == made and row["Status"] == "Available" for row in cloud.state()["images"]))


class _Visitor:
    """Asks ten times a second; remembers when each instance answered first, and how many requests were lost."""

    def __init__(self) -> None:
        self.first: dict[str, datetime] = {}
        self.requests = self.lost = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "_Visitor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ends.wait(0.1):
            answer = visit(ADDRESSES["alb"], key="instance_id")
            self.requests += 1
            self.lost += not answer.startswith("i-")
            self.first.setdefault(answer, datetime.now(UTC))


def _measured(
    cloud: SimServer, config: Path, victims: dict[str, str], visitor: _Visitor
) -> Iterator[dict[str, object]]:
    desk = open_desk(load(config), SystemClock(), auto=False, read_only=False)
    try:
        wait_until(lambda: len(desk.view().instances) >= len(victims), 60, 0.2)
        cloud.interrupt(list(victims.values()), notice_s=NOTICE_S)
        for name, route in ROUTES.items():
            _confirm(desk, victims[name], route)
        patience_s = 3 * (NOTICE_S + IMAGE_S + BOOT_S) + 120
        wait_until(lambda: all(_is_served(desk, visitor, one) for one in victims.values()), patience_s, 0.5)
        for name, route in ROUTES.items():
            yield _figure(desk, visitor, victims[name], route)
    finally:
        desk.close()
    yield {"figure": "requests lost meanwhile", "requests": visitor.requests, "value": visitor.lost, "aim": "0"}


def _confirm(desk: Desk, victim: str, route: Route) -> None:
    recovery = wait_until(lambda: _waiting(desk, victim, route), 30, 0.1)
    plan = desk.plan(recovery.recovery_id)
    assert plan
    desk.carry_out(recovery.recovery_id, Confirm(plan.digest, route), WHO)


def _waiting(desk: Desk, victim: str, route: Route) -> Recovery | None:
    recovery = _recovery(desk, victim)
    plan = desk.plan(recovery.recovery_id) if recovery and recovery.state is RecoveryState.NEEDS_YOU else None
    return recovery if plan and plan.surveyed and route in plan.choices else None


def _recovery(desk: Desk, victim: str) -> Recovery | None:
    return next((one for one in desk.view().recoveries if one.instance_id == victim), None)


def _is_served(desk: Desk, visitor: _Visitor, victim: str) -> bool:
    recovery = _recovery(desk, victim)
    if recovery and recovery.state is RecoveryState.FAILED:
        raise AssertionError(f"{victim} failed: {recovery.reason}")
    return bool(recovery and recovery.state is RecoveryState.RECOVERED and recovery.new_instance_id in visitor.first)


def _figure(desk: Desk, visitor: _Visitor, victim: str, route: Route) -> dict[str, object]:
    recovery = _recovery(desk, victim)
    assert recovery
    as_of = outcome(recovery, desk.plan(recovery.recovery_id)).data_as_of
    served = visitor.first[recovery.new_instance_id]
    return {
        "figure": f"notice → served again, route {route}",
        "unit": "s",
        "value": round((served - recovery.started).total_seconds(), 1),
        "taken": recovery.route.value,
        "data_older_than_notice_s": round((recovery.started - as_of).total_seconds(), 1) if as_of else 0,
        "scale": SCALE,
        "aim": AIMS.get(route, ""),
    }


if __name__ == "__main__":
    began = time.monotonic()
    for figure in run():
        print(figure, flush=True)
    print(f"{time.monotonic() - began:.0f} s")
