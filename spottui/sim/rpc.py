"""The gate of the RPC APIs (ECS, CloudMonitor): ledger, fault, signature, permission, action, answer."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from spottui.sim import cloudmonitor, ecs, sts, vpc
from spottui.sim.cloud import Cloud
from spottui.sim.errors import ApiError
from spottui.sim.faults import Fault
from spottui.sim.ledger import Row
from spottui.sim.mishap import exchange
from spottui.sim.params import Params
from spottui.sim.registry import Call, find, is_known_version
from spottui.sim.signature import Request, verify
from spottui.sim.throttle import throttled
from spottui.sim.tokens import SIGNING_PARAMETERS
from spottui.sim.world import World

REGISTERED = (ecs, cloudmonitor, sts, vpc)
"""Imported for the actions they register."""


async def serve_rpc(cloud: Cloud, request: web.Request) -> web.Response:
    """Answer one call on `/`."""
    world = cloud.world
    signed = await _read(request)
    given = {**signed.query, **signed.form}
    name = signed.headers.get("x-acs-action") or given.get("Action", "")
    version = signed.headers.get("x-acs-version") or given.get("Version", "")
    params = Params({k: v for k, v in given.items() if k not in SIGNING_PARAMETERS})
    row = world.ledger.receive(
        world.settle(), name, params.text("RegionId"), params, world.ids.request()
    )  # fmt: skip

    async def act() -> web.Response:
        try:
            body = _carry_out(world, signed, name, version, params, row)
        except ApiError as refusal:
            return _refused(request, row, refusal)
        return _json(row, 200, {"RequestId": row.request_id, **body})

    def refuse(fault: Fault) -> web.Response:
        return _faulted(request, row, fault)

    return await exchange(request, row, world.faults.take(name, params), act, refuse)


def _carry_out(world: World, signed: Request, name: str, version: str, params: Params, row: Row) -> dict[str, Any]:
    if not is_known_version(version):
        raise ApiError("InvalidVersion", 404, "Specified parameter Version is not valid.")
    action = find(version, name)
    if action is None:
        raise ApiError("InvalidAction.NotFound", 404, "Specified api is not found, please check your url.")
    verify(world, signed)
    world.buckets.take(world.settings, name, params.text("RegionId"), world.settle())
    call = Call(world, params, world.settle(), blind=_is_blind(world, name, params))
    try:
        return action(call)
    finally:
        row.effect = call.effect


def _is_blind(world: World, name: str, params: Params) -> bool:
    """Whether the caller sees only empty lists; 403 for what it may not do, and for a blind DryRun."""
    permission = world.settings.permissions.get(name, "allow")
    if permission == "forbidden" or (permission == "empty" and params.flag("DryRun")):
        raise ApiError("Forbidden.RAM", 403, "User not authorized to operate on the specified resource.")
    return permission == "empty"


async def _read(request: web.Request) -> Request:
    body = await request.read()
    is_form = request.content_type == "application/x-www-form-urlencoded"
    return Request(
        request.method, {k.lower(): v for k, v in request.headers.items()},
        _pairs(request.raw_path.partition("?")[2]), _pairs(body.decode("utf-8", "replace")) if is_form else {},
        body,
    )  # fmt: skip


def _pairs(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=2000))


def _faulted(request: web.Request, row: Row, fault: Fault) -> web.Response:
    if fault.kind == "error":
        return _refused(request, row, ApiError(fault.code, fault.status, fault.message))
    return _refused(request, row, throttled(fault.retry_after_ms))


def _refused(request: web.Request, row: Row, refusal: ApiError) -> web.Response:
    row.code = refusal.code
    link = re.sub(r"[^\w.]", "", refusal.code)
    denied = {"AccessDeniedDetail": _denial(row)} if refusal.code == "Forbidden.RAM" else {}
    response = _json(row, refusal.status, {
        "RequestId": row.request_id, "HostId": request.host, "Code": refusal.code,
        "Message": refusal.message, **denied,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={link}&product=Ecs&requestId={row.request_id}",
    })  # fmt: skip
    if refusal.retry_after_ms is not None:
        response.headers["x-acs-retry-after"] = str(refusal.retry_after_ms)
    return response


def _denial(row: Row) -> dict[str, str]:
    return {
        "AuthAction": f"ecs:{row.action}", "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy", "AuthPrincipalType": "SubUser",
        "AuthPrincipalDisplayName": "spottui", "AuthPrincipalOwnerId": "1690700000000030",
    }  # fmt: skip


def _json(row: Row, status: int, body: dict[str, Any]) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(
        status=status, text=text, content_type="application/json", headers={"x-acs-request-id": row.request_id}
    )
