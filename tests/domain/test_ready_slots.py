"""Slots: every moment is in exactly one, and a name says to whom and to which slot something belongs."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spottui.domain.dates import seconds_of
from spottui.domain.tokens import ready_name, slot_of, slot_start

INSTANCE_IDS = st.from_regex(r"i-[a-z0-9]{4,20}", fullmatch=True)
EVERY = st.sampled_from([seconds_of(every) or 0 for every in ("5m", "15m", "30m", "6h", "7h", "1d", "30d")])
MOMENTS = st.floats(1.6e9, 3.8e9).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(INSTANCE_IDS, EVERY, MOMENTS, st.integers(0, 20))
def test_a_moment_is_in_one_slot_and_its_name_says_which(
    instance_id: str, every_s: float, now: datetime, attempt: int
) -> None:
    slot = slot_start(instance_id, every_s, now)
    assert timedelta() <= now - slot < timedelta(seconds=every_s)
    assert slot_start(instance_id, every_s, slot) == slot
    assert slot_start(instance_id, every_s, slot + timedelta(seconds=every_s)) == slot + timedelta(seconds=every_s)
    name = ready_name(instance_id, slot, attempt)
    assert slot_of(name, instance_id) == slot
    assert slot_of(name, f"{instance_id}x") is None
    assert len(name) <= 128


@given(INSTANCE_IDS, st.text())
def test_a_name_from_outside_is_read_or_refused(instance_id: str, name: str) -> None:
    assert slot_of(name, instance_id) is None
    assert slot_of(f"spottui-ready-{instance_id}-99999999T9999", instance_id) is None


def test_the_slots_of_a_fleet_are_spread_over_the_time() -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    begins = [slot_start(f"i-bp{number:06}", 6 * 3600, now).timestamp() % (6 * 3600) for number in range(600)]
    of_each_hour = [sum(hour * 3600 <= one < (hour + 1) * 3600 for one in begins) for hour in range(6)]
    assert min(of_each_hour) > 70
