"""Places that refused a launch rest for everybody, for a while."""

from datetime import timedelta
from pathlib import Path

from spottui.journal import Journal
from tests.journal.given import NOON, REGION

PLACE = ("ecs.c7.large", "cn-hangzhou-h", False)


def test_a_place_rests_until_its_time_in_its_region_whoever_asks(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        journal.cool_downs.rest(REGION, PLACE, NOON, "older")
        journal.cool_downs.rest(REGION, PLACE, NOON + timedelta(minutes=5), "OperationDenied.NoStock")
    with Journal(tmp_path / "journal.db", read_only=True) as again:
        resting = again.cool_downs.resting
        assert resting(REGION, NOON) == {PLACE: "OperationDenied.NoStock"}
        assert resting("cn-beijing", NOON) == {}
        assert resting(REGION, NOON + timedelta(minutes=5)) == {}
