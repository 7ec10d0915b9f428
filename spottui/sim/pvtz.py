"""PrivateZone (pvtz 2018-01-01): zones and their records. Host names of records are found with Keyword.

Codes are those that clients know (`Zone.NotExists`, `Zone.Invalid.Id`, `Record.Invalid.Conflict`); that of a record
which is not there is documented nowhere and follows the one of zones.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from spottui.sim import services
from spottui.sim.clock import iso_minutes
from spottui.sim.control_request import Given
from spottui.sim.ecs import filters
from spottui.sim.errors import ApiError, invalid
from spottui.sim.model import DnsRecord, DnsZone
from spottui.sim.params import Params
from spottui.sim.registry import PVTZ, Body, Call, action
from spottui.sim.world import World

_TYPES = ("A", "AAAA", "CNAME", "TXT", "MX", "PTR", "SRV")
_TTLS = ("5", "30", "60", "3600", "43200", "86400")
_MOST_PER_PAGE, _PER_PAGE = 100, 20
_FIRST_RECORD = 100_000


@action(PVTZ)
def describe_zones(call: Call) -> Body:
    """Zones by a part of their name, or by the VPC they are bound to."""
    params, world = call.params, call.world
    params.accept("Lang", "UserClientIp")
    vpc, region = params.text("QueryVpcId"), params.text("QueryRegionId")
    bound = any(row.vpc_id == vpc for row in world.regions.values()) if vpc else True
    dns_zones = filters.keep(
        world.dns_zones.values(), _keyword(params, "LIKE", lambda row: row.name),
        None if bound and region in ("", *world.regions) else (lambda row: False),
        filters.fixed(params.text("ZoneType"), "AUTH_ZONE"), filters.fixed(params.text("ResourceGroupId"), ""),
        filters.fixed(next(iter(params.numbered("ZoneTag")), ""), ""),
        filters.fixed(next((group.get("Key", "") for group in params.groups("ResourceTag")), ""), ""),
    )  # fmt: skip
    return _page(call, dns_zones, lambda page: {"Zones": {"Zone": [_zone(row) for row in page]}})


@action(PVTZ)
def describe_zone_records(call: Call) -> Body:
    """Records of a zone, by host; Tag `ecs`, the records made by ECS itself, finds none."""
    call.params.accept("Lang", "UserClientIp")
    zone = _wanted_zone(call)
    dns_records = filters.keep(
        zone.records.values(), _keyword(call.params, "EXACT", lambda row: row.rr),
        (lambda row: False) if call.params.text("Tag") else None,
    )  # fmt: skip
    return _page(call, dns_records, lambda page: {"Records": {"Record": [_record(zone, row) for row in page]}})


@action(PVTZ)
def add_zone_record(call: Call) -> Body:
    """A new record; the same host, type and value twice is refused."""
    call.params.accept("Lang", "UserClientIp", "Line")
    zone = _wanted_zone(call)

    def add() -> tuple[Body, str]:
        new_id = _FIRST_RECORD + next(call.world.order)
        record = DnsRecord(new_id, "", "", "", 60, call.now, call.now, remark=call.params.text("Remark"))
        _fill(call, zone, record)
        zone.records[str(new_id)] = record
        return {"RecordId": new_id, "Success": True}, f"record {new_id}: {record.rr} {record.value}"

    return call.once("AddZoneRecord", add)


@action(PVTZ)
def update_zone_record(call: Call) -> Body:
    """Another host, type, value or TTL for a record."""
    call.params.accept("Lang", "UserClientIp", "Line")
    zone, record = _wanted_record(call)

    def update() -> tuple[Body, str]:
        _fill(call, zone, record)
        record.updated_at = zone.updated_at = call.now
        return {"RecordId": record.id}, f"record {record.id}: {record.rr} {record.value}"

    return call.once("UpdateZoneRecord", update, "changed")


@action(PVTZ)
def delete_zone_record(call: Call) -> Body:
    """Delete a record."""
    call.params.accept("Lang", "UserClientIp")
    zone, record = _wanted_record(call)
    del zone.records[str(record.id)]
    call.changed(f"record {record.id} deleted")
    return {"RecordId": record.id}


def declare(world: World, given: Given, now: float) -> dict[str, Any]:
    """A zone: `name`, `records` = [{rr, value or instance, type, ttl}], an instance standing for its private address.

    Raises:
        ControlError: a field is wrong.
    """
    name = given.text("name")
    rows = [Given(row) for row in given.tables("records")]
    given.end()
    records = [_declared(world, row, now) for row in rows]
    zone = DnsZone(world.ids.text(12), name, now, now, {str(record.id): record for record in records})
    world.dns_zones[zone.id] = zone
    return {"zone_id": zone.id, "record_ids": [record.id for record in records]}


def _declared(world: World, row: Given, now: float) -> DnsRecord:
    rr = row.text("rr")
    value = services.named(world, row.text("instance")).private_ip if "instance" in row else row.text("value")
    kind, ttl = row.choice("type", _TYPES, "A"), int(row.choice("ttl", _TTLS, "60"))
    row.end()
    return DnsRecord(_FIRST_RECORD + next(world.order), rr, kind, value, ttl, now, now)


def _fill(call: Call, zone: DnsZone, record: DnsRecord) -> None:
    params = call.params
    rr, kind, value = params.required("Rr"), params.required("Type"), params.required("Value")
    ttl = params.text("Ttl", str(record.ttl))
    if kind not in _TYPES or not _is_value(kind, value):
        raise ApiError("Record.Invalid.Value", 400, "The value of the record is invalid for its type.")
    if ttl not in _TTLS:
        raise invalid("Ttl", f"must be one of {', '.join(_TTLS)}")
    if any(
        (dns_record.rr, dns_record.type, dns_record.value) == (rr, kind, value) and dns_record is not record
        for dns_record in zone.records.values()
    ):
        raise ApiError("Record.Invalid.Conflict", 400, "The record conflicts with one that exists.")
    weight, priority = params.whole("Weight", record.weight, 1, 100), params.whole("Priority", record.priority, 1, 99)
    record.rr, record.type, record.value, record.ttl = rr, kind, value, int(ttl)
    record.weight, record.priority = weight, priority


def _is_value(kind: str, value: str) -> bool:
    if kind not in ("A", "AAAA"):
        return bool(value)
    try:
        return ip_address(value).version == (4 if kind == "A" else 6)
    except ValueError:
        return False


def _wanted_zone(call: Call) -> DnsZone:
    zone = call.world.dns_zones.get(call.params.required("ZoneId"))
    if zone is None:
        raise ApiError("Zone.NotExists", 400, "The zone does not exist.")
    return zone


def _wanted_record(call: Call) -> tuple[DnsZone, DnsRecord]:
    wanted = call.params.required("RecordId")
    for zone in call.world.dns_zones.values():
        if wanted in zone.records:
            return zone, zone.records[wanted]
    raise ApiError("Record.NotExists", 400, "The record does not exist.")


def _keyword(params: Params, default: str, of: Any) -> filters.Keep | None:
    wanted, mode = params.text("Keyword").lower(), params.text("SearchMode", default)
    if not wanted:
        return None
    return (lambda row: wanted == of(row).lower()) if mode == "EXACT" else (lambda row: wanted in of(row).lower())


def _page(call: Call, rows: Iterable[Any], wrap: Any) -> Body:
    number = call.params.whole("PageNumber", 1, 1, 10**6)
    size = call.params.whole("PageSize", _PER_PAGE, 1, _MOST_PER_PAGE)
    every = [] if call.blind else list(rows)
    return {
        "TotalItems": len(every), "TotalPages": -(-len(every) // size), "PageNumber": number, "PageSize": size,
        **wrap(every[(number - 1) * size : number * size]),
    }  # fmt: skip


def _zone(row: DnsZone) -> dict[str, Any]:
    return {
        "ZoneId": row.id, "ZoneName": row.name, "ZoneType": "AUTH_ZONE", "RecordCount": len(row.records), "Remark": "",
        "IsPtr": False, "ProxyPattern": "ZONE", "DnsGroup": "NORMAL_ZONE", "ResourceGroupId": "",
        "CreateTime": iso_minutes(row.created_at), "CreateTimestamp": int(row.created_at * 1000),
        "UpdateTime": iso_minutes(row.updated_at), "UpdateTimestamp": int(row.updated_at * 1000),
        "ResourceTags": {"ResourceTag": []},
    }  # fmt: skip


def _record(zone: DnsZone, row: DnsRecord) -> dict[str, Any]:
    return {
        "RecordId": row.id, "ZoneId": zone.id, "Rr": row.rr, "Type": row.type, "Value": row.value, "Ttl": row.ttl,
        "Priority": row.priority, "Weight": row.weight, "Status": row.status, "Remark": row.remark, "Line": "default",
        "CreateTime": iso_minutes(row.created_at), "CreateTimestamp": int(row.created_at * 1000),
        "UpdateTime": iso_minutes(row.updated_at), "UpdateTimestamp": int(row.updated_at * 1000),
    }  # fmt: skip
