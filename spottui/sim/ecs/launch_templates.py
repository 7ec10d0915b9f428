"""Launch templates: parameters of a launch under a name, in versions."""

from typing import Any

from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.errors import ApiError, invalid, not_found
from spottui.sim.model import LaunchTemplate
from spottui.sim.paging import by_number
from spottui.sim.params import Params
from spottui.sim.registry import Body, Call, action

_OWN = ("RegionId", "ClientToken", "DryRun", "LaunchTemplateName", "LaunchTemplateId", "VersionDescription")
_OF_INTERFACE = ("VSwitchId", "SecurityGroupId", "PrimaryIpAddress")
_LISTS = {"Tag": "InstanceTag", "DataDisk": "DataDisk", "NetworkInterface": "NetworkInterface"}


def filled_in(call: Call) -> Params:
    """The parameters of a launch, with those of its template where it has none of its own."""
    params = call.params
    given = {k: v for k, v in params.items() if not k.startswith("LaunchTemplate")}
    if params.text("LaunchTemplateId") or params.text("LaunchTemplateName"):
        template = _wanted(call)
        number = params.whole("LaunchTemplateVersion", template.default_version, 1, len(template.versions))
        given = {**template.versions[number - 1], **given}
    return Params({**_of_primary_interface(Params(given)), **given})


def _of_primary_interface(params: Params) -> dict[str, str]:
    """What `NetworkInterface.N` of type Primary says, under the names it has without one."""
    found: dict[str, str] = {}
    for group in params.groups("NetworkInterface"):
        if group.get("InstanceType") == "Primary":
            names = {"PrimaryIpAddress": "PrivateIpAddress"}
            found |= {names.get(name, name): value for name, value in group.items() if name.startswith(_OF_INTERFACE)}
    return found


@action()
def create_launch_template(call: Call) -> Body:
    """A template with its first version."""
    world, name = call.world, call.params.required("LaunchTemplateName")
    region = call.region_id
    if any(row.name == name and row.region == region for row in world.launch_templates.values()):
        raise ApiError("InvalidLaunchTemplateName.Duplicated", 403, "The specified launch template name is used.")
    tags = call.params.tags("TemplateTag")

    def create() -> tuple[Body, str]:
        row = LaunchTemplate(
            next(world.order), world.ids.resource("lt"), region, name, call.now, [_launch(call)], tags=tags
        )
        world.launch_templates[row.id] = row
        return {"LaunchTemplateId": row.id, "LaunchTemplateVersionNumber": 1}, row.id

    return call.once("CreateLaunchTemplate", create)


@action()
def create_launch_template_version(call: Call) -> Body:
    """One more version; the default stays."""
    row = _wanted(call)
    row.versions.append(_launch(call))
    call.created(f"version {len(row.versions)} of {row.id}")
    return {"LaunchTemplateId": row.id, "LaunchTemplateVersionNumber": len(row.versions)}


@action()
def modify_launch_template_default_version(call: Call) -> Body:
    """Which version a launch takes that names none."""
    row = _wanted(call)
    call.params.required("DefaultVersionNumber")
    row.default_version = call.params.whole("DefaultVersionNumber", 1, 1, len(row.versions))
    call.changed(f"{row.id} default version {row.default_version}")
    return {}


@action()
def delete_launch_template(call: Call) -> Body:
    """Delete a template with all its versions."""
    row = _wanted(call)
    del call.world.launch_templates[row.id]
    call.changed(f"{row.id} deleted")
    return {}


@action()
def describe_launch_templates(call: Call) -> Body:
    """Templates of a region by id, name or tag."""
    region, params = call.region_id, call.params
    launch_templates = filters.keep(
        (row for row in call.world.launch_templates.values() if row.region == region),
        filters.among("id", params.numbered("LaunchTemplateId") or None),
        filters.among("name", params.numbered("LaunchTemplateName") or None),
        filters.tagged(params.tags("TemplateTag")), filters.fixed(params.text("TemplateResourceGroupId"), ""),
    )  # fmt: skip
    return by_number(
        call, launch_templates, lambda page: {"LaunchTemplateSets": {"LaunchTemplateSet": page}}, _template
    )


@action()
def describe_launch_template_versions(call: Call) -> Body:
    """Versions of a template, newest first, with what they launch."""
    row, params = _wanted(call), call.params
    params.accept("DetailFlag")
    wanted = [int(number) for number in params.numbered("LaunchTemplateVersion") if number.isdigit()]
    low, high = params.whole("MinVersion", 1, 1, 10**6), params.whole("MaxVersion", 10**6, 1, 10**6)
    only = [row.default_version] if params.flag("DefaultVersion") else wanted
    numbers = [n for n in range(len(row.versions), 0, -1) if low <= n <= high and (not only or n in only)]
    return by_number(
        call, numbers, lambda page: {"LaunchTemplateVersionSets": {"LaunchTemplateVersionSet": page}},
        lambda number: _version(row, number),
    )  # fmt: skip


def _launch(call: Call) -> dict[str, str]:
    given = {k: v for k, v in call.params.items() if k not in _OWN and not k.startswith("TemplateTag")}
    call.params.accept(*given, *_OWN)
    return given


def _wanted(call: Call) -> LaunchTemplate:
    region, params = call.region_id, call.params
    key, name = params.text("LaunchTemplateId"), params.text("LaunchTemplateName")
    if not key and not name:
        raise invalid("LaunchTemplateId", "or LaunchTemplateName must be given")
    for row in call.world.launch_templates.values():
        if row.region == region and key in ("", row.id) and name in ("", row.name):
            return row
    raise not_found("LaunchTemplate", key or name)


def _template(row: LaunchTemplate) -> dict[str, Any]:
    return {
        "LaunchTemplateId": row.id, "LaunchTemplateName": row.name, "DefaultVersionNumber": row.default_version,
        "LatestVersionNumber": len(row.versions), "CreateTime": iso_seconds(row.created_at),
        "ModifiedTime": iso_seconds(row.created_at), "CreatedBy": "", "ResourceGroupId": "",
        "Tags": {"Tag": [{"TagKey": k, "TagValue": v} for k, v in row.tags.items()]},
    }  # fmt: skip


def _version(row: LaunchTemplate, number: int) -> dict[str, Any]:
    return {
        "LaunchTemplateId": row.id, "LaunchTemplateName": row.name, "VersionNumber": number,
        "DefaultVersion": number == row.default_version, "VersionDescription": "", "CreatedBy": "",
        "CreateTime": iso_seconds(row.created_at), "LaunchTemplateData": _data(Params(row.versions[number - 1])),
    }  # fmt: skip


def _data(params: Params) -> dict[str, Any]:
    """The flat parameters in the nesting of an answer."""
    data: dict[str, Any] = {name: value for name, value in params.items() if "." not in name}
    for name, value in params.items():
        head, _, rest = name.partition(".")
        if rest and "." not in rest and not rest.isdigit():
            data[f"{head}.{rest}"] = value
    for name, shown in _LISTS.items():
        if params.groups(name):
            data[f"{shown}s"] = {shown: params.groups(name)}
    return data
