"""The lists of an answer, each in an object of its own: `{"Zones": {"Zone": [{…}]}}`."""

from typing import Any

from spottui.cloud.errors import CloudError, ErrorKind


def rows(action: str, body: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    """Return a list that every answer has; one without it raises `CloudError`, for it is not an empty one."""
    if body.get(outer) is None:
        raise _unknown_shape(action, outer, inner)
    return rows_if_any(action, body, outer, inner)


def rows_if_any(action: str, item: dict[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    """Return a list that may be left out where it is empty; raises `CloudError` when it is no list of objects."""
    box = item.get(outer)
    if box is None:
        return []
    found = box.get(inner) if isinstance(box, dict) else None
    if isinstance(found, list) and all(isinstance(row, dict) for row in found):
        return found
    raise _unknown_shape(action, outer, inner)


def _unknown_shape(action: str, outer: str, inner: str) -> CloudError:
    return CloudError(action, ErrorKind.BROKEN, message=f"an answer without {outer}.{inner}")
