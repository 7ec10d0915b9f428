"""Places that refused a launch rest for everybody, for a while."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from spottui.journal import Journal

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACE = ("ecs.c7.large", "cn-hangzhou-h", False)


def test_a_place_rests_until_its_time_in_its_region_whoever_asks(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.cool_downs.rest("cn-hangzhou", PLACE, NOON, "older")
    journal.cool_downs.rest("cn-hangzhou", PLACE, NOON + timedelta(minutes=5), "OperationDenied.NoStock")
    journal.close()
    again = Journal(journal.database.path).cool_downs
    assert again.resting("cn-hangzhou", NOON) == {PLACE: "OperationDenied.NoStock"}
    assert again.resting("cn-beijing", NOON) == {}
    assert again.resting("cn-hangzhou", NOON + timedelta(minutes=5)) == {}
