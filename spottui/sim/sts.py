"""STS (version 2015-04-01): whose the credentials are, and temporary ones of a role."""

import re

from spottui.sim.clock import iso_seconds
from spottui.sim.errors import ApiError
from spottui.sim.model import SecurityToken
from spottui.sim.registry import STS, Body, Call, action
from spottui.sim.world import World

_ROLE = re.compile(r"acs:ram::(\d+):role/([\w.-]+)", re.IGNORECASE)


@action(STS)
def get_caller_identity(call: Call) -> Body:
    """The RAM user `spottui` of the account, or the role that a temporary key stands for."""
    account = call.world.account_id
    user = f"2{account[1:]}"
    temporary = call.world.security_tokens.get(call.access_key_id)
    if temporary and temporary.arn:
        return {
            "AccountId": account, "Arn": temporary.arn, "IdentityType": "AssumedRoleUser",
            "PrincipalId": f"3{account[1:]}:{temporary.arn.rpartition('/')[2]}", "RoleId": f"3{account[1:]}",
        }  # fmt: skip
    return {
        "AccountId": account, "Arn": f"acs:ram::{account}:user/spottui", "IdentityType": "RAMUser",
        "PrincipalId": user, "UserId": user,
    }  # fmt: skip


@action(STS)
def assume_role(call: Call) -> Body:
    """A temporary AccessKey of a role, good for 15 minutes to 12 hours."""
    params = call.params
    params.accept("Policy", "SourceIdentity")
    arn, session = params.required("RoleArn"), params.required("RoleSessionName")
    role = _ROLE.fullmatch(arn)
    if role is None:
        raise ApiError("InvalidParameter.RoleArn", 400, "The parameter RoleArn is wrongly formed.")
    if not re.fullmatch(r"[\w.@-]{2,64}", session):
        raise ApiError("InvalidParameter.RoleSessionName", 400, "The parameter RoleSessionName is wrongly formed.")
    is_known = not call.world.others or role[1] in (call.world.account_id, *call.world.others)
    if role[2] in call.world.settings.gone or not is_known:
        raise ApiError("EntityNotExist.Role", 404, f"The role not exists: {arn}.")
    external_id = call.world.settings.external_ids.get(role[2])
    if external_id is not None and params.text("ExternalId") != external_id:
        said = "You are not authorized to do this action. You should be authorized by RAM."
        raise ApiError("NoPermission", 403, said)
    params.accept("ExternalId")
    duration_s = params.whole("DurationSeconds", 3600, 900, 43_200)
    key, token = temporary_key(
        call.world, call.now + duration_s, f"acs:ram::{role[1]}:assumed-role/{role[2]}/{session}"
    )
    call.created(key)
    return {
        "AssumedRoleUser": {
            "Arn": f"acs:ram::{role[1]}:role/{role[2]}/{session}", "AssumedRoleId": f"3{role[1][1:]}:{session}"
        },
        "Credentials": {
            "AccessKeyId": key, "AccessKeySecret": token.secret, "SecurityToken": token.token,
            "Expiration": iso_seconds(token.expires_at),
        },
    }  # fmt: skip


def temporary_key(world: World, expires_at: float, arn: str) -> tuple[str, SecurityToken]:
    """A new temporary AccessKey, known to the account from now on."""
    key = f"STS.{world.ids.secret(24)}"
    token = SecurityToken(world.ids.secret(40), f"CAIS{world.ids.secret(120)}", expires_at, arn)
    world.security_tokens[key] = token
    return key, token
