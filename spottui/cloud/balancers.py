"""Load balancers of one region and the backend servers of their groups (docs/alibaba-facts.md 14)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from spottui.cloud.batches import Answers
from spottui.cloud.clb import Clb
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import Answer
from spottui.cloud.rpc import ALB, CLB, NLB, Rpc, service_endpoint
from spottui.cloud.server_groups import ServerGroups
from spottui.domain.balancers import Backend, BackendStatus, Change, Product, Server

_SHARED_CLB = frozenset(
    (
        "cn-qingdao", "cn-beijing", "cn-hangzhou", "cn-shanghai", "cn-shenzhen", "cn-hongkong", "ap-southeast-1",
        "us-east-1", "us-west-1", "cn-shanghai-finance-1", "cn-shenzhen-finance-1", "cn-north-2-gov-1",
        "cn-hangzhou-finance",
    )
)  # fmt: skip


class Balancing(Protocol):
    """The calls of one product; thread-safe, nothing is retried. Every method raises `CloudError`."""

    def backends(self, servers: Sequence[Server]) -> Answers[tuple[Backend, ...]]:
        """Return the entries of each instance, with their weights; takes at most `MOST_SERVERS` of the product."""
        ...

    def group(self, backend: Backend, *, with_health: bool) -> tuple[BackendStatus, ...]:
        """Return all present entries of an entry's group; without `with_health` none of them counts as healthy."""
        ...

    def change(self, change: Change, backends: Sequence[Backend], token: str) -> Answer:
        """Add entries of one group with their weights, set their weights, or remove them; at most `MOST` of them.

        CLB has no ClientToken: look first. ALB and NLB answer before the change has taken effect: until then the
        entries are not `settled`, and the group takes no other change.
        """
        ...


MOST_SERVERS = {Product.CLB: 100, Product.ALB: 13, Product.NLB: 13}
"""Instances of one look-up: `ServerIds` takes 40 ids, and an instance has up to three (docs/alibaba-facts.md 14)."""
MOST = 20
"""Entries per call that every product accepts: the limit of CLB (docs/alibaba-facts.md 14)."""
Balancers = Mapping[Product, Balancing]


def balancers(region: str, ecs_endpoint: str, credentials: CredentialSource, ca_file: Path | None) -> Balancers:
    """Return the clients of a region's three products, each with its own endpoint."""
    rpcs = balancer_rpcs(region, ecs_endpoint, credentials, ca_file)
    return {
        Product.CLB: Clb(rpcs[Product.CLB]),
        Product.ALB: ServerGroups(Product.ALB, rpcs[Product.ALB]),
        Product.NLB: ServerGroups(Product.NLB, rpcs[Product.NLB]),
    }


def balancer_rpcs(
    region: str, ecs_endpoint: str, credentials: CredentialSource, ca_file: Path | None
) -> Mapping[Product, Rpc]:
    """Return the API of each product of a region, at its own endpoint."""
    apis = {
        Product.CLB: (CLB, clb_endpoint(region, ecs_endpoint)),
        Product.ALB: (ALB, service_endpoint("alb", region, ecs_endpoint)),
        Product.NLB: (NLB, service_endpoint("nlb", region, ecs_endpoint)),
    }
    return {
        product: Rpc(version, region, endpoint, credentials, ca_file) for product, (version, endpoint) in apis.items()
    }


def clb_endpoint(region: str, ecs_endpoint: str) -> str:
    """Return the endpoint of the CLB API: the oldest regions share a public one (`alibabacloud-slb20140515`)."""
    own = service_endpoint("slb", region, ecs_endpoint)
    return "slb.aliyuncs.com" if own.startswith("slb.") and region in _SHARED_CLB else own
