"""Extracts the JSON objects of a message body from all wrappers and encodings that may surround them.

CloudMonitor sends Base64 of JSON (docs/alibaba-facts.md 9.3). A queue that is subscribed to an MNS topic gets that body
inside of another one, in XML or JSON (help.aliyun.com/document_detail/27482.html), and a publisher may have encoded it
once more; EventBridge can send arrays. Nothing is trusted: depth, size and number are bounded, and XML has no DOCTYPE.
"""

import base64
import binascii
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

LARGEST = 1_000_000
"""Characters or bytes: a queue message holds 64 KiB (docs/alibaba-facts.md 8.4), an event of a function 256 KiB."""
DEEPEST = 24
"""One wrapper is up to four levels: Base64, JSON, the object, its content."""
MOST = 1_000
_INSIDE = frozenset(
    ("message", "messages", "msg", "messagebody", "body", "content", "data", "detail", "payload", "event", "events",
     "records")
)  # fmt: skip
"""Keys, in lower case, under which wrappers usually keep their content: errors there are the reported reason."""
_NO_EVENT = "JSON without a name, an alert or a specversion: no event of CloudMonitor"
_AROUND = "\ufeff \t\r\n\0"


class NotUnderstood(Exception):
    """Why a body cannot be read, in words for the event feed."""


def documents(
    body: str | bytes, is_wanted: Callable[[dict[str, Any]], bool], *, everywhere: bool
) -> list[dict[str, Any]]:
    """Return the wanted objects of a body, at most 1,000 of them; raises `NotUnderstood` when there is none.

    Unwanted objects are searched where wrappers usually keep their content, or `everywhere` except in names, which
    anybody may give an instance. The inside of a wanted object is data and is not searched.
    """
    if len(body) > LARGEST:
        raise NotUnderstood(f"a body of {len(body)} characters")
    return _Search(is_wanted, everywhere).inside(body, 0)[:MOST]


def as_object(value: object, otherwise: str) -> dict[str, Any]:
    """Return an object that is given as one or as its JSON text; raises `NotUnderstood`."""
    if isinstance(value, str):
        value = _json(value, otherwise)
    if not isinstance(value, dict):
        raise NotUnderstood(f"a JSON {type(value).__name__} where an object is expected")
    return value


def text_of(raw: bytes) -> str:
    """Return bytes as a text: UTF-16 or 32 where the first bytes show it, else UTF-8, else GBK.

    A broken character does not hide the rest.
    """
    shown = json.detect_encoding(raw)
    for encoding in ("utf-8", "gb18030") if shown == "utf-8" else (shown,):
        try:
            return raw.decode(encoding).strip(_AROUND)
        except UnicodeDecodeError:
            continue
    return raw.decode(shown, "replace").strip(_AROUND)


class _Search:
    """Unwraps one layer after the other; the first reason found is that of the outermost layer."""

    def __init__(self, is_wanted: Callable[[dict[str, Any]], bool], everywhere: bool) -> None:
        self._is_wanted = is_wanted
        self._everywhere = everywhere

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
        usual = [value for key, value in document.items() if key.lower() in _INSIDE]
        others = [value for key, value in document.items() if self._may_wrap(key.lower())]
        try:
            return self._in_any(usual + others, depth, _NO_EVENT)
        except NotUnderstood as reason:
            raise (reason if usual else NotUnderstood(_NO_EVENT)) from None

    def _may_wrap(self, key: str) -> bool:
        return self._everywhere and key not in _INSIDE and not key.endswith("name")

    def _in_any(self, values: list[Any], depth: int, otherwise: str) -> list[dict[str, Any]]:
        documents: list[dict[str, Any]] = []
        reason = NotUnderstood(otherwise)
        for number, value in enumerate(values[:MOST]):
            try:
                documents += self.inside(value, depth + 1)
            except NotUnderstood as why:
                reason = reason if number else why
        if not documents:
            raise reason
        return documents


def _json(text: str, otherwise: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    return _one_after_another(text, otherwise)


def _one_after_another(text: str, otherwise: str) -> list[Any]:
    """Return concatenated JSON values, one per line for example, as a batch of events may be written."""
    found: list[Any] = []
    while text and len(found) < MOST:
        try:
            value, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            raise NotUnderstood(otherwise) from None
        found.append(value)
        text = text[end:].lstrip(_AROUND)
    return found


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
        """Return nothing: no tree is built."""


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
