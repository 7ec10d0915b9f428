"""The parameters of an RPC call, as the SDK flattens them: `Tag.1.Key`, `DiskIds.1`, `True`."""

import json
import re
from collections.abc import Iterator, Mapping

from spottui.sim.errors import ApiError, invalid, missing
from spottui.sim.model import Tags

_MOST_IN_LIST = 100
_MAX_TAGS = 20
_WITHOUT_EFFECT = {
    "OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount", "RegionId", "SourceRegionId", "ClientToken",
    "DryRun", "PageNumber", "PageSize", "MaxResults", "NextToken", "AcceptLanguage", "SecurityToken",
}  # fmt: skip
"""What any call may carry: it decides nothing, or what it decides is decided for all actions in one place."""
_RESERVED_TAG = re.compile(r"^(aliyun|acs:)", re.IGNORECASE)


class Params(Mapping[str, str]):
    """Flat parameters with typed access; every accessor raises ApiError for what is not acceptable.

    What no accessor was asked for is `unread`: a parameter this cloud does not know the meaning of.
    """

    def __init__(self, flat: Mapping[str, str]) -> None:
        self._flat = dict(flat)
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        return self._flat[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._flat)

    def __len__(self) -> int:
        return len(self._flat)

    def unread(self) -> list[str]:
        """The parameters that decided nothing, in alphabetical order."""
        return sorted(name for name in self._flat if name not in self._read | _WITHOUT_EFFECT and self._flat[name])

    def accept(self, *names: str) -> None:
        """Parameters that are understood and change nothing here; a name stands for its numbered ones too."""
        self._read |= {name for name in self._flat if name.split(".")[0] in names or name in names}

    def text(self, name: str, default: str = "") -> str:
        """The value, or `default` when absent or empty."""
        self._read.add(name)
        return self._flat.get(name) or default

    def required(self, name: str) -> str:
        """The value; 400 MissingParameter without one."""
        value = self.text(name)
        if not value:
            raise missing(name)
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """`true`/`True`/`false`/…: the SDK writes Python's spelling."""
        text = self.text(name).lower()
        if text not in ("", "true", "false"):
            raise invalid(name)
        return text == "true" if text else default

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds, else 400 InvalidParameter."""
        text = self.text(name)
        if not text:
            return default
        if not re.fullmatch(r"-?\d{1,15}", text) or not low <= int(text) <= high:
            raise invalid(name, f"must be between {low} and {high}")
        return int(text)

    def number(self, name: str, default: float) -> float:
        """A decimal number."""
        text = self.text(name)
        if text and not re.fullmatch(r"\d+(\.\d+)?", text):
            raise invalid(name)
        return float(text) if text else default

    def choice(self, name: str, allowed: tuple[str, ...], refusal: ApiError, default: str = "") -> str:
        """One of `allowed`, else `refusal`."""
        value = self.text(name, default)
        if value and value not in allowed:
            raise refusal
        return value

    def numbered(self, name: str) -> list[str]:
        """`DiskIds.1`, `DiskIds.2`, … in order."""
        found = [(int(m[1]), self._flat[m[0]]) for m in self._matches(rf"{re.escape(name)}\.(\d{{1,4}})")]
        return [value for _, value in sorted(found)]

    def groups(self, name: str) -> list[dict[str, str]]:
        """`DataDisk.1.Size`, `DataDisk.1.Category`, `DataDisk.2.Size`: one dict per number, in order."""
        found: dict[int, dict[str, str]] = {}
        for m in self._matches(rf"{re.escape(name)}\.(\d{{1,4}})\.(.+)"):
            found.setdefault(int(m[1]), {})[m[2]] = self._flat[m[0]]
        return [found[n] for n in sorted(found)]

    def tags(self, name: str = "Tag") -> Tags:
        """`Tag.N.Key` and `Tag.N.Value`, checked by the rules for tags."""
        pairs = [(g.get("Key", g.get("key", "")), g.get("Value", g.get("value", ""))) for g in self.groups(name)]
        if len(pairs) > _MAX_TAGS:
            raise ApiError("InvalidTagCount", 400, "The specified tags are beyond the permitted range.")
        if any(not key or _RESERVED_TAG.match(key) or len(key) > 128 for key, _ in pairs):
            raise ApiError("InvalidTagKey.Malformed", 400, "The specified Tag.n.Key is not valid.")
        if len({key for key, _ in pairs}) < len(pairs):
            raise ApiError("Duplicate.TagKey", 400, "The Tag.N.Key contain duplicate key.")
        return dict(pairs)

    def json_list(self, name: str) -> list[str] | None:
        """A JSON array in a string, in either kind of quotes; None when absent, `[]` when it is an empty array.

        Alibaba's own MCP server tells its users to write `['i-a']`.
        """
        text = self.text(name)
        if not text:
            return None
        values = _json(text)
        if values is None:
            values = _json(text.replace("'", '"'))
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise ApiError(f"Invalid{name}.Malformed", 400, f"The specified {name} is not a JSON array of strings.")
        if len(values) > _MOST_IN_LIST:
            raise ApiError(f"Invalid{name}.Malformed", 400, f"The amount of {name} exceeds {_MOST_IN_LIST}.")
        return values

    def _matches(self, pattern: str) -> Iterator[re.Match[str]]:
        compiled = re.compile(pattern)
        matches = [m for name in self._flat if (m := compiled.fullmatch(name))]
        self._read |= {m[0] for m in matches}
        return iter(matches)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
