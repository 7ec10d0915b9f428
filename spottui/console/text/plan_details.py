"""The reference part of a plan: places and settings in full, and the calls that change something in the cloud."""

from textual.content import Content

from spottui.console.text.places import places_in_full
from spottui.console.text.plan_lines import Line, change, joined
from spottui.domain.balancers import Backend, Change, action_of
from spottui.domain.instance import Disk
from spottui.domain.launch_spec import LaunchSpec
from spottui.domain.plan import Plan
from spottui.domain.routes import Route
from spottui.domain.text import plain


def in_full(plan: Plan, *, reuses: bool) -> Content:
    """Return the places, the settings that stay, and the calls of a plan, in full."""
    settings = settings_in_full(plan, reuses=reuses)
    return joined([[("Every place in full", "bold")], *places_in_full(plan), [], *settings])


def settings_in_full(plan: Plan, *, reuses: bool) -> list[Line]:
    """Return the earlier image, the settings that stay, and the calls of a plan; a retry `reuses` what some made."""
    return [
        *_warm_image(plan),
        [("Unchanged", "bold")],
        *(change(label, text or "none", text or "none") for label, text in unchanged_settings(plan.spec)),
        *(change(f"{disk.kind} disk", _disk(disk), _disk(disk)) for disk in plan.spec.disks if not disk.is_local),
        [],
        [
            ("Calls that change something, in this order", "bold"),
            ("   none for what is reused" if reuses else "", "dim"),
        ],
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
    if not plan.route.traits.launches:
        restored = [f"{_backend_call(backend, Change.WEIGHT)}: weight {backend.weight}" for backend in _lowered(plan)]
        return [*_lowered_weights(plan), *drain, f"StartInstance {old}, once it is stopped", *restored]
    other = ", if that is another one" if plan.keeps_private_ip else ""
    return [
        *_protected_disks(plan),
        *_lowered_weights(plan),
        *(
            f"ModifyNetworkInterfaceAttribute DeleteOnRelease=false of {plain(interface, 64)}"
            for interface in plan.spec.interfaces
        ),
        *drain,
        *_image(plan, old),
        *_launch(plan),
        *_attached_disks(plan),
        *_moved_eip(plan),
        *(
            f"UpdateZoneRecord {plain(dns_record.name, 80)}: the new instance's address{other}"
            for dns_record in plan.records or ()
        ),
        *(
            f"{_backend_call(backend, Change.ADD)}: the new instance, weight {backend.weight}"
            for backend in plan.backends
        ),
        *(f"{_backend_call(backend, Change.REMOVE)}: {old}, once the new one is healthy" for backend in plan.backends),
        *(
            f"DetachNetworkInterface and AttachNetworkInterface {plain(eni_id, 64)}, once the new one serves"
            for eni_id in plan.spec.interfaces
        ),
        *(
            [f"AssignPrivateIpAddresses: {secondary} for the new instance"]
            if (secondary := len(plan.spec.secondary_ips))
            else []
        ),
    ]


def backend_in_short(backend: Backend) -> str:
    """Return an entry of a load balancer by its name, port and weight."""
    port = f":{backend.port}" if backend.port else ""
    return f"{backend.product} {plain(backend.name, 64) or plain(backend.group, 64)}{port} weight {backend.weight}"


def _disk(disk: Disk) -> str:
    return f"{plain(disk.disk_id, 64)} {size_of(disk)}"


def _warm_image(plan: Plan) -> list[Line]:
    """The earlier images, of all cloud disks and of the system disk alone, with their age."""
    images = (("Earlier image  ", plan.warm_image), ("System image   ", plan.system_image))
    return [
        [
            (label, "bold"),
            (
                f"{plain(image.image_id, 64)} of {image.made:%Y-%m-%d %H:%M} UTC: later writes are not in it",
                "",
            ),
        ]
        for label, image in images
        if image
    ]


def _protected_disks(plan: Plan) -> list[str]:
    if not plan.spec.instance.is_spot:
        return []
    disks = " ".join(plain(disk.disk_id, 64) for disk in plan.spec.disks if not disk.is_local)
    return [f"ModifyDiskAttribute DeleteWithInstance=false of {disks}"] if disks else []


def _lowered(plan: Plan) -> list[Backend]:
    return [backend for backend in plan.backends if backend.weight]


def _lowered_weights(plan: Plan) -> list[str]:
    return [
        f"{_backend_call(backend, Change.WEIGHT)}: weight 0, unless it is the last healthy one"
        for backend in _lowered(plan)
    ]


def _backend_call(backend: Backend, change: Change) -> str:
    port = f" port {backend.port}" if backend.port else ""
    return f"{action_of(backend, change)} {plain(backend.group, 64)}{port}"


def _image(plan: Plan, old: str) -> list[str]:
    if plan.route is Route.INSTANT:
        disks = plan.spec.cloud_disks if plan.fresh_system else plan.spec.data_disks
        wanted = " ".join(plain(disk.disk_id, 64) for disk in disks)
        group = f"CreateSnapshotGroup of {wanted}; DeleteSnapshotGroup if an image has to be made instead"
        fresh = f"CreateImage {plain(plan.image_name, 128)}-fresh of the system disk's snapshot"
        return [*([group] if wanted else []), *([fresh] if plan.fresh_system else [])]
    if plan.route.traits.serves_at_once:
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
    earlier = plan.earlier_image(plan.route)
    image = f" from {plain(earlier.image_id, 64)}" if earlier else ""
    place = f"{plain(first.instance_type, 64)} in {plain(first.zone, 64)}"
    address = f" with {plain(plan.spec.instance.private_ip, 64)}" if plan.keeps_private_ip else ""
    released = ", once it is free," if address else ","
    return [f"RunInstances {place}{image}{address}{released} else at the next place"]


def _attached_disks(plan: Plan) -> list[str]:
    data = [plain(disk.disk_id, 64) for disk in plan.spec.disks if disk.kind == "data" and not disk.is_local]
    return [f"AttachDisk {' '.join(data)} to the new instance"] if plan.route is Route.KEPT_DISK and data else []


def _moved_eip(plan: Plan) -> list[str]:
    instance = plan.spec.instance
    if instance.eip_id:
        return [f"UnassociateEipAddress and AssociateEipAddress {plain(instance.eip_id, 64)}"]
    public_ip = plain(instance.public_ip, 64)
    move = f"ConvertNatPublicIpToEip {public_ip}, UnassociateEipAddress and AssociateEipAddress of that EIP"
    return [move] if public_ip else []
