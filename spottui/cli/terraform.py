"""Commands that give Terraform's state the ids of replacements."""

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from spottui import words
from spottui.domain.plan import Plan
from spottui.domain.recovery import Recovery, RecoveryState
from spottui.domain.text import plain

ADDRESS_TAG = "spottui:terraform"
"""The tag by which an instance names its resource address."""
_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_INDEX = r'(\[(\d{1,9}|"[A-Za-z0-9_ .:/@-]{1,100}")\])?'
# A tag that named another kind of resource would have people remove that one from their state.
_ADDRESS = re.compile(rf"(module\.{_NAME}{_INDEX}\.)*alicloud_instance\.{_NAME}{_INDEX}", re.ASCII)


class Incident(NamedTuple):
    """A reclaim and its frozen plan, which has the tags of the instance."""

    recovery: Recovery
    plan: Plan | None


def commands(incidents: Iterable[Incident]) -> Iterator[str]:
    """Yield the lines of a shell script, oldest first: `state rm` and `import` for each replacement of an instance.

    A replacement that was replaced itself is left out. Without a valid address in the tag the lines are comments.
    """
    replaced = [incident for incident in incidents if _is_replaced(incident.recovery)]
    reclaimed = {past.recovery.instance_id for past in replaced}
    for recovery, plan in sorted(replaced, key=lambda past: past.recovery.started):
        if recovery.new_instance_id not in reclaimed:
            yield from _lines(recovery, plan)


def _is_replaced(recovery: Recovery) -> bool:
    return recovery.state is RecoveryState.RECOVERED and recovery.new_instance_id not in ("", recovery.instance_id)


def _lines(recovery: Recovery, plan: Plan | None) -> Iterator[str]:
    new_id, when = plain(recovery.new_instance_id), recovery.ended or recovery.started
    old = f"{plain(recovery.name)} {plain(recovery.instance_id)} in {plain(words.region(recovery.region))}".lstrip()
    yield f"# {old}: replaced by {new_id}, {when:%Y-%m-%d %H:%M} UTC"
    new_id, address = shlex.quote(new_id), _address(plan)
    if address is None:
        yield f"# no address of an alicloud_instance in its tag {ADDRESS_TAG}: put it in the place of ADDRESS"
        yield "# terraform state rm ADDRESS"
        yield f"# terraform import ADDRESS {new_id}"
    else:
        yield f"terraform state rm {shlex.quote(address)}"
        yield f"terraform import {shlex.quote(address)} {new_id}"


def _address(plan: Plan | None) -> str | None:
    tag = dict(plan.spec.instance.tags).get(ADDRESS_TAG, "") if plan else ""
    return tag if _ADDRESS.fullmatch(tag) else None
