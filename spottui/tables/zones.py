"""Zones in short: `h` where one region is watched, `hz-h` where there are several."""

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
    letter = zone.removeprefix(f"{region}-")
    return f"{_CODES.get(region, region)}-{letter}" if several and letter else letter
