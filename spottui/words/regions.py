"""A region, and the account that it is watched in."""

from spottui.domain.region_key import account_of, region_id


def region(key: str) -> str:
    """Return `cn-hangzhou`, or `cn-hangzhou (account prod)` where the configuration names the account."""
    account = account_of(key)
    return f"{region_id(key)} (account {account})" if account else key
