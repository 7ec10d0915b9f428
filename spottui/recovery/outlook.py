"""The forecast of a recovery as the journal keeps it."""

from dataclasses import replace
from datetime import datetime

from spottui.domain.forecast import Forecast, before_image
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.recovery.work import Work


def forecast_now(work: Work, recovery: Recovery, plan: Plan | None) -> Forecast:
    """Forecast an image that would be started now."""
    gib, category = (plan.spec.image_gib, plan.spec.main_category) if plan else (0, "")
    return before_image(work.now(), recovery.deadline, gib, work.journal.image_timings.timing(category))


def with_forecast(recovery: Recovery, forecast: Forecast, now: datetime, worth_s: float = 2.0) -> Recovery:
    """Show a forecast; one that moved by less than `worth_s` seconds is not worth a write."""
    old = recovery.forecast_at
    moved_s = 1e9 if old is None else abs((forecast.ready_at - old).total_seconds())
    if moved_s < worth_s and recovery.verdict is forecast.verdict:
        return recovery
    return replace(recovery, forecast_at=max(forecast.ready_at, now), verdict=forecast.verdict)
