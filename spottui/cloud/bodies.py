"""From a message body as it travelled to the JSON objects in it, through whatever it was wrapped in on its way.

CloudMonitor sends Base64 of JSON (docs/alibaba-facts.md 9.3). A queue that is subscribed to an MNS topic gets that body
inside of another one, in XML or JSON (help.aliyun.com/document_detail/27482.html), and a publisher may have encoded it
once more; EventBridge can send arrays. Nothing is trusted: depth, size and number are bounded, and XML has no DOCTYPE.
"""

import base64
import binascii
import codecs
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

LARGEST = 1_000_000
"""Characters or bytes: a queue message holds 64 KiB (docs/alibaba-facts.md 8.4), an event of a function 256 KiB."""
DEEPEST = 24
"""One wrapping is up to four levels: Base64, JSON, the object, what it holds."""
MOST = 1_000
_INSIDE = ("message", "messagebody", "body", "data", "payload", "event", "events", "records")
"""Where wrappers keep what they wrap, in lower case; `Message` is the topic's."""
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_AROUND = "\ufeff \t\r\n\0"


class NotUnderstood(Exception):
    """Why a body cannot be read, in words for the event feed."""


def documents(body: str | bytes, is_wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return the wanted objects of a body, at most 1,000 of them; raises `NotUnderstood` when there is none.

    What is inside of a wanted object is data and is not looked into.
    """
    if len(body) > LARGEST:
        raise NotUnderstood(f"a body of {len(body)} characters")
    return _Search(is_wanted).inside(body, 0)[:MOST]


def as_object(value: object, otherwise: str) -> dict[str, Any]:
    """Return an object that is given as one or as its JSON text; raises `NotUnderstood`."""
    if isinstance(value, str):
        value = _json(value, otherwise)
    if not isinstance(value, dict):
        raise NotUnderstood(f"a JSON {type(value).__name__} where an object is expected")
    return value


def text_of(raw: bytes) -> str:
    """Return bytes as a text: UTF-8, or what their first bytes say, or GBK; a broken character hides nothing else."""
    marked = next((encoding for bom, encoding in _BOMS if raw.startswith(bom)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding).strip(_AROUND)
        except UnicodeDecodeError:
            continue
    return raw.decode(marked or "utf-8", "replace").strip(_AROUND)


class _Search:
    """Takes off one wrapping after the other; the first reason that comes up is the outermost."""

    def __init__(self, is_wanted: Callable[[dict[str, Any]], bool]) -> None:
        self._is_wanted = is_wanted

    def inside(self, value: object, depth: int) -> list[dict[str, Any]]:
        if depth > DEEPEST:
            raise NotUnderstood(f"nested more than {DEEPEST} levels deep")
        match value:
            case bytes():
                return self._in_text(text_of(value), depth)
            case str():
                return self._in_text(value.strip(_AROUND), depth)
            case dict():
                return [value] if self._is_wanted(value) else self._in_wrapper(value, depth)
            case list():
                return self._in_any(value, depth, "an empty list")
        raise NotUnderstood(f"a JSON {type(value).__name__} where an object is expected")

    def _in_text(self, text: str, depth: int) -> list[dict[str, Any]]:
        if not text:
            raise NotUnderstood("the body is empty")
        if text[0] in '{["':
            return self.inside(_json(text, "a text that is not JSON"), depth + 1)
        if text[0] == "<":
            return self.inside(_message_of(text), depth + 1)
        return self.inside(_from_base64(text), depth + 1)

    def _in_wrapper(self, document: dict[str, Any], depth: int) -> list[dict[str, Any]]:
        held = [value for key, value in document.items() if key.lower() in _INSIDE]
        try:
            return self._in_any(held, depth, "JSON without a name, an alert or a specversion: no event of CloudMonitor")
        except NotUnderstood:
            # An event of EventBridge is one, whatever it tells of.
            if "specversion" in document:
                return [document]
            raise

    def _in_any(self, values: list[Any], depth: int, otherwise: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        reason = NotUnderstood(otherwise)
        for number, value in enumerate(values[:MOST]):
            try:
                found += self.inside(value, depth + 1)
            except NotUnderstood as why:
                reason = reason if number else why
        if not found:
            raise reason
        return found


def _json(text: str, otherwise: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotUnderstood(otherwise) from None


def _from_base64(text: str) -> bytes:
    """The plain alphabet or the one for URLs, in lines or not, with its padding or without."""
    packed = "".join(text.split()).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise NotUnderstood("neither Base64 nor JSON") from None


def _message_of(text: str) -> str:
    """Return the `Message` of a topic's `Notification`."""
    target = _Notification()
    parser = ET.XMLParser(target=target)
    try:
        parser.feed(text)
        parser.close()
    except (ET.ParseError, ValueError):
        # The documentation's own sample closes its last element by another name.
        pass
    if target.message is None:
        raise NotUnderstood("XML without a Message")
    return target.message


class _Notification:
    """Keeps the text of the first `Message` and forgets the rest; entities cannot be declared without a DOCTYPE."""

    message: str | None = None

    def __init__(self) -> None:
        self._parts: list[str] | None = None

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        if self.message is None and _local(tag) == "Message":
            self._parts = []

    def data(self, text: str) -> None:
        if self._parts is not None:
            self._parts.append(text)

    def end(self, tag: str) -> None:
        if self._parts is not None and _local(tag) == "Message":
            self.message, self._parts = "".join(self._parts), None

    def doctype(self, *_: object) -> None:
        raise NotUnderstood("XML with a DOCTYPE")

    def close(self) -> None:
        """Nothing is built."""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
