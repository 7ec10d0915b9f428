"""Zones in short: `h` where one region is watched, `hz-h` where there are several."""

from spottui.domain.region_key import region_id

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
    of = region_id(region)
    letter = zone.removeprefix(f"{of}-")
    return f"{_CODES.get(of, of)}-{letter}" if several and letter else letter
