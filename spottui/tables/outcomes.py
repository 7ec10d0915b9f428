"""What a recovery came to in one line: how long it took, from where to where, the price, the age of its data."""

from datetime import datetime

from spottui.domain.outcome import Outcome, outcome
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery
from spottui.domain.region_key import region_id
from spottui.domain.text import plain
from spottui.tables.instances import short_id
from spottui.tables.moments import age, utc_clock
from spottui.tables.prices import difference


def outcome_line(recovery: Recovery, plan: Plan | None) -> str:
    """Return `1m52s g7.large h→j +¥0.04/h data 03:30:45 i-bp1…q12` of a recovery that has its replacement.

    What is unknown is left out. The time after `data` is UTC: nothing written later is on the replacement.
    """
    made = outcome(recovery, plan)
    cost = difference(made.new_per_hour, made.old_per_hour, plan.currency) if plan else ""
    took = age(made.recovery_s) if made.recovery_s is not None else ""
    parts = (took, _places(recovery, plan), cost, _data(recovery, made), short_id(plain(recovery.new_instance_id, 64)))
    return " ".join(part for part in parts if part)


def _places(recovery: Recovery, plan: Plan | None) -> str:
    """Return type and zone, each as `old→new` where they differ; empty for an instance that was started again."""
    launched = next((attempt.place for attempt in reversed(recovery.tries) if attempt.failure is None), None)
    if launched is None or recovery.new_instance_id == recovery.instance_id:
        return ""
    kind, zone, on_demand = launched
    old = plan.spec.instance if plan else None
    kinds = _moved(old.instance_type if old else kind, kind, "ecs.")
    zones = _moved(old.zone if old else zone, zone, f"{region_id(recovery.region)}-")
    return plain(f"{kinds} {zones}{' on-demand' if on_demand else ''}")


def _moved(old: str, new: str, prefix: str) -> str:
    names = dict.fromkeys((old.removeprefix(prefix), new.removeprefix(prefix)))
    return "→".join(names)


def _data(recovery: Recovery, made: Outcome) -> str:
    if recovery.route.traits.keeps_all_data:
        return "all data"
    return f"data {_clock(made.data_as_of, recovery.started)}" if made.data_as_of else ""


def _clock(moment: datetime, today: datetime) -> str:
    return utc_clock(moment) if moment.date() == today.date() else f"{moment:%m-%d %H:%M}"
