"""The calls by which a plan changes something in the cloud, each with what it is done to."""

from spottui.domain.plan import Plan, Route
from spottui.domain.text import plain


def calls(plan: Plan) -> list[str]:
    """Return the calls of the plan's first route in their order; where it launches, by the first candidate."""
    old = plain(plan.spec.instance.instance_id, 64)
    drain = [f"RunCommand {plain(plan.drain.name, 64)} on {old}"] if plan.drain else []
    if plan.route is Route.RESTART:
        return [*drain, f"StartInstance {old}, once it is stopped"]
    return [*_kept(plan), *drain, *_image(plan, old), *_launch(plan), *_attached(plan), *_moved(plan)]


def _kept(plan: Plan) -> list[str]:
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


def _attached(plan: Plan) -> list[str]:
    data = [plain(disk.disk_id, 64) for disk in plan.spec.disks if disk.kind == "data" and not disk.is_local]
    return [f"AttachDisk {' '.join(data)} to the new instance"] if plan.route is Route.KEPT_DISK and data else []


def _moved(plan: Plan) -> list[str]:
    eip = plain(plan.spec.instance.eip_id, 64)
    return [f"UnassociateEipAddress and AssociateEipAddress {eip}"] if eip else []
