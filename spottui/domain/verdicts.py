"""What is to be expected of a recovery at a moment: from its route and what is known of it, with nothing written."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from spottui.domain.forecast import Forecast, Verdict
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery, RecoveryState

_IMAGE_THERE = frozenset(
    (RecoveryState.LAUNCHING, RecoveryState.STARTING, RecoveryState.REBINDING, RecoveryState.VERIFYING)
)

_SAID = {Verdict.IMAGE_READY: "image ready", Verdict.DATA_KEPT: "data kept"}


def verdict_of(recovery: Recovery, now: datetime) -> Verdict | None:
    """Return what holds of a recovery now, None while nothing is known; of one that ended, its last forecast.

    One that only an engineer asked for has no deadline to make.
    """
    if recovery.interruption.is_manual:
        return None
    if recovery.state.is_final:
        return recovery.verdict
    traits = recovery.route.traits
    if not traits.launches:
        return Verdict.DATA_KEPT
    image = _of_image(recovery, now)
    return Verdict.NO_ROOM if recovery.no_room and image is not Verdict.WILL_NOT else image


def verdict_text(recovery: Recovery, now: datetime) -> str:
    """Return the verdict where there is room for all of it: `NO ROOM · image WILL MAKE IT`."""
    verdict = verdict_of(recovery, now)
    image = _of_image(recovery, now) if verdict is Verdict.NO_ROOM else None
    return f"{verdict or ''} · {_SAID.get(image, f'image {image}')}" if image else str(verdict or "")


def as_planned(recovery: Recovery, plan: Plan) -> Recovery:
    """Return a recovery that waits for a yes as it would go by this plan; once it goes, it is as it stands."""
    if not recovery.state.waits_for_permission:
        return recovery
    return replace(recovery, route=plan.route, no_room=plan.has_no_room)


def image_expected(recovery: Recovery, now: datetime) -> datetime | None:
    """Return when the image is expected, None where none is; one that waits for a yes would be begun now."""
    if recovery.is_imaging and recovery.forecast_at:
        return max(recovery.forecast_at, now)
    if recovery.image_s is None or recovery.awaits_release or recovery.route.traits.serves_at_once:
        return None
    begins = now if recovery.veto_until is None else max(recovery.veto_until, now)
    return max((recovery.imaging_since or begins) + timedelta(seconds=recovery.image_s), now)


def _of_image(recovery: Recovery, now: datetime) -> Verdict | None:
    waits = recovery.state.waits_for_permission
    traits = recovery.route.traits
    if traits.waits_for_release:
        return Verdict.DATA_KEPT if recovery.made("kept disk") or not waits else Verdict.WILL_NOT
    if traits.serves_at_once or recovery.state in _IMAGE_THERE:
        return Verdict.IMAGE_READY
    expected = image_expected(recovery, now)
    if expected:
        verdict = Forecast(expected, recovery.deadline).verdict
    elif waits and recovery.verdict:
        # A journal of an earlier version holds no more than this.
        verdict = recovery.verdict
    else:
        return None
    is_refused = recovery.trouble and recovery.imaging_since is None
    if verdict is not Verdict.WILL_NOT and (is_refused or recovery.unseen_since):
        return Verdict.NOT_KNOWN
    return verdict
