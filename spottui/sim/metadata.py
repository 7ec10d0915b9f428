"""Instance metadata, which the real cloud serves at 100.100.100.200 to the instance itself.

Which instance asks is told here by the header `X-Sim-Instance`, by `?instance=`, by a path prefix
`/_sim/metadata/<instance id>/latest/...`, which lets a client be given a base address of its own, or else by the
setting `metadata_of`. A client that knows no address but 100.100.100.200 gets here with this port as its HTTP proxy.
"""

import base64
import binascii
import json
import secrets

from aiohttp import web

from spottui.sim.clock import iso_seconds
from spottui.sim.cloud import Cloud
from spottui.sim.model import Instance
from spottui.sim.sts import temporary_key
from spottui.sim.world import World

_TOKEN, _TTL = "X-aliyun-ecs-metadata-token", "X-aliyun-ecs-metadata-token-ttl-seconds"
_LONGEST_TTL_S = 21_600
_ROLES = "ram/security-credentials/"
_DATA = "meta-data/"
_FRESH_SHARE = 12
"""A key of a role is given out until a twelfth of its life is left, as half an hour is of six."""


class Metadata:
    """The metadata service and the tokens it gave out."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._tokens: dict[str, float] = {}

    async def token(self, request: web.Request) -> web.Response:
        """`PUT /latest/api/token`: a token for the hardened mode."""
        ttl = request.headers.get(_TTL, "")
        if not ttl.isdigit() or not 1 <= int(ttl) <= _LONGEST_TTL_S:
            return web.Response(status=400)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = self._cloud.world.settle() + int(ttl)
        return web.Response(text=token)

    async def read(self, request: web.Request) -> web.Response:
        """`GET /latest/...`: plain text; a directory lists what is in it, 404 for what is not there."""
        world = self._cloud.world
        now = world.settle()
        instance = world.instances.get(_asking(request, world))
        if instance is None:
            return web.Response(status=404)
        given = request.headers.get(_TOKEN)
        if given is None and instance.http_tokens == "required":
            return web.Response(status=403)
        if given is not None and now >= self._tokens.get(given, 0.0):
            return web.Response(status=403)
        text = _find(world, instance, request.match_info["item"], now)
        return web.Response(status=404) if text is None else web.Response(text=text)


def _asking(request: web.Request, world: World) -> str:
    named = request.match_info.get("instance_id") or request.query.get("instance", "")
    return named or request.headers.get("X-Sim-Instance", "") or world.settings.metadata_of


def _find(world: World, row: Instance, item: str, now: float) -> str | None:
    if item.strip("/") == f"{_DATA}{_ROLES}{row.ram_role}" and row.ram_role:
        return _credentials(world, row, now)
    leaves = _leaves(world, row)
    if item.rstrip("/") in leaves:
        return leaves[item.rstrip("/")]
    inside = [path[len(item.rstrip("/")) + 1 :] for path in leaves if path.startswith(f"{item.rstrip('/')}/")]
    if item.rstrip("/") == "":
        inside = list(leaves)
    return "\n".join(dict.fromkeys(_entry(path) for path in inside)) or None


def _entry(path: str) -> str:
    head, slash, _ = path.partition("/")
    return head + slash


def _leaves(world: World, row: Instance) -> dict[str, str]:
    data = {**_identity(world, row), **_network(world, row)}
    if row.ram_role:
        data[f"{_ROLES}{row.ram_role}"] = ""
    if row.release_at is not None:
        data["instance/spot/termination-time"] = iso_seconds(row.release_at)
    leaves = {f"{_DATA}{name}": value for name, value in data.items()}
    leaves["dynamic/instance-identity/document"] = _document(world, row)
    if row.user_data:
        leaves["user-data"] = _plain(row.user_data)
    return leaves


def _identity(world: World, row: Instance) -> dict[str, str]:
    return {
        "instance-id": row.id, "region-id": row.region, "zone-id": row.zone, "image-id": row.image_id,
        "hostname": row.host_name, "serial-number": row.serial, "owner-account-id": world.account_id,
        "instance/instance-type": row.type, "instance/instance-name": row.name,
        "instance/max-netbw-egress": str(row.bandwidth_out * 1024), "instance/virtualization-solution": "ECS Virt",
        "ntp-conf/ntp-servers": "ntp1.aliyun.com", "dns-conf/nameservers": "100.100.2.136\n100.100.2.138",
        **({f"tags/instance/{key}": value for key, value in row.tags.items() if "/" not in key}),
    }  # fmt: skip


def _network(world: World, row: Instance) -> dict[str, str]:
    vswitch = world.vswitches[row.vswitch_id]
    eip = world.eips.get(row.eip_id)
    of_interface = {
        "network-interface-id": row.eni_id, "primary-ip-address": row.private_ip, "vpc-id": vswitch.vpc_id,
        "vswitch-id": vswitch.id, "vswitch-cidr-block": vswitch.cidr, "vpc-cidr-block": "172.16.0.0/16",
        "private-ipv4s": json.dumps([row.private_ip, *row.more_private_ips]),
    }  # fmt: skip
    public = {"eipv4": eip.address if eip else row.public_ip} if eip or row.public_ip else {}
    return {
        "private-ipv4": row.private_ip, "mac": row.mac, "network-type": "vpc", "vpc-id": vswitch.vpc_id,
        "vpc-cidr-block": "172.16.0.0/16", "vswitch-id": vswitch.id, "vswitch-cidr-block": vswitch.cidr,
        **public,
        **{f"network/interfaces/macs/{row.mac}/{name}": value for name, value in of_interface.items()},
    }  # fmt: skip


def _credentials(world: World, row: Instance, now: float) -> str:
    """The current key of the instance's role; a new one well before the last one ends."""
    life_s = world.settings.role_key_s
    key = world.role_keys.get(row.id, "")
    token = world.security_tokens.get(key)
    if token is None or token.expires_at - now <= life_s / _FRESH_SHARE:
        arn = f"acs:ram::{world.account_id}:assumed-role/{row.ram_role}/{row.id}"
        key, token = temporary_key(world, now + life_s, arn)
        world.role_keys[row.id] = key
    return json.dumps({
        "AccessKeyId": key, "AccessKeySecret": token.secret, "Expiration": iso_seconds(token.expires_at),
        "SecurityToken": token.token, "LastUpdated": iso_seconds(token.expires_at - life_s), "Code": "Success",
    })  # fmt: skip


def _document(world: World, row: Instance) -> str:
    return json.dumps({
        "zone-id": row.zone, "serial-number": row.serial, "instance-id": row.id, "region-id": row.region,
        "private-ipv4": row.private_ip, "owner-account-id": world.account_id, "mac": row.mac, "image-id": row.image_id,
        "instance-type": row.type,
    })  # fmt: skip


def _plain(user_data: str) -> str:
    try:
        return base64.b64decode(user_data).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
