"""Many incidents in numbers."""

from collections import Counter
from collections.abc import Iterable
from statistics import median

from spottui import words
from spottui.domain.history import Past
from spottui.domain.outcome import Outcome, nine_of_ten
from spottui.domain.recovery import RecoveryState
from spottui.domain.savings import Savings
from spottui.domain.text import plain
from spottui.tables.statistics import said_last

COLUMNS = (
    "id", "notice", "region", "zone", "instance_id", "name", "instance_type", "evidence", "state", "decided_by",
    "route", "verdict", "recovery_s", "in_time", "data_age_s", "old_per_hour", "new_per_hour", "added_per_hour",
    "kept_things", "kept_gib", "duplicates", "new_instance_id", "reason",
)  # fmt: skip


def incident_rows(pasts: Iterable[Past]) -> list[dict[str, object]]:
    """Return one row for each incident, with the COLUMNS; times in seconds, prices per hour, None where not known."""
    return [_row(past) for past in pasts]


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    """Return the numbers: how many, how they ended, and how long the recoveries took, in seconds."""
    times = sorted(float(str(row["recovery_s"])) for row in rows if row["recovery_s"] is not None)
    added = [float(str(row["added_per_hour"])) for row in rows if row["added_per_hour"] is not None]
    states = [row["state"] for row in rows]
    return {
        "incidents": len(rows),
        "confirmed_by_lock": sum("L" in str(row["evidence"]) for row in rows),
        **{state.value: states.count(state.value) for state in RecoveryState if state.is_final},
        "under_way": sum(not RecoveryState(str(state)).is_final for state in states),
        "recovered_before_deadline": sum(row["in_time"] is True for row in rows),
        "recovery_s_median": round(median(times), 1) if times else None,
        "recovery_s_p90": nine_of_ten(times),
        "recovery_s_max": round(times[-1], 1) if times else None,
        "verdicts": _verdicts(rows),
        "data_age_s_max": max(
            (float(str(row["data_age_s"])) for row in rows if row["data_age_s"] is not None), default=None
        ),
        "added_per_hour": round(sum(added), 6) if added else None,
        "added_per_hour_known_of": len(added),
        "kept_things": sum(int(str(row["kept_things"])) for row in rows),
        "kept_gib": sum(int(str(row["kept_gib"] or 0)) for row in rows),
        "duplicates_suppressed": sum(int(str(row["duplicates"])) for row in rows),
    }


def currency_of(found: Iterable[Past]) -> str:
    """Return the currency of their prices, the cloud's code, empty if unknown."""
    return next((past.outcome.currency for past in found if past.outcome.currency), "")


def savings_record(savings: Savings) -> dict[str, object]:
    """Return what spot saved in the priced instance hours; `saved` is in `currency`, None if none is priced."""
    total = savings.total
    return {
        "currency": savings.currency or None,
        "saved": None if savings.share is None else round(savings.saved, 6),
        "share": None if savings.share is None else round(savings.share, 4),
        "spot": round(total.spot, 6),
        "on_demand": round(total.on_demand, 6),
        "priced_hours": round(total.hours, 2),
        "unpriced_hours": round(savings.unpriced_h, 2),
    }


def _verdicts(rows: list[dict[str, object]]) -> dict[str, int]:
    """How many of each last verdict came to which end: `WILL MAKE IT, recovered`."""
    return dict(sorted(Counter(f"{row['verdict']}, {row['state']}" for row in rows if row["verdict"]).items()))


def _row(past: Past) -> dict[str, object]:
    interruption, recovery, outcome = past.interruption, past.recovery, past.outcome
    in_time = None if outcome.recovery_s is None or recovery.ended is None else recovery.ended <= interruption.deadline
    return {
        "id": interruption.id,
        "notice": interruption.first_seen.isoformat(timespec="seconds"),
        "region": interruption.region,
        "zone": past.zone,
        "instance_id": interruption.instance_id,
        "name": plain(recovery.name),
        "instance_type": past.instance_type,
        "evidence": interruption.marks,
        "state": recovery.state.value,
        "decided_by": plain(recovery.who),
        "route": recovery.route.value,
        "verdict": said_last(recovery) or None,
        "recovery_s": outcome.recovery_s,
        "in_time": in_time,
        "data_age_s": outcome.data_age_s,
        "old_per_hour": outcome.old_per_hour,
        "new_per_hour": outcome.new_per_hour,
        "added_per_hour": outcome.added_per_hour,
        "kept_things": len(outcome.kept),
        "kept_gib": _gib(outcome),
        "duplicates": interruption.duplicates,
        "new_instance_id": recovery.new_instance_id,
        "reason": plain(words.reason(recovery.reason, recovery.region), 500),
    }


def _gib(outcome: Outcome) -> int | None:
    """Return the GiB in all, None if any size is unknown."""
    sizes = [kept.gib for kept in outcome.kept]
    return None if None in sizes else sum(size for size in sizes if size is not None)
