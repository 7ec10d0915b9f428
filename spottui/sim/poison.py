"""Message bodies that break careless readers, by name."""

import base64

_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><b>&j;</b>"
)

BODIES = {
    "not_base64": "hello, not Base64!",
    "not_utf8": base64.b64encode(b"\xff\xfe\x00\xd8 not UTF-8").decode(),
    "empty_base64": "====",
    "not_json": base64.b64encode(b"plain text").decode(),
    "number": "7",
    "list": "[1, 2]",
    "wrong_types": '{"name": 7, "content": [], "regionId": {}}',
    "deep": "[" * 20_000,
    "nested_xml": "<Message><MessageBody>inner</MessageBody></Message>",
    "entity_bomb": _BOMB,
    "full_64_kib": "x" * 65_536,
    "terminal": '{"name": "\\u001b]0;owned\\u0007[red]x[/red]", "content": {"instanceId": "$(reboot)"}}',
}
"""Poison by kind. `nested_xml` is dangerous when it is sent `verbatim`, unescaped in the answer's XML."""
