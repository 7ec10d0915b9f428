"""One loopback port: ECS and CloudMonitor on `/`, MNS on `/queues`, metadata on `/latest`, control on `/_sim`."""

import json
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from aiohttp import web

from spottui.sim import control, saving
from spottui.sim.balancers import routing, traffic
from spottui.sim.clock import iso_millis
from spottui.sim.cloud import Cloud
from spottui.sim.control_request import Given
from spottui.sim.doors import Doors
from spottui.sim.errors import ControlError
from spottui.sim.metadata import Metadata
from spottui.sim.mns.http import serve_mns
from spottui.sim.rpc import serve_rpc
from spottui.sim.state import state
from spottui.sim.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LONGEST_LINE = 96 * 1024
"""Bytes of a request line: all parameters of a call, UserData included, travel in it."""
LARGEST_BODY = 256 * 1024 * 1024
"""Bytes of a request body: a saved world of 10,000 instances is one."""


def application(cloud: Cloud, doors: Doors, begin: Callable[[], None]) -> web.Application:
    """The HTTP application of the cloud; `begin` starts the timeline of its scenario."""

    @web.middleware
    async def follow(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Before the answer goes out: who asked finds the sockets as the answer has it.
        response = await handler(request)
        await doors.follow()
        return response

    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[follow])
    app.on_response_prepare.append(_dated(cloud))
    metadata = Metadata(cloud)

    async def rpc(request: web.Request) -> web.Response:
        if "accountmeta" in request.query:
            return await serve_mns(cloud, request)
        return await serve_rpc(cloud, request)

    async def mns(request: web.Request) -> web.Response:
        return await serve_mns(cloud, request)

    app.router.add_route("GET", "/", rpc)
    app.router.add_route("POST", "/", rpc)
    app.router.add_route("PUT", "/", mns)
    for path in ("/queues", "/queues/{queue}", "/queues/{queue}/messages", "/topics", "/topics/{rest:.+}"):
        app.router.add_route("*", path, mns)
    for base in ("", "/_sim/metadata/{instance_id}"):
        app.router.add_put(f"{base}/latest/api/token", metadata.token)
        app.router.add_get(f"{base}/latest/{{item:.*}}", metadata.read)
    _add_control(app, cloud, begin)
    _add_traffic(app, cloud)
    return app


def _dated(cloud: Cloud) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """The cloud has one clock: answers are dated by the one that dates its events."""

    async def date(_request: web.Request, answer: web.StreamResponse) -> None:
        answer.headers["Date"] = formatdate(cloud.world.clock.now(), usegmt=True)

    return date


def _add_control(app: web.Application, cloud: Cloud, begin: Callable[[], None]) -> None:
    async def show_state(request: web.Request) -> web.Response:
        try:
            return _json(state(_world_of(cloud, Given(dict(request.query)))))
        except ControlError as refusal:
            return _refused(refusal)

    async def show_calls(request: web.Request) -> web.Response:
        return _json([row.as_json() for row in cloud.world.ledger.rows(request.query.get("action"))])

    async def show_faults(request: web.Request) -> web.Response:
        return _json(cloud.world.faults.as_json())

    async def forget_faults(request: web.Request) -> web.Response:
        cloud.world.faults.clear()
        return _json({"ordered": 0})

    async def show_coverage(request: web.Request) -> web.Response:
        return _json(cloud.world.coverage.as_json())

    async def reset(request: web.Request) -> web.Response:
        cloud.reset()
        return _json({"reset": True})

    async def start(request: web.Request) -> web.Response:
        begin()
        return _json({"begun": iso_millis(cloud.world.settle())})

    app.router.add_post("/_sim/begin", start)
    app.router.add_get("/_sim/state", show_state)
    app.router.add_get("/_sim/calls", show_calls)
    app.router.add_get("/_sim/coverage", show_coverage)
    app.router.add_get("/_sim/faults", show_faults)
    app.router.add_delete("/_sim/faults", forget_faults)
    app.router.add_post("/_sim/reset", reset)
    _add_saving(app, cloud)
    for name in control.CALLS:
        app.router.add_post(f"/_sim/{name}", _acting(cloud, name))


def _add_traffic(app: web.Application, cloud: Cloud) -> None:
    async def to_balancer(request: web.Request) -> web.Response:
        balancer = cloud.world.load_balancers.get(request.match_info["balancer"])
        found = routing.listener_of(balancer, int(request.match_info["port"])) if balancer else None
        if found is None:
            return _json({"error": "no such load balancer or listener"}, status=404)
        return await traffic.to_balancer(cloud.world, request, *found)

    async def to_service(request: web.Request) -> web.Response:
        instance = cloud.world.instances.get(request.match_info["instance"])
        return await traffic.to_service(cloud.world, request, instance, int(request.match_info["port"]))

    async def show_traffic(request: web.Request) -> web.Response:
        return _json(cloud.world.traffic.as_json(lost_only="lost" in request.query))

    app.router.add_route("*", r"/_sim/balancer/{balancer}/{port:\d+}{rest:(/.*)?}", to_balancer)
    app.router.add_route("*", r"/_sim/service/{instance}/{port:\d+}{rest:(/.*)?}", to_service)
    app.router.add_get("/_sim/traffic", show_traffic)


def _add_saving(app: web.Application, cloud: Cloud) -> None:
    async def save_world(request: web.Request) -> web.Response:
        try:
            return _json(saving.save(cloud.world))
        except ControlError as refusal:
            return _refused(refusal)

    async def load_world(request: web.Request) -> web.Response:
        try:
            saved = await _body(request)
            if not isinstance(saved, dict):
                raise ControlError("body", "must be a JSON object", "object")
            cloud.replace(saving.load(saved))
        except ControlError as refusal:
            return _refused(refusal)
        return _json({"now": iso_millis(cloud.world.clock.now())})

    app.router.add_get("/_sim/world/save", save_world)
    app.router.add_post("/_sim/world/load", load_world)


def _acting(cloud: Cloud, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def act(request: web.Request) -> web.Response:
        try:
            given = await _body(request)
            # Faults come as a list, so that a test can order a whole sequence at once.
            every = given if name == "faults" and isinstance(given, list) else [given]
            results = [_act(cloud, name, Given(order)) for order in every]
        except ControlError as refusal:
            return _refused(refusal)
        cloud.time_moved()
        return _json({"ordered": len(results)} if name == "faults" else results[0])

    return act


def _act(cloud: Cloud, name: str, given: Given) -> dict[str, object]:
    world = _world_of(cloud, given)
    return control.CALLS[name](world, given, cloud.world.settle())


def _world_of(cloud: Cloud, given: Given) -> World:
    """What the account of `account_id` owns; without one, the first account."""
    home, account_id = cloud.world, given.text("account_id", "")
    if account_id in ("", home.account_id):
        return home
    if account_id not in home.others:
        allowed = [world.account_id for world in home.every]
        raise ControlError("account_id", f"{account_id} is no account of this cloud", allowed)
    return home.others[account_id]


def _refused(refusal: ControlError) -> web.Response:
    error = {"field": refusal.field, "message": refusal.message, "allowed": refusal.allowed}
    return _json({"error": error}, status=400)


async def _body(request: web.Request) -> object:
    text = await request.text()
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError:
        raise ControlError("body", "is not JSON", "a JSON object") from None


def _json(value: object, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False)
    return web.Response(status=status, text=text, content_type="application/json")
