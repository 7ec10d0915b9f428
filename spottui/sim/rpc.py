"""The gate of the RPC APIs (all but MNS): ledger, fault, signature, permission, action, answer."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from spottui.sim import answers, cloudmonitor, ecs, permission, pvtz, registry, sts, vpc
from spottui.sim.answers import Format
from spottui.sim.balancers import alb, clb, listing, nlb
from spottui.sim.cloud import Cloud
from spottui.sim.coverage import HEADER
from spottui.sim.errors import ApiError, unmodelled
from spottui.sim.fault_injection import exchange
from spottui.sim.faults import Fault
from spottui.sim.ledger import Row
from spottui.sim.params import Params
from spottui.sim.registry import Call
from spottui.sim.signature import Request, verify
from spottui.sim.throttle import throttled
from spottui.sim.tokens import SIGNING_PARAMETERS
from spottui.sim.world import World

REGISTERED = (ecs, cloudmonitor, sts, vpc, clb, alb, nlb, listing, pvtz)
"""Imported for the actions they register."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: what it calls, with which parameters, and how the answer is to be written."""

    signed: Request
    action: str
    version: str
    given: dict[str, str]
    format: Format
    host: str


async def serve_rpc(cloud: Cloud, request: web.Request) -> web.Response:
    """Answer one call on `/`."""
    world = cloud.world
    asked = await _read(request)
    params = Params(asked.given)
    row = world.ledger.receive(
        world.settle(), asked.action, params.text("RegionId"), params, world.ids.request()
    )  # fmt: skip

    async def act() -> web.Response:
        try:
            return _carry_out(world, asked, row)
        except ApiError as refusal:
            return _refused(world, asked, row, refusal)

    def refuse(fault: Fault) -> web.Response:
        return _refused(world, asked, row, _ordered(fault))

    return await exchange(request, row, world.faults.take(asked.action, params), act, refuse)


def _carry_out(world: World, asked: _Asked, row: Row) -> web.Response:
    name = asked.action
    if not registry.is_known_version(asked.version):
        raise ApiError("InvalidVersion", 404, "Specified parameter Version is not valid.")
    action = registry.find(asked.version, name)
    if action is None:
        world.coverage.unsupported([name])
        raise ApiError("InvalidAction.NotFound", 404, "Specified api is not found, please check your url.")
    access_key_id = verify(world, asked.signed)
    owner, params = world.owner_of(access_key_id), Params(asked.given)
    row.account_id = owner.account_id
    owner.buckets.take(world.settings, name, params.text("RegionId"), world.settle())
    world.coverage.called(name)
    _refuse_unmodelled(world, asked)
    blind = permission.is_blind(owner, asked.version, name, params)
    call = Call(owner, params, world.settle(), asked.version, blind, access_key_id)
    try:
        body = action(call)
    finally:
        row.effect = call.effect
    unread = params.unread()
    world.coverage.unsupported(f"{name}.{parameter}" for parameter in unread)
    response = _respond(asked, row, 200, f"{name}Response", {"RequestId": row.request_id, **body})
    if unread:
        response.headers[HEADER] = ", ".join(unread)
    return response


def _refuse_unmodelled(world: World, asked: _Asked) -> None:
    """A documented filter that does nothing would make a wrong answer; what nobody knows is ignored, as it is there."""
    refused = registry.refused(asked.version, asked.action)
    given = sorted(name for name, value in asked.given.items() if value and name.split(".")[0] in refused)
    if given:
        world.coverage.unsupported(f"{asked.action}.{name}" for name in given)
        raise unmodelled(asked.action, given)


async def _read(request: web.Request) -> _Asked:
    signed = await _signed(request)
    given = {**signed.query, **signed.form}
    version = given.get("Version") or signed.headers.get("x-acs-version", "")
    # What is signed in the query is what is meant; gateways of several SDKs send a header beside it.
    name = given.get("Action") or given.get("action") or signed.headers.get("x-acs-action", "")
    rest = {k: v for k, v in given.items() if k not in SIGNING_PARAMETERS}
    return _Asked(
        signed, registry.canonical(version, name), version, rest, answers.format_of(given, signed.headers), request.host
    )


async def _signed(request: web.Request) -> Request:
    body = await request.read()
    is_form = request.content_type == "application/x-www-form-urlencoded"
    return Request(
        request.method, {k.lower(): v for k, v in request.headers.items()},
        _pairs(request.raw_path.partition("?")[2]), _pairs(body.decode("utf-8", "replace")) if is_form else {},
        body,
    )  # fmt: skip


def _pairs(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=2000))


def _ordered(fault: Fault) -> ApiError:
    if fault.kind == "throttle":
        return throttled(fault.retry_after_ms, fault.code or "Throttling.User", fault.status or 400)
    return ApiError(fault.code or "InternalError", fault.status or 500, fault.message)


def _refused(world: World, asked: _Asked, row: Row, refusal: ApiError) -> web.Response:
    row.code = refusal.code
    link = re.sub(r"[^\w.]", "", refusal.code)
    product = registry.PRODUCTS.get(asked.version, "ecs").capitalize()
    denied: dict[str, Any] = {}
    if refusal.code in permission.DENIALS:
        denied = {"AccessDeniedDetail": permission.denial(world, asked.version, asked.action, row.request_id)}
    response = _respond(asked, row, refusal.status, "Error", {
        "RequestId": row.request_id, "HostId": asked.host, "Code": refusal.code,
        "Message": refusal.message, **denied,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={link}&product={product}&requestId={row.request_id}",
    })  # fmt: skip
    if refusal.retry_after_ms is not None:
        response.headers["x-acs-retry-after"] = str(refusal.retry_after_ms)
    if refusal.code in ("UnsupportedBySimulator", "InvalidAction.NotFound"):
        response.headers[HEADER] = asked.action
    return response


def _respond(asked: _Asked, row: Row, status: int, root: str, body: dict[str, Any]) -> web.Response:
    return web.Response(
        status=status, body=answers.write(asked.format, root, body), content_type=asked.format.value, charset="utf-8",
        headers={"x-acs-request-id": row.request_id},
    )  # fmt: skip
