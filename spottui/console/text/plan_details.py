"""The reference part of a plan: places and settings in full, and the calls that change something in the cloud."""

from textual.content import Content

from spottui.console.text.places import places_in_full
from spottui.console.text.plan_lines import Line, change, joined
from spottui.domain.instance import Disk
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Plan, Route
from spottui.domain.text import plain


def in_full(plan: Plan) -> Content:
    """Return the places, the settings that stay, and the calls of a plan, in full."""
    return joined([[("Every place in full", "bold")], *places_in_full(plan), [], *settings_in_full(plan)])


def settings_in_full(plan: Plan) -> list[Line]:
    """Return the earlier image, the settings that stay, and the calls of a plan."""
    return [
        *_warm_image(plan),
        [("Unchanged", "bold")],
        *(change(label, text or "none", text or "none") for label, text in unchanged_settings(plan.spec)),
        *(change(f"{disk.kind} disk", _disk(disk), _disk(disk)) for disk in plan.spec.disks if not disk.is_local),
        [],
        [("Calls that change something, in this order", "bold")],
        *([(f"  {call}", "")] for call in calls(plan)),
    ]


def unchanged_settings(spec: LaunchSpec) -> tuple[tuple[str, str], ...]:
    """Return the settings that the replacement has as before, as label and value; a missing one is empty."""
    tags = " ".join(f"{plain(key, 64)}={plain(value, 64)}" for key, value in spec.instance.tags)
    return (
        ("security groups", " ".join(plain(group, 64) for group in spec.security_group_ids)),
        ("key pair", plain(spec.key_pair)),
        ("RAM role", plain(spec.ram_role)),
        ("host name", plain(spec.host_name)),
        ("user data", "unchanged (not shown)" if spec.user_data else ""),
        ("tags", tags),
    )


def size_of(disk: Disk) -> str:
    """Return a disk's category, performance level and size."""
    level = f" {plain(disk.performance_level, 16)}" if disk.performance_level else ""
    return f"{plain(disk.category, 32)}{level} {disk.size_gib} GiB"


def calls(plan: Plan) -> list[str]:
    """Return the calls of the plan's first route in order; a launch is that of the first candidate."""
    old = plain(plan.spec.instance.instance_id, 64)
    drain = [f"RunCommand {plain(plan.drain.name, 64)} on {old}"] if plan.drain else []
    if plan.route is Route.RESTART:
        return [*drain, f"StartInstance {old}, once it is stopped"]
    return [
        *_protected_disks(plan),
        *drain,
        *_image(plan, old),
        *_launch(plan),
        *_attached_disks(plan),
        *_moved_eip(plan),
    ]


def _disk(disk: Disk) -> str:
    return f"{plain(disk.disk_id, 64)} {size_of(disk)}"


def _warm_image(plan: Plan) -> list[Line]:
    if plan.warm_image is None:
        return []
    made = f"{plain(plan.warm_image.image_id, 64)} of {plan.warm_image.made:%Y-%m-%d %H:%M} UTC"
    return [[("Earlier image  ", "bold"), (f"{made}: what was written since is not in it", "")]]


def _protected_disks(plan: Plan) -> list[str]:
    disks = " ".join(plain(disk.disk_id, 64) for disk in plan.spec.disks if not disk.is_local)
    return [f"ModifyDiskAttribute DeleteWithInstance=false of {disks}"] if disks else []


def _image(plan: Plan, old: str) -> list[str]:
    if plan.route is Route.WARM_IMAGE:
        return []
    name = plain(plan.image_name, 128)
    if plan.route is Route.IMAGE:
        return [f"CreateImage {name} of {old}"]
    system = " ".join(plain(disk.disk_id, 64) for disk in plan.spec.disks if disk.kind == "system")
    return [f"CreateSnapshot of {system}, once it is released", f"CreateImage {name} of that snapshot"]


def _launch(plan: Plan) -> list[str]:
    if not plan.candidates:
        return []
    first = plan.candidates[0]
    image = f" from {plain(plan.warm_image.image_id, 64)}" if plan.route is Route.WARM_IMAGE and plan.warm_image else ""
    place = f"{plain(first.instance_type, 64)} in {plain(first.zone, 64)}"
    return [f"RunInstances {place}{image}, else at the next place"]


def _attached_disks(plan: Plan) -> list[str]:
    data = [plain(disk.disk_id, 64) for disk in plan.spec.disks if disk.kind == "data" and not disk.is_local]
    return [f"AttachDisk {' '.join(data)} to the new instance"] if plan.route is Route.KEPT_DISK and data else []


def _moved_eip(plan: Plan) -> list[str]:
    eip = plain(plan.spec.instance.eip_id, 64)
    return [f"UnassociateEipAddress and AssociateEipAddress {eip}"] if eip else []
