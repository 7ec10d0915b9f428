"""What the borders of the panels say: counts, and only those that are known."""

from dataclasses import dataclass

from spottui.console.text.health import regions_without_answer
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView
from spottui.tables.failures import failures
from spottui.tables.instances import instance_key, is_wish, open_reclaims, replacements
from spottui.tables.storm import forecast_of_all, of_now

_A_STORM = 5
"""From so many recoveries at once on, what counts is how many of them will make it."""


@dataclass(frozen=True, slots=True)
class Headlines:
    """What is said of all instances and recoveries of a view, counted once, in the thread that brings it.

    `unsaved` are the ids of the reclaims that nothing saves yet, `failed` are the recoveries that failed and that
    nobody has taken up yet, `any_lock` says whether any instance is locked.
    """

    instances: str = ""
    recoveries: str = ""
    unsaved: frozenset[str] = frozenset()
    failed: tuple[Recovery, ...] = ()
    any_lock: bool = False

    @classmethod
    def of(cls, view: DeskView) -> "Headlines":
        """Count."""
        any_lock = any(instance.recycling for instance in view.instances)
        return cls(instances_title(view), recoveries_title(view), unsaved(view), failures(view), any_lock)


def instances_title(view: DeskView) -> str:
    """Return how many instances there are, are being reclaimed, and are being reclaimed but saved.

    A region that never answered, and of which no older fleet is at hand, is named instead of counted.
    """
    seen = {instance.region for instance in view.instances}
    unknown = [region for region in regions_without_answer(view, "sweep") if region not in seen]
    if len(unknown) == len(view.regions):
        return "not known yet"
    parts = [f"{sum(instance.is_spot for instance in view.instances):,} spot", *_reclaims(view)]
    return " · ".join((*parts, *(f"{region} not known yet" for region in unknown)))


def recoveries_title(view: DeskView) -> str:
    """Return how many recoveries have failed, need a person, run and wait: what matters most comes first."""
    going = [recovery for recovery in view.recoveries if not recovery.state.is_final]
    needs_you = sum(one.state is RecoveryState.NEEDS_YOU and not one.is_queued for one in going)
    waiting = sum(one.state.waits_for_permission for one in going) - needs_you
    need = "need you" if needs_you > 1 else "needs you"
    running = len(going) - needs_you - waiting
    urgent, others = ((len(failures(view)), "FAILED"), (needs_you, need)), ((running, "running"), (waiting, "waiting"))
    storm = of_now(view)
    forecast = [forecast_of_all(storm, view.at)] if len(storm) >= _A_STORM else []
    said = " · ".join([*_counted(urgent), *filter(None, forecast), *_counted(others)])
    return said or ("none open" if view.recoveries else "")


def _counted(counts: tuple[tuple[int, str], ...]) -> list[str]:
    return [f"{count} {word}" for count, word in counts if count]


def unsaved(view: DeskView) -> frozenset[str]:
    """Return the ids of the reclaims that take an instance whose replacement does not run yet.

    A read-only console opens none itself: there a lock alone is one, by the id of its instance.
    """
    reclaims = frozenset(one.id for one in open_reclaims(view) if not is_wish(one)) - replacements(view).keys()
    return reclaims | _locks_alone(view) if view.read_only else reclaims


def _reclaims(view: DeskView) -> list[str]:
    left = unsaved(view) | _locks_alone(view)
    saved = sum(not is_wish(one) and one.id not in left for one in open_reclaims(view))
    parts = [f"{saved} saved"] if saved else []
    if left or saved or not regions_without_answer(view, "lock"):
        parts.insert(0, f"{len(left)} reclaiming")
    return parts


def _locks_alone(view: DeskView) -> frozenset[str]:
    known = {(one.region, one.instance_id) for one in open_reclaims(view)}
    locked = ((one.region, one.instance_id) for one in view.instances if one.recycling)
    return frozenset(instance_key(*one) for one in locked if one not in known)
