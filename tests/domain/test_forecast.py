"""The forecast is right long before the deadline, whatever the past has taught."""

from datetime import UTC, datetime, timedelta

import pytest

from spottui.domain.forecast import ImageTiming, Verdict, while_imaging

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEADLINE = NOON + timedelta(seconds=300)


@pytest.mark.parametrize("past", [ImageTiming(5, 0.1), ImageTiming(20, 1.5), ImageTiming(100, 20)])
@pytest.mark.parametrize(
    ("takes_s", "verdict"),
    [(120, Verdict.WILL_MAKE_IT), (200, Verdict.WILL_MAKE_IT), (290, Verdict.TIGHT), (400, Verdict.WILL_NOT)],
)
def test_the_verdict_is_right_from_200_seconds_before_the_deadline(
    takes_s: int, verdict: Verdict, past: ImageTiming
) -> None:
    said = {
        second: while_imaging(
            NOON + timedelta(seconds=second), NOON, 100 * second // takes_s, DEADLINE, 40, past
        ).verdict
        for second in range(100, min(takes_s, 300))
    }
    assert set(said.values()) == {verdict}, said


def test_a_progress_that_stands_still_is_not_forecast_as_ready_now() -> None:
    stuck = while_imaging(NOON + timedelta(seconds=270), NOON, 0, DEADLINE, 40, ImageTiming(5, 0.1))
    assert stuck.verdict is Verdict.WILL_NOT
