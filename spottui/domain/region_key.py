"""The key by which every room names a region of one account: `cn-hangzhou`, or `cn-hangzhou@prod` of account `prod`.

Journal, watch, recovery and screen know regions by this key alone, so two accounts can have the same region, and a
journal without accounts is as it always was. Only what talks to the cloud needs the two parts.
"""

from typing import NewType

RegionKey = NewType("RegionKey", str)

DEFAULT_ACCOUNT = "default"
"""What the account of the regions that name none is called where there are others."""
_OF = "@"


def region_key(region_id: str, account: str = "") -> RegionKey:
    """Return the key of a region; `account` is the NAME of an `[account.NAME]`, empty for the default one."""
    return RegionKey(f"{region_id}{_OF}{account}" if account else region_id)


def region_id(key: str) -> str:
    """Return the region's id as the cloud knows it."""
    return key.partition(_OF)[0]


def account_of(key: str) -> str:
    """Return the NAME of the account, empty for the default one."""
    return key.partition(_OF)[2]


def shown_account(key: str) -> str:
    """Return the account as people read it, the default one by its name too."""
    return account_of(key) or DEFAULT_ACCOUNT


def fields_of(key: str) -> dict[str, str]:
    """Return the parts as programs read them, `{region, account}`; the default account is left out."""
    account = account_of(key)
    return {"region": region_id(key), **({"account": account} if account else {})}


_CODES = {
    "cn-hangzhou": "hz",
    "cn-shanghai": "sh",
    "cn-beijing": "bj",
    "cn-shenzhen": "sz",
    "cn-qingdao": "qd",
    "cn-zhangjiakou": "zj",
    "cn-chengdu": "cd",
    "cn-guangzhou": "gz",
    "cn-heyuan": "hy",
    "cn-hongkong": "hk",
}


def zone_in_short(zone: str, region: str, *, several: bool) -> str:
    """Return a zone's letter, with its region's code before it where `several` regions are watched."""
    letter = zone.removeprefix(f"{region_id(region)}-")
    return f"{region_in_short(region)}-{letter}" if several and letter else letter


def region_in_short(region: str) -> str:
    """Return a region's code such as `hz`, its id where it has none."""
    return _CODES.get(region_id(region), region_id(region))
