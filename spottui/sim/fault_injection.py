"""Answers that go wrong on order: what a fault does to one HTTP exchange."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from spottui.sim.faults import Fault
from spottui.sim.ledger import Row

_HOLD_S, _SLOW_S = 60.0, 1.0
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

Act = Callable[[], Awaitable[web.Response]]


async def exchange(
    request: web.Request, row: Row, fault: Fault | None, act: Act, refuse: Callable[[Fault], web.Response]
) -> web.Response:
    """The answer of `act`, or what `fault` makes of it; the row gets the status that went out."""
    if fault is None:
        response = await act()
    elif fault.kind in ("error", "throttle"):
        response = refuse(fault)
    elif fault.takes_effect:
        response = await _spoil(request, fault, await act())
    else:
        response = await _fail(request, fault)
    row.status = None if fault and fault.kind in ("timeout", "reset", "drop_reply") else response.status
    return response


def hang_up(request: web.Request, *, reset: bool = False) -> web.Response:
    """Close the connection of a request without an answer; `reset` makes the kernel say so rudely."""
    transport = request.transport
    if transport is not None:
        if reset:
            # Linger 0 makes the kernel send RST instead of FIN.
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response()


async def _spoil(request: web.Request, fault: Fault, response: web.Response) -> web.Response:
    if fault.kind == "slow":
        await asyncio.sleep(_SLOW_S if fault.delay_s is None else fault.delay_s)
        return response
    if fault.kind == "bad_json":
        text = response.text or ""
        return web.Response(text=text[: len(text) // 2], content_type=response.content_type)
    if fault.kind == "odd_answer":
        return web.Response(text=fault.body, content_type=response.content_type)
    return hang_up(request)


async def _fail(request: web.Request, fault: Fault) -> web.Response:
    if fault.kind == "html_502":
        return web.Response(status=502, text=_HTML, content_type="text/html")
    if fault.kind == "timeout":
        await asyncio.sleep(_HOLD_S if fault.delay_s is None else fault.delay_s)
    return hang_up(request, reset=fault.kind == "reset")
