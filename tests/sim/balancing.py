"""A fleet behind load balancers whose addresses are real sockets, the vendor's clients of it, and a visitor."""

import json
import os
import urllib.error
import urllib.request
from typing import Any

from alibabacloud_tea_openapi.models import Config

from spottui.sim.testing import SimServer

REGION = "cn-hangzhou"
PORT, BACKEND_PORT = 18_080, 18_081
# Simulated clouds of tests that run at the same time must not listen on each other's addresses.
_NET = f"127.{1 + os.getpid() // 256 % 250}.{os.getpid() % 256}"
ADDRESSES = {"clb": f"{_NET}.201", "alb": f"{_NET}.202", "nlb": f"{_NET}.203"}
_STRAIGHT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fleet(**more: Any) -> dict[str, Any]:
    """Three web servers in two zones and one that serves nothing, behind a CLB, an ALB and an NLB."""
    servers = ["web-1", {"instance": "web-2", "weight": 50, "description": "half"}]
    return {
        "region": [{
            "id": REGION, "security_group": "sg-web",
            "vswitch": [
                {"zone": "cn-hangzhou-h", "cidr": f"{_NET}.0/26"}, {"zone": "cn-hangzhou-i", "cidr": f"{_NET}.64/26"},
            ],
        }],
        "instance": [
            {"name": "web", "type": "ecs.g7.large", "zone": "cn-hangzhou-h", "count": 3, "ports": [BACKEND_PORT],
             "disks": [{"size": 40}, {"size": 200}]},
            {"name": "idle", "type": "ecs.g7.xlarge", "zone": "cn-hangzhou-i"},
        ],
        "load_balancer": [
            {"name": "front", "product": product, "address": ADDRESSES[product], "port": PORT,
             "backend_port": BACKEND_PORT, "servers": servers}
            for product in ADDRESSES
        ],
        **more,
    }  # fmt: skip


def client_of(module: Any, cloud: SimServer) -> Any:
    """The client of one of the vendor's packages, unmodified."""
    at = cloud.endpoint
    config = Config(
        access_key_id=at.access_key_id, access_key_secret=at.access_key_secret, region_id=REGION,
        endpoint=at.url.partition("://")[2], protocol="HTTP",
    )  # fmt: skip
    return module.client.Client(config)


def named(cloud: SimServer, name: str) -> dict[str, Any]:
    """The youngest instance of that name."""
    return [row for row in cloud.state()["instances"] if row["InstanceName"] == name][-1]


def balancer(cloud: SimServer, product: str) -> dict[str, Any]:
    """The load balancer of a product."""
    return next(row for row in cloud.state()["load_balancers"] if row["Product"] == product)


def servers(cloud: SimServer, group_id: str) -> dict[str, dict[str, Any]]:
    """The entries of a group by the id of their server."""
    group = next(row for row in cloud.state()["server_groups"] if row["ServerGroupId"] == group_id)
    return {row["ServerId"]: row for row in group["Servers"]}


def visit(address: str, port: int = PORT, key: str = "name") -> str:
    """The name of the instance that answered, or another of its facts, or how it went wrong."""
    try:
        with _STRAIGHT.open(f"http://{address}:{port}/", timeout=5) as answer:
            return str(json.load(answer)[key])
    except urllib.error.HTTPError as refusal:
        return str(refusal.code)
    except OSError as problem:
        return type(getattr(problem, "reason", problem)).__name__
