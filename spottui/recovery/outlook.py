"""The forecast of a recovery as the journal keeps it."""

from dataclasses import replace
from datetime import datetime

from spottui.domain.forecast import Forecast, before_image
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.recovery.work import Work

IMAGE_MOVED_S = 10.0
"""What an image takes is told anew with each that ends: only this much is worth a write."""
FORECAST_MOVED_S = 2.0


def forecast_now(work: Work, recovery: Recovery, plan: Plan) -> Forecast:
    """Forecast an image that would be started now."""
    spec = plan.spec
    timing = work.journal.image_timings.timing(spec.main_category)
    return before_image(work.now(), recovery.deadline, spec.image_gib, timing)


def image_s(work: Work, spec: LaunchSpec) -> float:
    """Return what an image of an instance is expected to take, in seconds."""
    return work.journal.image_timings.timing(spec.main_category).estimate_s(spec.image_gib)


def with_image_s(recovery: Recovery, image_s: float) -> Recovery:
    """Show how long an image takes once somebody says yes: that moves with no clock."""
    old = recovery.image_s
    return recovery if old is not None and abs(image_s - old) < IMAGE_MOVED_S else replace(recovery, image_s=image_s)


def with_forecast(recovery: Recovery, forecast: Forecast, now: datetime) -> Recovery:
    """Show the forecast of an image that is being made, unless it moved too little."""
    old = recovery.forecast_at
    moved_s = 1e9 if old is None else abs((forecast.ready_at - old).total_seconds())
    if moved_s < FORECAST_MOVED_S and recovery.verdict is forecast.verdict:
        return recovery
    return replace(recovery, forecast_at=max(forecast.ready_at, now), verdict=forecast.verdict)
