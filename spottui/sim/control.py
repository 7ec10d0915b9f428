"""What a test or a scenario may do to the world: reclaim, break, send, restock, turn knobs, move time."""

import base64
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from spottui.sim import changing, earlier, interrupt, market, pvtz, services, settings_update, stock
from spottui.sim.balancers import declaring
from spottui.sim.catalog import TYPES
from spottui.sim.clock import iso_millis, iso_seconds
from spottui.sim.control_request import Given
from spottui.sim.errors import ControlError
from spottui.sim.faults import KINDS, Fault
from spottui.sim.model import EventRule, SecurityToken
from spottui.sim.world import World

Json = dict[str, Any]


def order_fault(world: World, given: Given, now: float) -> Json:
    """Let the next calls of an action go wrong; `times` 0 is for ever."""
    action = given.text("action")
    kind = given.choice("kind", KINDS)
    times = int(given.number("times", 1, 0, 10**6))
    fault = Fault(action, kind, given.mapping("match"), times or None)
    fault.code = given.text("code", fault.code)
    fault.status = int(given.number("status", 0, 0, 599))
    fault.message = given.text("message", fault.message)
    fault.delay_s = given.number("delay_s", None, 0, 3600) if "delay_s" in given else None
    fault.retry_after_ms = int(given.number("retry_after_ms", None, 1, 10**7)) if "retry_after_ms" in given else None
    fault.body = given.text("body", fault.body)
    given.end()
    world.faults.order(fault)
    return {"ordered": 1}


def send(world: World, given: Given, now: float) -> Json:
    """Put a raw `body` on a queue, exactly as it is, or a `poison` by its name (`all`: one of each).

    `verbatim`: the body goes out unescaped in the XML of an answer, as a broken producer would have it.
    """
    name = given.text("queue", next(iter(world.regions.values())).queue)
    kind = given.choice("poison", ("all", *_BODIES)) if "poison" in given else ""
    bodies = [given.text("body")] if not kind else list(_BODIES.values())
    if kind not in ("", "all"):
        bodies = [_BODIES[kind]]
    delay_s = given.number("delay_s", 0, 0, 604_800)
    copies = int(given.number("copies", 1, 1, 10_000))
    verbatim = given.flag("verbatim", False)
    given.end()
    queue = world.queues.get(name)
    if queue is None:
        raise ControlError("queue", f"{name} does not exist", [q.name for q in world.queues])
    sent = [queue.send(body, now, delay_s=delay_s) for body in bodies for _ in range(copies)]
    for message in sent:
        message.verbatim = verbatim
    return {"message_ids": [message.id for message in sent]}


def put_rule(world: World, given: Given, now: float) -> Json:
    """An event rule: `event_names` (none: every event) of every region to that region's queue."""
    name = given.text("name")
    events = tuple(given.texts("event_names")) if "event_names" in given else ()
    given.end()
    targets = {str(n): (r.id, r.queue) for n, r in enumerate(world.regions.values(), 1)}
    world.event_rules[name] = EventRule(name, event_names=events, products=("ecs",), targets=targets)
    return {"name": name, "targets": len(targets)}


def assume_role(world: World, given: Given, now: float) -> Json:
    """A temporary AccessKey with a security token, good for `duration_s`, as STS gives it."""
    duration_s = given.number("duration_s", 3600, 1, 43_200)
    given.end()
    key = f"STS.{world.ids.text(24)}"
    token = SecurityToken(world.ids.text(40), f"CAIS{world.ids.text(120)}", now + duration_s)
    world.security_tokens[key] = token
    return {
        "access_key_id": key, "access_key_secret": token.secret, "security_token": token.token,
        "expiration": iso_seconds(token.expires_at),
    }  # fmt: skip


def move_price(world: World, given: Given, now: float) -> Json:
    """Set the spot price of a type in a zone, in CNY an hour, from now on."""
    instance_type = given.choice("instance_type", tuple(TYPES))
    zone = given.choice("zone", [zone for region in world.regions.values() for zone in region.zones])
    value = given.number("price", None, 0.001, 10**6)
    given.end()
    stock.set_price(world, instance_type, zone, round(value, 3), now)
    return {"price": round(value, 3)}


def set_stock(world: World, given: Given, now: float) -> Json:
    """Set what is left of a type in a zone; without a type or zone, of all of them. `stock` null is plenty."""
    zones = [zone for region in world.regions.values() for zone in region.zones]
    kinds = [given.choice("instance_type", tuple(TYPES))] if "instance_type" in given else list(TYPES)
    wanted = [given.choice("zone", zones)] if "zone" in given else zones
    left = int(given.number("stock", -1, 0, 10**9)) if "stock" in given else None
    given.end()
    for pair in ((kind, zone) for kind in kinds for zone in wanted):
        if left is None:
            world.stock.pop(pair, None)
        else:
            world.stock[pair] = left
    return {"pairs": len(kinds) * len(wanted)}


def turn_knobs(world: World, given: Given, now: float) -> Json:
    """Change how the world behaves from now on; images already being made keep their time."""
    checking = world.settings.market_check_s > 0
    settings_update.turn(world.settings, given)
    if world.settings.market_check_s > 0 and not checking:
        world.schedule.plan(now + world.settings.market_check_s, market.check)
    return asdict(world.settings)


def move_clock(world: World, given: Given, now: float) -> Json:
    """Set the `speed` (0 stands still, at most 600) or jump `advance_s` ahead, or both."""
    if "speed" not in given and "advance_s" not in given:
        raise ControlError("speed", "is missing", ["speed", "advance_s"])
    speed = given.number("speed", world.clock.speed, 0, 600)
    advance_s = given.number("advance_s", 0, 0, 10 * 365 * 86_400)
    given.end()
    world.clock.set_speed(speed)
    world.advance(advance_s)
    return {"now": iso_millis(world.settle()), "speed": world.clock.speed}


CALLS: dict[str, Callable[[World, Given, float], Json]] = {
    "interrupt": interrupt.interrupt, "demand": interrupt.demand, "faults": order_fault, "send": send,
    "stock": set_stock, "price": move_price, "rule": put_rule, "sts": assume_role, "world": turn_knobs,
    "clock": move_clock, "gone": changing.delete_parts, "instance": changing.change_instance,
    "image": earlier.make_image,
    "balancer": declaring.add, "service": services.change, "dns": pvtz.declare,
}  # fmt: skip
"""Every way to act on the world, by the last part of its path and by its name in a scenario."""


_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><b>&j;</b>"
)

_BODIES = {
    "not_base64": "hello, not Base64!",
    "not_utf8": base64.b64encode(b"\xff\xfe\x00\xd8 not UTF-8").decode(),
    "empty_base64": "====",
    "not_json": base64.b64encode(b"plain text").decode(),
    "number": "7",
    "list": "[1, 2]",
    "wrong_types": '{"name": 7, "content": [], "regionId": {}}',
    "deep": "[" * 20_000,
    "nested_xml": "<Message><MessageBody>inner</MessageBody></Message>",
    "entity_bomb": _BOMB,
    "full_64_kib": "x" * 65_536,
    "terminal": '{"name": "\\u001b]0;owned\\u0007[red]x[/red]", "content": {"instanceId": "$(reboot)"}}',
}
"""Poison by kind. `nested_xml` is dangerous when it is sent `verbatim`, unescaped in the answer's XML."""
