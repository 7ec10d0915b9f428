"""Input of the control side, read field by field; what is wrong is named, with what is allowed."""

from collections.abc import Mapping, Sequence
from typing import Any

from spottui.sim.errors import ControlError


class Given:
    """The fields of one JSON object. Call `end()` after reading: fields nobody read are refused."""

    def __init__(self, fields: object) -> None:
        if not isinstance(fields, Mapping):
            raise ControlError("body", "must be a JSON object", "object")
        self._fields: Mapping[str, Any] = fields
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str, default: str | None = None) -> str:
        """A string; mandatory without a default."""
        return str(self._typed(name, default, str, "string"))

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        """One of `allowed`."""
        value = self.text(name, default)
        if value not in allowed:
            raise ControlError(name, f"{value!r} is not one of the allowed values", list(allowed))
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A JSON boolean."""
        return bool(self._typed(name, default, bool, "true or false"))

    def number(self, name: str, default: float | None, low: float, high: float) -> float:
        """A number within bounds; mandatory without a default."""
        value = self._typed(name, default, (int, float), "number")
        if isinstance(value, bool) or not low <= value <= high:
            raise ControlError(name, "is out of bounds", f"{low}..{high}")
        return float(value)

    def texts(self, name: str) -> list[str]:
        """A list of strings with at least one; mandatory."""
        values = self._typed(name, None, list, "list of strings")
        if not values or not all(isinstance(v, str) for v in values):
            raise ControlError(name, "must be a list of at least one string", "list of strings")
        return list(values)

    def ports(self, name: str) -> tuple[int, ...]:
        """A list of TCP ports; empty when absent."""
        values = self._typed(name, [], list, "list of ports")
        if not all(isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65_536 for value in values):
            raise ControlError(name, "must be a list of ports", "1..65535")
        return tuple(values)

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        """A list of objects; empty when absent."""
        values = self._typed(name, [], list, "list of tables")
        if not all(isinstance(value, Mapping) for value in values):
            raise ControlError(name, "must be a list of tables", "list of tables")
        return list(values)

    def items(self, name: str) -> list[Any]:
        """A list of anything; empty when absent."""
        return list(self._typed(name, [], list, "list"))

    def table(self, name: str) -> Mapping[str, Any]:
        """An object; empty when absent."""
        found: Mapping[str, Any] = self._typed(name, {}, Mapping, "table")
        return found

    def mapping(self, name: str) -> dict[str, str]:
        """An object of scalars, given back as strings; empty when absent."""
        values = self._typed(name, {}, Mapping, "object of strings")
        return {str(key): str(value) for key, value in values.items()}

    def end(self) -> None:
        """Refuse fields that mean nothing here."""
        unknown = sorted(set(self._fields) - self._read)
        if unknown:
            raise ControlError(unknown[0], "is not a field of this call", sorted(self._read))

    def _typed(self, name: str, default: Any, kind: Any, allowed: str) -> Any:
        self._read.add(name)
        value = self._fields.get(name, default)
        if value is None:
            raise ControlError(name, "is missing", allowed)
        if not isinstance(value, kind):
            raise ControlError(name, f"must be a {allowed}", allowed)
        return value
