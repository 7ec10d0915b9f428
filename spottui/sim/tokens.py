"""The ClientToken table: same token and parameters, same answer; other parameters, a refusal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spottui.sim.errors import ApiError

# CreateImage and RunInstances name the same mistake differently (error tables of the two APIs).
_MISMATCH = {"CreateImage": "IdempotenceParamNotMatch"}
_NOT_PART = {"ClientToken", "DryRun"}
# Signature parameters of the legacy RPC form differ in every request by their nature.
SIGNING_PARAMETERS = {"Action", "Format", "Version", "Timestamp", "SignatureNonce", "SignatureMethod"} | {
    "SignatureVersion", "AccessKeyId", "SecurityToken", "Signature"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Outcome:
    fingerprint: frozenset[tuple[str, str]]
    result: dict[str, Any] | None
    refusal: ApiError | None
    what: str


class Tokens:
    """What was asked and answered under each (action, region, token)."""

    def __init__(self) -> None:
        self._outcomes: dict[tuple[str, str, str], _Outcome] = {}

    def once(
        self,
        key: tuple[str, str, str],
        params: Mapping[str, str],
        act: Callable[[], tuple[dict[str, Any], str]],
    ) -> tuple[dict[str, Any], str]:
        """Answer and effect of `act`, run at most once per key.

        Raises:
            ApiError: the refusal of `act`, the remembered one, or the mismatch of parameters.
        """
        fingerprint = frozenset((k, v) for k, v in params.items() if k not in _NOT_PART | SIGNING_PARAMETERS)
        if known := self._outcomes.get(key):
            return self._replay(known, fingerprint, key[0])
        try:
            result, what = act()
        except ApiError as refusal:
            if refusal.remembered:
                self._outcomes[key] = _Outcome(fingerprint, None, refusal, "")
            raise
        self._outcomes[key] = _Outcome(fingerprint, result, None, what)
        return result, f"created {what}"

    def _replay(
        self, known: _Outcome, fingerprint: frozenset[tuple[str, str]], action: str
    ) -> tuple[dict[str, Any], str]:
        if known.fingerprint != fingerprint:
            raise ApiError(
                _MISMATCH.get(action, "IdempotentParameterMismatch"), 400,
                "The request uses the same client token as a previous, but non-identical request.",
            )  # fmt: skip
        if known.refusal is not None:
            raise known.refusal
        assert known.result is not None
        return known.result, f"replayed {known.what}"
