"""What a person or auto-mode has decided."""

from spottui.domain.recovery import Decision

_DECIDED = {Decision.CONFIRM: "confirmed", Decision.VETO: "vetoed", Decision.HOLD: "held"}


def decided(decision: Decision) -> str:
    """Return `confirmed`, `vetoed` or `held`; `decision withdrawn` for one that no longer stands."""
    return _DECIDED.get(decision, "decision withdrawn")
