"""Instance metadata, which the real cloud serves at 100.100.100.200 to the instance itself.

Which instance asks is told here by the header `X-Sim-Instance`, by `?instance=`, or by a path prefix
`/_sim/metadata/<instance id>/latest/...`, which lets a client be given a base address of its own.
"""

import secrets

from aiohttp import web

from spottui.sim.clock import iso_seconds
from spottui.sim.cloud import Cloud
from spottui.sim.model import Instance

_TOKEN, _TTL = "X-aliyun-ecs-metadata-token", "X-aliyun-ecs-metadata-token-ttl-seconds"


class Metadata:
    """The metadata service and the tokens it gave out."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._tokens: set[str] = set()

    async def token(self, request: web.Request) -> web.Response:
        """`PUT /latest/api/token`: a token for the hardened mode."""
        ttl = request.headers.get(_TTL, "")
        if not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            return web.Response(status=400)
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return web.Response(text=token)

    async def read(self, request: web.Request) -> web.Response:
        """`GET /latest/meta-data/...`: plain text, 404 for what is not there."""
        self._cloud.world.settle()
        instance = self._cloud.world.instances.get(_asking(request))
        if instance is None:
            return web.Response(status=404)
        given = request.headers.get(_TOKEN)
        if (given is None and instance.http_tokens == "required") or (given and given not in self._tokens):
            return web.Response(status=403)
        value = _values(instance).get(request.match_info["item"].strip("/"))
        return web.Response(status=404) if value is None else web.Response(text=value)


def _asking(request: web.Request) -> str:
    named = request.match_info.get("instance_id") or request.query.get("instance", "")
    return named or request.headers.get("X-Sim-Instance", "")


def _values(row: Instance) -> dict[str, str]:
    values = {
        "instance-id": row.id, "region-id": row.region, "zone-id": row.zone, "image-id": row.image_id,
        "private-ipv4": row.private_ip, "hostname": row.host_name, "instance/instance-type": row.type,
        "instance/instance-name": row.name, "mac": row.mac,
    }  # fmt: skip
    if row.release_at is not None:
        values["instance/spot/termination-time"] = iso_seconds(row.release_at)
    return values
