"""Bodies of answers of the RPC APIs, as JSON or as the XML that is their documented default."""

from collections.abc import Mapping
from enum import Enum
from typing import Any
from xml.sax.saxutils import escape

import msgspec


class Format(Enum):
    """What an answer is written in."""

    JSON = "application/json"
    XML = "text/xml"


def format_of(query: Mapping[str, str], headers: Mapping[str, str]) -> Format:
    """`Format` as asked for, in any case; without one JSON for a V3 signature and XML for the older form."""
    asked = query.get("Format", "").upper()
    if asked in Format.__members__:
        return Format[asked]
    if headers.get("authorization", "").startswith("ACS3-"):
        return Format.XML if "xml" in headers.get("accept", "") else Format.JSON
    return Format.XML


def write(written_in: Format, root: str, body: Mapping[str, Any]) -> bytes:
    """A body in UTF-8; `root` names the document element of XML."""
    if written_in is Format.JSON:
        return msgspec.json.encode(body)
    return f"<?xml version='1.0' encoding='UTF-8'?><{root}>{_elements(body)}</{root}>".encode()


def _elements(body: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in body.items())


def _element(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(_element(name, part) for part in value)
    return f"<{name}>{_elements(value) if isinstance(value, Mapping) else _text(value)}</{name}>"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # XML has no place for the other control characters, not even escaped.
    return "".join(c for c in escape(str(value)) if c >= " " or c in "\t\n\r")
