"""Cloud Assistant: commands that run for a while on Running instances and have a result."""

import base64
import binascii

from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.errors import ApiError, missing
from spottui.sim.model import Instance, Invocation
from spottui.sim.paging import by_token_or_number
from spottui.sim.registry import Body, Call, action
from spottui.sim.world import World

_TYPES = ("RunShellScript", "RunPowerShellScript", "RunBatScript")
_MOST_INSTANCES = 100
_MOST_CONTENT = 24 * 1024
_MOST_PAGE = 50


@action()
def run_command(call: Call) -> Body:
    """Run a script on instances that are Running; what it prints here is its own text."""
    params = call.params
    kind = params.required("Type")
    if kind not in _TYPES:
        raise ApiError("InvalidCmdType.NotFound", 404, "The specified command type is not supported.")
    content = _content(call)
    ids = params.numbered("InstanceId")
    if not ids:
        raise missing("InstanceId.N")
    if len(ids) > _MOST_INSTANCES:
        raise ApiError("NumberExceed.InstanceIds", 400, f"At most {_MOST_INSTANCES} instances.")
    return call.once("RunCommand", lambda: _run(call, kind, content, ids))


@action()
def describe_invocations(call: Call) -> Body:
    """Runs of commands, with their instances."""
    return by_token_or_number(
        call, _found(call), lambda page: {"Invocations": {"Invocation": page}},
        lambda row: _invocation(call, row), most=_MOST_PAGE,
    )  # fmt: skip


@action()
def describe_invocation_results(call: Call) -> Body:
    """What runs came to, one row per instance; the output is Base64 unless PlainText is asked for."""
    wanted = call.params.text("InstanceId")
    rows = [
        (row, instance_id) for row in _found(call) for instance_id in row.instance_ids if wanted in ("", instance_id)
    ]
    results = [_result(call, row, invocation) for row, invocation in rows]
    call.params.accept("IncludeHistory", "IncludeOutput")
    record = call.params.text("InvokeRecordStatus")
    results = [result for result in results if record in ("", result["InvokeRecordStatus"])]
    size = call.params.whole("PageSize", call.params.whole("MaxResults", 10, 1, _MOST_PAGE), 1, _MOST_PAGE)
    number = call.params.whole("PageNumber", 1, 1, 10**6)
    page = results[(number - 1) * size : number * size]
    return {
        "Invocation": {
            "TotalCount": len(results), "PageNumber": number, "PageSize": size, "NextToken": "",
            "InvocationResults": {"InvocationResult": page},
        }
    }  # fmt: skip


def _content(call: Call) -> str:
    text = call.params.required("CommandContent")
    encoding = call.params.text("ContentEncoding", "PlainText")
    if encoding not in ("PlainText", "Base64"):
        raise ApiError("InvalidContentEncoding.NotFound", 404, "The specified ContentEncoding is not supported.")
    encoded = text if encoding == "Base64" else base64.b64encode(text.encode()).decode()
    try:
        base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("InvalidParameter.CommandContent", 400, "CommandContent is not valid Base64.") from None
    if len(encoded) > _MOST_CONTENT:
        raise ApiError("CmdContent.ExceedLimit", 400, "The length of the command content exceeds the limit.")
    return encoded


def _run(call: Call, kind: str, content: str, ids: list[str]) -> tuple[Body, str]:
    world, knobs = call.world, call.world.settings
    for instance_id in ids:
        _check(call, instance_id)
    timeout_s = call.params.whole("Timeout", 60, 1, 86_400)
    call.params.accept("KeepCommand", "EnableParameter", "WorkingDir", "Username", "Description")
    dead = any(not has_agent(world, world.instances[instance_id], call.now) for instance_id in ids)
    row = Invocation(
        next(world.order), world.ids.resource("t"), call.region_id, world.ids.resource("c"), kind, content,
        call.params.text("Name"), timeout_s, ids, call.now, call.now + (0 if dead else min(knobs.command_s, timeout_s)),
        -1 if knobs.command_s > timeout_s else knobs.command_exit_code, "ClientNotRunning" if dead else "",
    )  # fmt: skip
    world.invocations[row.id] = row
    return {"CommandId": row.command_id, "InvokeId": row.id}, row.id


def has_agent(world: World, instance: Instance, now: float) -> bool:
    """Whether the Cloud Assistant agent of an instance reports."""
    knobs = world.settings
    if instance.status != "Running" or knobs.agent == "missing":
        return False
    return knobs.agent == "running" or now - instance.started_at >= knobs.agent_late_s


