"""A records of PrivateZone that name the private IP of an instance (docs/alibaba-facts.md 15)."""

import msgspec


class DnsRecord(msgspec.Struct, frozen=True):
    """One A record: its host `rr` within `zone`, its address, and for how many seconds clients may remember that."""

    record_id: str
    rr: str
    zone: str
    value: str
    ttl: int
    line: str = "default"
    weight: int = 1

    @property
    def name(self) -> str:
        """The domain name; `@` is the zone itself."""
        return self.zone if self.rr == "@" else f"{self.rr}.{self.zone}"
