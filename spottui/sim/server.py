"""One loopback port: ECS and CloudMonitor on `/`, MNS on `/queues`, metadata on `/latest`, control on `/_sim`."""

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from spottui.sim import control
from spottui.sim.cloud import Cloud
from spottui.sim.errors import ControlError
from spottui.sim.given import Given
from spottui.sim.metadata import Metadata
from spottui.sim.mns.http import serve_mns
from spottui.sim.rpc import serve_rpc
from spottui.sim.state import state

LONGEST_LINE = 96 * 1024
"""Bytes of a request line: all parameters of a call, UserData included, travel in it."""


def application(cloud: Cloud) -> web.Application:
    """The HTTP application of the cloud."""
    app = web.Application(client_max_size=2 * 1024 * 1024)
    metadata = Metadata(cloud)

    async def rpc(request: web.Request) -> web.Response:
        return await serve_rpc(cloud, request)

    async def mns(request: web.Request) -> web.Response:
        return await serve_mns(cloud, request)

    app.router.add_route("GET", "/", rpc)
    app.router.add_route("POST", "/", rpc)
    for path in ("/queues", "/queues/{queue}", "/queues/{queue}/messages"):
        app.router.add_route("*", path, mns)
    app.router.add_put("/latest/api/token", metadata.token)
    app.router.add_get("/latest/meta-data/{item:.*}", metadata.read)
    app.router.add_put("/_sim/metadata/{instance_id}/latest/api/token", metadata.token)
    app.router.add_get("/_sim/metadata/{instance_id}/latest/meta-data/{item:.*}", metadata.read)
    _add_control(app, cloud)
    return app


def _add_control(app: web.Application, cloud: Cloud) -> None:
    async def show_state(request: web.Request) -> web.Response:
        return _json(state(cloud.world))

    async def show_calls(request: web.Request) -> web.Response:
        return _json([row.as_json() for row in cloud.world.ledger.rows(request.query.get("action"))])

    async def show_faults(request: web.Request) -> web.Response:
        return _json(cloud.world.faults.as_json())

    async def forget_faults(request: web.Request) -> web.Response:
        cloud.world.faults.clear()
        return _json({"ordered": 0})

    async def reset(request: web.Request) -> web.Response:
        cloud.reset()
        return _json({"reset": True})

    app.router.add_get("/_sim/state", show_state)
    app.router.add_get("/_sim/calls", show_calls)
    app.router.add_get("/_sim/faults", show_faults)
    app.router.add_delete("/_sim/faults", forget_faults)
    app.router.add_post("/_sim/reset", reset)
    for name in control.CALLS:
        app.router.add_post(f"/_sim/{name}", _acting(cloud, name))


def _acting(cloud: Cloud, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def act(request: web.Request) -> web.Response:
        try:
            given = await _body(request)
            # Faults come as a list, so that a test can order a whole sequence at once.
            every = given if name == "faults" and isinstance(given, list) else [given]
            results = [control.CALLS[name](cloud.world, Given(one), cloud.world.settle()) for one in every]
        except ControlError as refusal:
            error = {"field": refusal.field, "message": refusal.message, "allowed": refusal.allowed}
            return _json({"error": error}, status=400)
        cloud.time_moved()
        return _json({"ordered": len(results)} if name == "faults" else results[0])

    return act


async def _body(request: web.Request) -> object:
    text = await request.text()
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError:
        raise ControlError("body", "is not JSON", "a JSON object") from None


def _json(value: object, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False)
    return web.Response(status=status, text=text, content_type="application/json")