@action()
def describe_cloud_assistant_status(call: Call) -> Body:
    """Whether the agents of instances report."""
    region, wanted = call.region_id, call.params.numbered("InstanceId")
    rows = [row for row in call.world.instances.values() if row.region == region and (not wanted or row.id in wanted)]
    return by_token_or_number(
        call, filters.keep(rows, filters.fixed(call.params.text("OSType"), "Linux")),
        lambda page: {"InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": page}},
        lambda row: _agent(call, row), most=_MOST_PAGE,
    )  # fmt: skip


def _agent(call: Call, row: Instance) -> dict[str, object]:
    reports = has_agent(call.world, row, call.now)
    return {
        "InstanceId": row.id, "CloudAssistantStatus": str(reports).lower(), "OSType": "Linux",
        "CloudAssistantVersion": "2.2.3.612" if reports else "", "ActiveTaskCount": 0, "InvocationCount": 0,
        "LastHeartbeatTime": iso_seconds(call.now) if reports else "", "SupportSessionManager": reports,
    }  # fmt: skip


def _check(call: Call, instance_id: str) -> None:
    instance = call.world.instance(instance_id, call.region_id)
    if instance.status != "Running":
        raise ApiError("InvalidInstance.NotRunning", 403, "The specified instance is not running.")
    if "Recycling" in instance.locks and not call.world.settings.command_while_locked:
        raise ApiError("InstanceLockedForRecycling", 403, "The specified operation is denied: the instance is locked.")


def _found(call: Call) -> list[Invocation]:
    region, params = call.region_id, call.params
    params.accept("ContentEncoding", "IncludeOutput")
    rows = [row for row in call.world.invocations.values() if row.region == region]
    invocations = filters.keep(
        rows,
        filters.equals("id", params.text("InvokeId")),
        filters.equals("command_id", params.text("CommandId")),
        filters.equals("name", params.text("CommandName")),
        filters.equals("type", params.text("CommandType")),
        filters.fixed(params.text("RepeatMode"), "Once"),
        filters.switched(params, "Timed", lambda row: False),
        filters.fixed(params.text("ResourceGroupId"), ""),
        (lambda row: params["InstanceId"] in row.instance_ids) if params.text("InstanceId") else None,
        (lambda row: _status(call, row) == params["InvokeStatus"]) if params.text("InvokeStatus") else None,
    )
    return [] if call.blind else list(invocations)


def _status(call: Call, row: Invocation) -> str:
    if call.now < row.done_at:
        return "Running"
    return "Finished" if row.exit_code == 0 and not row.error_code else "Failed"


def _invocation(call: Call, row: Invocation) -> dict[str, object]:
    status = _status(call, row)
    instances = [
        {"InstanceId": instance_id, "InvocationStatus": _of_instance(status), "InstanceInvokeStatus": status,
         "ExitCode": max(row.exit_code, 0), "Repeats": 1, "Dropped": 0, "Output": "", "ErrorCode": "", "ErrorInfo": "",
         "CreationTime": iso_seconds(row.started_at), "StartTime": iso_seconds(row.started_at),
         "FinishTime": iso_seconds(row.done_at) if status != "Running" else ""}
        for instance_id in row.instance_ids
    ]  # fmt: skip
    return {
        "InvokeId": row.id, "CommandId": row.command_id, "CommandName": row.name, "CommandType": row.type,
        "CommandContent": row.content, "InvokeStatus": status, "InvocationStatus": _of_instance(status),
        "CreationTime": iso_seconds(row.started_at), "Timeout": row.timeout_s, "RepeatMode": "Once",
        "Timed": False, "Frequency": "", "Parameters": "{}", "Username": "", "WorkingDir": "/root",
        "InvokeInstances": {"InvokeInstance": instances},
    }  # fmt: skip


def _result(call: Call, row: Invocation, instance_id: str) -> dict[str, object]:
    status = _status(call, row)
    running = status == "Running"
    of_instance = "Timeout" if row.exit_code < 0 and not running else _of_instance(status)
    if row.error_code:
        of_instance = "Aborted"
    # The simulated shell says what it was told to do: enough to see that the right script ran.
    text = "" if running or row.error_code else base64.b64decode(row.content).decode("utf-8", "replace")
    plain = call.params.text("ContentEncoding") == "PlainText"
    return {
        "InvokeId": row.id, "InstanceId": instance_id, "CommandId": row.command_id,
        "InvokeRecordStatus": status, "InvocationStatus": of_instance,
        "ExitCode": None if running else max(row.exit_code, 0),
        "Output": text if plain else base64.b64encode(text.encode()).decode(),
        "ErrorCode": row.error_code, "ErrorInfo": "The aliyun service is not running." if row.error_code else "",
        "Dropped": 0, "Repeats": 0 if running else 1, "Username": "",
        "StartTime": iso_seconds(row.started_at), "FinishedTime": "" if running else iso_seconds(row.done_at),
    }  # fmt: skip


def _of_instance(status: str) -> str:
    return "Success" if status == "Finished" else status
