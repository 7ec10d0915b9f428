"""Removes secrets from a text before it is shown, logged or stored.

All parameters of an ECS call travel in its URL, so the text of an SDK exception can hold passwords and user data
(docs/sdk-traps.md 5). Query strings are removed entirely; elsewhere, values whose names look like secrets are masked.
"""

import re

_QUERY = re.compile(r"\?[^\s'\"<>)]*=[^\s'\"<>)]*")
_NAMED = re.compile(
    r"(?i)\b(password|userdata|accesskeyid|accesskeysecret|access_key_id|access_key_secret|secret|signature"
    r"|x-acs-security-token|(?:\w*[_-])?(?:security|access|refresh|sts|id)[_-]?token|private_?key|authorization"
    r"|credential)(['\"]?\s*[=:]\s*)(['\"]?)(?:(?:Bearer|MNS|acs)\s+)?[^\s&,'\"}]+"
)
_KEY_ID = re.compile(r"\b(LTAI|STS\.)[A-Za-z0-9.]{8,}")
_LIMIT = 300


def redact(text: str) -> str:
    """Return a text of at most 300 characters on one line, without query strings, secrets and key ids."""
    text = _QUERY.sub("?…", text)
    text = _NAMED.sub(r"\1\2\3***", text)
    text = _KEY_ID.sub("***", text)
    text = " ".join(text.split())
    return text if len(text) <= _LIMIT else text[: _LIMIT - 1] + "…"
