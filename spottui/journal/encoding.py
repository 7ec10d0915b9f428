"""Domain values as JSON text in the journal."""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from spottui.domain.arming_facts import Stopped
from spottui.domain.facts import Fact, Logged
from spottui.domain.interruption import Interruption
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.settings import LaunchTemplate
from spottui.journal import schema

T = TypeVar("T")

_FACT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Fact)
_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (Interruption, LaunchSpec, LaunchTemplate, Plan, Recovery, Stopped)
}
"""Made at import, when there is one thread (docs/sdk-traps.md)."""


def encode(value: object) -> str:
    """Return the JSON text of a frozen domain value."""
    return _ENCODER.encode(value).decode()


def decode(text: str, kind: type[T]) -> T:
    """Return the domain value of a JSON text; raises `msgspec.ValidationError` when it is not one."""
    value: T = _DECODERS[kind].decode(text)
    return value


def stamp(at: datetime) -> float:
    """Return a time as seconds of the epoch, UTC."""
    return at.timestamp()


def moment(seconds: float) -> datetime:
    """Return seconds of the epoch as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def tag(fact: Fact | type) -> str:
    """Return the tag by which a fact is stored."""
    kind = fact if isinstance(fact, type) else type(fact)
    return str(kind.__struct_config__.tag)  # type: ignore[attr-defined]


FACT_COLUMNS = (
    schema.fact.c.seq, schema.fact.c.at, schema.fact.c.data, schema.fact.c.region, schema.fact.c.instance_id,
    schema.fact.c.recovery_id,
)  # fmt: skip


def as_logged(row: Any) -> Logged:
    """Return the fact of one row of FACT_COLUMNS."""
    return Logged(row[0], moment(row[1]), _FACT.decode(row[2]), row[3], row[4], row[5])


def fact_row(logged: Logged) -> dict[str, object]:
    """Return the row of a fact."""
    return {
        "seq": logged.seq,
        "at": stamp(logged.at),
        "recovery_id": logged.recovery_id,
        "region": logged.region,
        "instance_id": logged.instance_id,
        "kind": tag(logged.fact),
        "data": encode(logged.fact),
    }
