"""What of a plan is to be looked up rather than read: everything in full, and the calls."""

from textual.content import Content

from spottui.console.text.places import places_in_full
from spottui.console.text.plan_calls import calls
from spottui.console.text.plan_lines import Line, change, joined
from spottui.domain.instance import Disk
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Plan
from spottui.domain.text import plain


def in_full(plan: Plan) -> Content:
    """Return the places, what is as before, and the calls of a plan, in full."""
    return joined(
        [
            [("Every place in full", "bold")],
            *places_in_full(plan),
            *_warm_image(plan),
            [],
            [("As before in full", "bold")],
            *(change(label, text or "none", text or "none") for label, text in kept(plan.spec)),
            *(change(f"{disk.kind} disk", _disk(disk), _disk(disk)) for disk in plan.spec.disks if not disk.is_local),
            [],
            [("Calls that change something, in this order", "bold")],
            *([(f"  {call}", "")] for call in calls(plan)),
        ]
    )


def kept(spec: LaunchSpec) -> tuple[tuple[str, str], ...]:
    """Return what the replacement has as the old instance had it, label and value; empty for what it has not."""
    tags = " ".join(f"{plain(key, 64)}={plain(value, 64)}" for key, value in spec.instance.tags)
    return (
        ("security groups", " ".join(plain(group, 64) for group in spec.security_group_ids)),
        ("key pair", plain(spec.key_pair)),
        ("RAM role", plain(spec.ram_role)),
        ("host name", plain(spec.host_name)),
        ("user data", "as before (not shown)" if spec.user_data else ""),
        ("tags", tags),
    )


def size_of(disk: Disk) -> str:
    """Return a disk's category, performance level and size."""
    level = f" {plain(disk.performance_level, 16)}" if disk.performance_level else ""
    return f"{plain(disk.category, 32)}{level} {disk.size_gib} GiB"


def _disk(disk: Disk) -> str:
    return f"{plain(disk.disk_id, 64)} {size_of(disk)}"


def _warm_image(plan: Plan) -> list[Line]:
    if plan.warm_image is None:
        return []
    made = f"{plain(plan.warm_image.image_id, 64)} of {plan.warm_image.made:%Y-%m-%d %H:%M} UTC"
    return [[("Earlier image  ", "bold"), (f"{made}: what was written since is not in it", "")]]
