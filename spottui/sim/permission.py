"""What RAM lets the caller do: by action, or by action and resource."""

import base64
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase

from spottui.sim import registry
from spottui.sim.errors import ApiError
from spottui.sim.params import Params
from spottui.sim.world import World

DENIALS = ("Forbidden.RAM", "NoPermission", "Forbidden.NoPermission")
"""Codes whose answers say in detail what is missing."""
_OF_PRODUCT = {registry.ALB: "Forbidden.NoPermission", registry.NLB: "Forbidden.NoPermission"}


def is_blind(world: World, version: str, action: str, params: Params) -> bool:
    """Whether the caller sees only empty lists.

    Raises:
        ApiError: 403 Forbidden.RAM, of ALB and NLB Forbidden.NoPermission, for what may not be done, and for a DryRun
            of what is blind.
    """
    found = _permission(world, action, params)
    if found == "forbidden" or (found == "empty" and params.flag("DryRun")):
        raise ApiError(
            _OF_PRODUCT.get(version, "Forbidden.RAM"), 403,
            "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
        )  # fmt: skip
    return found == "empty"


def denial(world: World, version: str, action: str, request_id: str) -> dict[str, str]:
    """The `AccessDeniedDetail` of a refusal, with the message that only RAM can decode."""
    product = registry.PRODUCTS.get(version, "ecs")
    inside = json.dumps({"RequestId": request_id, "AuthAction": f"{product}:{action}"})
    return {
        "PolicyType": "AccountLevelIdentityBasedPolicy", "AuthPrincipalOwnerId": world.account_id,
        "AuthPrincipalType": "SubUser", "AuthPrincipalDisplayName": "spottui", "NoPermissionType": "ImplicitDeny",
        "AuthAction": f"{product}:{action}",
        "EncodedDiagnosticMessage": base64.b64encode(b"\x01\x01\x00\x00\x00\x00" + inside.encode()).decode(),
    }  # fmt: skip


def _permission(world: World, action: str, params: Params) -> str:
    known = world.settings.permissions
    for pattern, allowed in known.items():
        named, _, resource = pattern.partition("@")
        if resource and fnmatchcase(action, named) and any(fnmatchcase(used, resource) for used in _resources(params)):
            return allowed
    return known.get(action, "allow")


def _resources(params: Params) -> Iterator[str]:
    """Ids of a call, wherever in its parameters: a JSON list of them counts one by one."""
    for value in params.values():
        yield from (part.strip(" \"'") for part in value.strip("[]").split(","))
