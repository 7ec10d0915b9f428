"""The titles of the panels: counts, and only those that are known."""

from collections import Counter

import msgspec

from spottui.console.text.health import regions_without_answer
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.view import DeskView, open_reclaims, replacements
from spottui.tables.failures import failures
from spottui.tables.instances import RECLAIMED, SAVED, instance_key, mark_of, warnings_of
from spottui.tables.recoveries import FAILED, NEEDS_YOU
from spottui.tables.storm import of_now, will_make_it

_QUEUED, _RUNNING = "queued", "running"
_CALM = (
    str(RecoveryState.VETO_WINDOW),
    _RUNNING,
    str(RecoveryState.SUSPECTED),
    str(RecoveryState.RECOVERED),
    str(RecoveryState.CANCELLED),
    str(RecoveryState.VETOED),
    str(RecoveryState.SKIPPED),
)
_PLURALS = {NEEDS_YOU: "NEED YOU", str(RecoveryState.VETO_WINDOW): "veto windows"}

_STORM_SIZE = 5
"""From this many recoveries on, the title says how many of them will make it."""


class Headlines(msgspec.Struct, frozen=True):
    """Titles and counts of a view, made once, in the worker's thread.

    `unsaved` are the ids of the reclaims without a running replacement, `failed` the recoveries that failed and were
    not tried again, both of all accounts, whichever is shown; `any_lock` says whether any instance is locked.
    """

    instances: str = ""
    recoveries: str = ""
    unsaved: frozenset[str] = frozenset()
    failed: tuple[Recovery, ...] = ()
    any_lock: bool = False

    @classmethod
    def of(cls, view: DeskView, whole: DeskView) -> "Headlines":
        """Return the headlines of a view; `whole` holds all accounts, and is the view itself if that does."""
        any_lock = any(instance.recycling for instance in view.instances)
        return cls(instances_title(view), recoveries_title(view), unsaved(whole), failures(whole), any_lock)


def instances_title(view: DeskView) -> str:
    """Return how many instances there are, are being reclaimed, were saved, and are gone unsaved, as the rows have it.

    A region that never answered and has no cached fleet is named instead of counted.
    """
    seen = {instance.region for instance in view.instances}
    unknown = [region for region in regions_without_answer(view, "sweep") if region not in seen]
    if len(unknown) == len(view.regions):
        return "not known yet"
    parts = [f"{sum(instance.is_spot for instance in view.instances):,} spot", *_reclaims(view), *_warned(view)]
    return " · ".join((*parts, *(f"{region} not known yet" for region in unknown)))


def recoveries_title(view: DeskView) -> str:
    """Return the number of rows in each state, spelled as in the rows, the most urgent first.

    A title is cut at its end: what waits in line stands before what goes on by itself.
    """
    counts = Counter(_word(recovery) for recovery in view.recoveries)
    storm = of_now(view)
    forecast = [will_make_it(storm, view.at)] if len(storm) >= _STORM_SIZE else []
    urgent, others = _counted(counts, (FAILED, NEEDS_YOU, _QUEUED)), _counted(counts, _CALM)
    return " · ".join([*urgent, *filter(None, forecast), *others])


def _word(recovery: Recovery) -> str:
    """Return a row's state in one word; every state that proceeds without a person is running."""
    if recovery.state is RecoveryState.FAILED:
        return FAILED
    if recovery.state is RecoveryState.NEEDS_YOU:
        return _QUEUED if recovery.is_queued else NEEDS_YOU
    is_running = not recovery.state.is_final and not recovery.state.waits_for_permission
    return _RUNNING if is_running else str(recovery.state)


def _counted(counts: Counter[str], words: tuple[str, ...]) -> list[str]:
    """Return `3 NEED YOU`, `1 running` for those words of which there is any."""
    return [
        f"{counts[word]} {_PLURALS.get(word, word) if counts[word] > 1 else word}" for word in words if counts[word]
    ]


def unsaved(view: DeskView) -> frozenset[str]:
    """Return the ids of the open reclaims whose instance has no running replacement yet.

    A read-only console opens no recovery: there a lock alone counts, by the key of its instance.
    """
    reclaims = {reclaim.id for reclaim in open_reclaims(view) if not reclaim.is_manual} - replacements(view).keys()
    return frozenset(reclaims | _locks_alone(view) if view.read_only else reclaims)


def _reclaims(view: DeskView) -> list[str]:
    """Count the rows by their marks, and the reclaims without a row: that instance is gone, or not listed yet."""
    reclaims = {instance_key(reclaim.region, reclaim.instance_id): reclaim for reclaim in open_reclaims(view)}
    rows = {instance_key(instance.region, instance.instance_id): instance for instance in view.instances}
    replaced = replacements(view)
    marks = Counter(mark_of(instance, reclaims.get(key), replaced) for key, instance in rows.items())
    left = unsaved(view)
    without_row = [reclaim for key, reclaim in reclaims.items() if key not in rows and reclaim.id in left]
    unswept = regions_without_answer(view, "sweep")
    gone = sum(reclaim.released_at is not None or reclaim.region not in unswept for reclaim in without_row)
    reclaiming = marks[RECLAIMED] + len(without_row) - gone
    parts = [f"{marks[SAVED]} saved"] if marks[SAVED] else []
    parts += [f"{gone} gone"] if gone else []
    if reclaiming or parts or not regions_without_answer(view, "lock"):
        parts.insert(0, f"{reclaiming} reclaiming")
    return parts


def _warned(view: DeskView) -> list[str]:
    count = sum(bool(warnings_of(instance, view.fleet_background)) for instance in view.instances)
    return [f"{count:,} early warning{'' if count == 1 else 's'}"] if count else []


def _locks_alone(view: DeskView) -> frozenset[str]:
    reclaimed = {(reclaim.region, reclaim.instance_id) for reclaim in open_reclaims(view)}
    locked = {(instance.region, instance.instance_id) for instance in view.instances if instance.recycling}
    return frozenset(instance_key(region, instance_id) for region, instance_id in locked - reclaimed)
