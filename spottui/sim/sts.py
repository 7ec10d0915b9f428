"""STS (version 2015-04-01): whose the credentials are, which everybody may ask."""

from spottui.sim.registry import STS, Body, Call, action


@action(STS)
def get_caller_identity(call: Call) -> Body:
    """The RAM user `spottui` of the account."""
    account = call.world.account_id
    user = f"2{account[1:]}"
    return {
        "AccountId": account, "Arn": f"acs:ram::{account}:user/spottui", "IdentityType": "RAMUser",
        "PrincipalId": user, "UserId": user,
    }  # fmt: skip
