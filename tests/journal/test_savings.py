"""Which runs and prices of the journal count as savings."""

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from spottui.domain.facts import PricesSeen
from spottui.domain.instance import InstanceStatus
from spottui.domain.savings import PlacePrice
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.journal.savings import savings_since
from tests.journal.given import NOON, REGION, observe, plan_of, set_plan, sign

SINCE = NOON - timedelta(hours=10)


def captured(instance_id: str, **changes: object) -> Captured:
    """An instance that began with the period and was seen for two hours."""
    spec = plan_of(instance_id=instance_id).spec
    spec = replace(spec, instance=replace(spec.instance, created=SINCE, **changes))
    return Captured(spec, None, SINCE + timedelta(hours=2))


def test_spot_instances_count_until_they_were_seen_last_and_reclaimed_ones_until_their_deadline(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        seen = [
            captured("i-1"),
            captured("i-stopped", status=InstanceStatus.STOPPED),
            captured("i-on-demand", spot_strategy="NoSpot"),
        ]
        journal.fleet.put(REGION, seen)
        journal.fleet.put(f"{REGION}@prod", [captured("i-prod", region=f"{REGION}@prod")])
        (gone,) = observe(journal, sign("i-gone"))
        plan = plan_of(instance_id="i-gone")
        began = replace(plan.spec.instance, created=SINCE)
        price = PlacePrice(began.instance_type, began.zone, 0.1, 0.4)
        priced = replace(plan, spec=replace(plan.spec, instance=began), prices=(price,), currency="CNY")
        set_plan(journal, gone, priced)
        journal.run(lambda transaction: transaction.log(PricesSeen((price,), "CNY"), SINCE + timedelta(hours=1)))
        told = savings_since(journal, SINCE, NOON)
        assert (told.currency, round(told.total.hours, 6), round(told.unpriced_h, 6)) == ("CNY", 1 + 1 + 9, 3)
        assert round(told.saved, 6) == round(0.3 * 11, 6)
        assert round(savings_since(journal, SINCE, NOON, "prod").total.hours, 6) == 1
        assert round(savings_since(journal, SINCE, NOON, "default").total.hours, 6) == 10
