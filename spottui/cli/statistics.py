"""Many incidents in numbers."""

from collections.abc import Iterable
from statistics import median, quantiles

from spottui.domain.interruption import Interruption
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain

COLUMNS = (
    "id", "notice", "region", "instance_id", "name", "evidence", "state", "decided_by", "route", "recovery_s",
    "in_time", "data_age_s", "duplicates", "new_instance_id", "reason",
)  # fmt: skip


def incident_rows(found: Iterable[tuple[Interruption, Recovery]]) -> list[dict[str, object]]:
    """Return one row for each incident, with the COLUMNS; times in seconds, None where there is none."""
    return [_row(interruption, recovery) for interruption, recovery in found]


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    """Return the numbers: how many, how they ended, and how long the recoveries took, in seconds."""
    times = sorted(float(str(row["recovery_s"])) for row in rows if row["recovery_s"] is not None)
    states = [row["state"] for row in rows]
    return {
        "incidents": len(rows),
        "confirmed_by_lock": sum("L" in str(row["evidence"]) for row in rows),
        **{state.value: states.count(state.value) for state in RecoveryState if state.is_final},
        "under_way": sum(not RecoveryState(str(state)).is_final for state in states),
        "recovered_before_deadline": sum(row["in_time"] is True for row in rows),
        "recovery_s_median": round(median(times), 1) if times else None,
        "recovery_s_p90": round(quantiles(times, n=10)[-1], 1) if len(times) > 1 else None,
        "recovery_s_max": round(times[-1], 1) if times else None,
        "duplicates_suppressed": sum(int(str(row["duplicates"])) for row in rows),
    }


def recovery_s(interruption: Interruption, recovery: Recovery) -> float | None:
    """Seconds from the first sign to the replacement running, None while there is none."""
    if recovery.state is not RecoveryState.RECOVERED or recovery.ended is None:
        return None
    return round((recovery.ended - interruption.first_seen).total_seconds(), 1)


def data_age_s(recovery: Recovery) -> float | None:
    """How old the data was when the replacement ran: its disks are as they were when the image was begun."""
    if recovery.state is not RecoveryState.RECOVERED or recovery.ended is None or recovery.imaging_since is None:
        return None
    return round((recovery.ended - recovery.imaging_since).total_seconds(), 1)


def _row(interruption: Interruption, recovery: Recovery) -> dict[str, object]:
    took_s = recovery_s(interruption, recovery)
    in_time = None if took_s is None or recovery.ended is None else recovery.ended <= interruption.deadline
    return {
        "id": interruption.id,
        "notice": interruption.first_seen.isoformat(timespec="seconds"),
        "region": interruption.region,
        "instance_id": interruption.instance_id,
        "name": plain(recovery.name),
        "evidence": interruption.marks,
        "state": recovery.state.value,
        "decided_by": plain(recovery.who),
        "route": recovery.route.value,
        "recovery_s": took_s,
        "in_time": in_time,
        "data_age_s": data_age_s(recovery),
        "duplicates": interruption.duplicates,
        "new_instance_id": recovery.new_instance_id,
        "reason": plain(recovery.reason, 500),
    }
