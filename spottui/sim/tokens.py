"""The ClientToken table: same token and parameters, same answer; other parameters, a refusal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spottui.sim.errors import ApiError
from spottui.sim.settings import Settings

# CreateImage and RunInstances name the same mistake differently (error tables of the two APIs).
_MISMATCH = {"CreateImage": "IdempotenceParamNotMatch"}
# Those of ALB and NLB are named with their product (error table of AddServersToServerGroup).
_MISMATCH_OF_PRODUCT = {"alb": "IdempotenceSignatureMismatch", "nlb": "IdempotenceSignatureMismatch"}
_NOT_PART = {"ClientToken", "DryRun"}
# Signature parameters of the legacy RPC form differ in every request by their nature.
SIGNING_PARAMETERS = {"Action", "Format", "Version", "Timestamp", "SignatureNonce", "SignatureMethod"} | {
    "SignatureVersion", "AccessKeyId", "SecurityToken", "Signature"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one token came to at `at`; `fingerprint` is the sorted parameters it was used with."""

    at: float
    fingerprint: list[tuple[str, str]]
    result: dict[str, Any] | None
    refusal: tuple[str, int, str] | None
    what: str


class Tokens:
    """What was asked and answered under each (action, region, token)."""

    def __init__(self) -> None:
        self._outcomes: dict[tuple[str, str, str], Outcome] = {}

    def once(
        self,
        key: tuple[str, str, str],
        params: Mapping[str, str],
        act: Callable[[], tuple[dict[str, Any], str]],
        now: float,
        knobs: Settings,
    ) -> tuple[dict[str, Any], str, bool]:
        """Answer and effect of `act`, run at most once per key, and whether it had run before.

        Raises:
            ApiError: the refusal of `act`, the remembered one, the mismatch of parameters, or 403
                LastTokenProcessing while the first use counts as being in process.
        """
        fingerprint = sorted((k, v) for k, v in params.items() if k not in _NOT_PART | SIGNING_PARAMETERS)
        outcome = self._outcomes.get(key)
        if outcome and (knobs.token_life_s is None or now - outcome.at < knobs.token_life_s):
            if now - outcome.at < knobs.token_in_process_s:
                raise ApiError("LastTokenProcessing", 403, "The last token request is processing.")
            return _replay(outcome, fingerprint, key[0])
        try:
            result, what = act()
        except ApiError as refusal:
            if refusal.remembered:
                self._outcomes[key] = Outcome(now, fingerprint, None, remembered(refusal), "")
            raise
        self._outcomes[key] = Outcome(now, fingerprint, result, None, what)
        return result, what, False

    def save(self) -> list[tuple[tuple[str, str, str], Outcome]]:
        """The table."""
        return list(self._outcomes.items())

    def load(self, saved: list[tuple[tuple[str, str, str], Outcome]]) -> None:
        """Take over a saved table."""
        self._outcomes = dict(saved)


def remembered(refusal: ApiError) -> tuple[str, int, str]:
    """A refusal as it is remembered."""
    return refusal.code, refusal.status, refusal.message


def _replay(outcome: Outcome, fingerprint: list[tuple[str, str]], action: str) -> tuple[dict[str, Any], str, bool]:
    if outcome.fingerprint != fingerprint:
        raise ApiError(
            _MISMATCH.get(action) or _MISMATCH_OF_PRODUCT.get(action.partition(" ")[0], "IdempotentParameterMismatch"),
            400,
            "The request uses the same client token as a previous, but non-identical request.",
        )  # fmt: skip
    if outcome.refusal is not None:
        raise ApiError(*outcome.refusal, remembered=True)
    return outcome.result or {}, outcome.what, True
