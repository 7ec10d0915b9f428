"""Checks of `doctor` about load balancers, network interfaces and DNS of instances; changes nothing."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from spottui.cli.check import Check, note, of_account, ok, wrong
from spottui.cli.permissions import CLB, INTERFACES, SERVER_GROUPS, Permission, missing_permission
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.domain.balancers import Product
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.settings import Settings

if TYPE_CHECKING:
    from spottui.cloud.region_tools import RegionTools
    from spottui.cloud.rpc import Rpc

_ACTIONS = {Product.CLB: CLB, Product.ALB: SERVER_GROUPS, Product.NLB: SERVER_GROUPS}
_BALANCERS, _IDENTITY = "spottui setup --policy balancers", "spottui setup --policy identity"


def zone_check(settings: Settings, tools: "RegionTools") -> Check:
    """Check that the zone of `policy.private_zone` exists for the account of a region, and may be changed."""
    zone, subject = settings.policy.private_zone, of_account(settings, "private zone", tools.settings.account)
    try:
        tools.private_zone.zone_id(zone)
        tools.private_zone.check_permission(zone)
    except CloudError as error:
        if error.kind is ErrorKind.DENIED:
            return wrong(subject, error.line, _IDENTITY)
        if error.kind is ErrorKind.NOT_FOUND:
            return wrong(subject, f"there is no zone {zone}", "set policy.private_zone to the name or id of a zone")
        return wrong(subject, error.line, error.advice or "try again")
    return ok(subject, f"{zone} exists, and its records may be changed")


def balancers_check(tools: "RegionTools", product: Product) -> Check:
    """Probe the calls of a load balancer product if the region has any.

    A team may omit permissions that it does not use: a refused listing is only a note.
    """
    subject, rpc, actions = f"{product} {tools.settings.key}", tools.balancers[product], _ACTIONS[product]
    try:
        body = rpc.call(actions[0].action, actions[0].probe or {})
    except CloudError as error:
        said = f"{error.line}; instances behind {product} keep their traffic until they are released"
        return note(subject, said, _BALANCERS if error.kind is ErrorKind.DENIED else error.advice)
    if not body.get("TotalCount"):
        return ok(subject, "none in this region")
    return _granted(subject, rpc, actions, _BALANCERS)


def interfaces_check(tools: "RegionTools", spot: Iterable[LaunchSpec]) -> Check:
    """Probe the calls of interfaces where a spot instance has more than one, or more than one private IP."""
    subject = f"interfaces {tools.settings.key}"
    if any(spec.interfaces or spec.secondary_ips for spec in spot):
        return _granted(subject, tools.any_ecs, INTERFACES, _IDENTITY)
    return ok(subject, "no spot instance has secondary interfaces or private IPs")


def _granted(subject: str, rpc: "Rpc", permissions: Sequence[Permission], fix: str) -> Check:
    """Try every action; denied ones are named, the first with the cloud's message."""
    errors = [error for permission in permissions if (error := missing_permission(rpc, permission))]
    denied = [error for error in errors if error.kind is ErrorKind.DENIED]
    if denied:
        return wrong(subject, "; ".join((denied[0].line, *(f"{error.action} too" for error in denied[1:]))), fix)
    if errors:
        return note(subject, f"unknown: {errors[0].line}")
    return ok(subject, f"all {len(permissions)} actions granted")
