"""PrivateZone (pvtz 2018-01-01): zones, and A records that name a private IP (docs/alibaba-facts.md 15)."""

from pathlib import Path
from typing import Any

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.ecs import Answer
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.rpc import PVTZ, Rpc
from spottui.domain.instance import DnsRecord

ZONES, RECORDS, UPDATE = "DescribeZones", "DescribeZoneRecords", "UpdateZoneRecord"
PAGE = 100
NO_RECORD = "0"
"""An id that no record has."""


class PrivateZone:
    """The calls of one account for the VPCs of one region; thread-safe. Every method raises `CloudError`."""

    def __init__(
        self, region: str, ecs_endpoint: str, credentials: CredentialSource, ca_file: Path | None = None
    ) -> None:
        self._region = region
        self._rpc = Rpc(PVTZ, region, _endpoint(ecs_endpoint), credentials, ca_file)

    def zone_id(self, zone: str, vpc_id: str = "") -> str:
        """Return the id of a zone that is named by its name or by its id.

        Of several zones of one name it is the one that the VPC resolves: private IPs of other VPCs may be the same.
        """
        named = {"Keyword": zone, "SearchMode": "EXACT"}
        zones = [row for row in self._rpc.pages(ZONES, named, "Zones", "Zone", PAGE) if row.get("ZoneName") == zone]
        if len(zones) > 1:
            bound = {**named, "QueryVpcId": vpc_id, "QueryRegionId": self._region}
            zones = [row for row in self._rpc.pages(ZONES, bound, "Zones", "Zone", PAGE) if row.get("ZoneName") == zone]
        if zones:
            return str(zones[0]["ZoneId"])
        if any(row.get("ZoneId") == zone for row in self._rpc.pages(ZONES, {}, "Zones", "Zone", PAGE)):
            return zone
        raise CloudError(ZONES, ErrorKind.NOT_FOUND, message=f"there is no zone {zone}")

    def records(self, zone: str, vpc_id: str) -> tuple[DnsRecord, ...]:
        """Return all A records of a zone."""
        records = self._rpc.pages(RECORDS, {"ZoneId": self.zone_id(zone, vpc_id)}, "Records", "Record", PAGE)
        return tuple(_record(zone, row) for row in records if row.get("Type") == "A")

    def check_permission(self, zone: str) -> None:
        """Raise `CloudError` if the records of a zone may not be read or changed; changes nothing."""
        any(self.records(zone, ""))
        try:
            self.update(DnsRecord(NO_RECORD, "spottui-doctor", zone, "", 60), "127.0.0.1", "spottui-doctor")
        except CloudError as error:
            if error.kind in (ErrorKind.DENIED, ErrorKind.CREDENTIALS) or error.kind.passes:
                raise

    def update(self, record: DnsRecord, address: str, token: str) -> Answer:
        """Set the address of a record; its other fields stay."""
        query = {
            "RecordId": record.record_id,
            "Rr": record.rr,
            "Type": "A",
            "Value": address,
            "Ttl": record.ttl,
            "Line": record.line,
            "Weight": record.weight,
            "ClientToken": token,
        }
        return Answer(record.record_id, str(self._rpc.call(UPDATE, query).get("RequestId", "")))


def _record(zone: str, row: dict[str, Any]) -> DnsRecord:
    try:
        record_id, rr, value = (str(row[key]) for key in ("RecordId", "Rr", "Value"))
        line, weight = str(row.get("Line") or "default"), int(row.get("Weight") or 1)
        return DnsRecord(record_id, rr, zone, value, int(row["Ttl"]), line, weight)
    except (KeyError, TypeError, ValueError) as error:
        raise CloudError(RECORDS, ErrorKind.BROKEN, message=f"a field of an unknown shape ({error})") from None


def _endpoint(ecs_endpoint: str) -> str:
    """Return the one endpoint of all regions, public or inside a VPC, or the configured one."""
    if ecs_endpoint and "aliyuncs.com" not in ecs_endpoint:
        return ecs_endpoint
    return "pvtz.vpc-proxy.aliyuncs.com" if "-vpc" in ecs_endpoint else "pvtz.aliyuncs.com"
