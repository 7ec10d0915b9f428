"""ALB (2020-06-16): server groups, listeners, their health and the jobs that change them."""

from typing import Any

from spottui.sim.balancers import groups
from spottui.sim.balancers.model import BackendServer, Job, Listener, LoadBalancer, ServerGroup
from spottui.sim.clock import iso_seconds
from spottui.sim.ecs import filters
from spottui.sim.registry import ALB, Body, Call, action


@action(ALB)
def list_server_groups(call: Call) -> Body:
    """Server groups of the account."""
    return groups.list_groups(call, lambda row: _group(call, row))


@action(ALB, refuses=("Tag",))
def list_server_group_servers(call: Call) -> Body:
    """Servers of a group or of all groups, by id."""
    return groups.list_servers(call, _server)


@action(ALB, refuses=("Tag",))
def list_listeners(call: Call) -> Body:
    """Listeners by id, load balancer or protocol."""
    return groups.page_of_listeners(call, _listener)


@action(ALB)
def get_listener_health_status(call: Call) -> Body:
    """The servers behind a listener that are not well, or not used."""
    call.params.accept("IncludeRule")
    _, listener = groups.listener(call)
    group = call.world.server_groups[listener.group_id]
    ill = [shown for server in group.servers if (shown := _ill(server, listener))]
    info = {
        "ServerGroupId": group.id, "ActionType": "ForwardGroup", "HealthCheckEnabled": "on", "ServerCount":
        len(group.servers), "NonNormalServers": ill,
    }  # fmt: skip
    status = {
        "ListenerId": listener.id, "ListenerPort": listener.port, "ListenerProtocol": listener.protocol,
        "ServerGroupInfos": [info],
    }  # fmt: skip
    return {"ListenerHealthStatus": [status], "RuleHealthStatus": [], "NextToken": ""}


@action(ALB, refuses=("BeginTime", "EndTime"))
def list_asyn_jobs(call: Call) -> Body:
    """Jobs by id, action or resource."""
    params = call.params
    jobs = filters.keep(
        (row for row in call.world.jobs.values() if row.product == call.product),
        filters.among("id", params.numbered("JobIds") or None),
        filters.among("group_id", params.numbered("ResourceIds") or None),
        filters.equals("action", params.text("ApiName")),
        filters.fixed(params.text("ResourceType"), "servergroup"),
    )  # fmt: skip
    return groups.page(call, "Jobs", jobs, lambda row: _job(row, call.now))


def _group(call: Call, row: ServerGroup) -> dict[str, Any]:
    return {
        "ServerGroupId": row.id, "ServerGroupName": row.name, "ServerGroupType": "Instance",
        "ServerGroupStatus": row.status, "VpcId": row.vpc_id, "Protocol": row.protocol, "Scheduler": "Wrr",
        "ServerCount": len(row.servers), "RelatedLoadBalancerIds": groups.balancers_of(call, row),
        "ResourceGroupId": "",
        "CreateTime": iso_seconds(row.created_at), "CrossZoneEnabled": True, "Ipv6Enabled": False,
        "HealthCheckConfig": {
            "HealthCheckEnabled": True, "HealthCheckProtocol": row.check.protocol,
            "HealthCheckConnectPort": row.check.port, "HealthCheckInterval": int(row.check.interval_s),
            "HealthyThreshold": row.check.healthy, "UnhealthyThreshold": row.check.unhealthy,
            "HealthCheckTimeout": 5, "HealthCheckPath": "/", "HealthCheckMethod": "HEAD",
            "HealthCheckCodes": ["http_2xx"],
        },
        "ConnectionDrainConfig": {"ConnectionDrainEnabled": False, "ConnectionDrainTimeout": 300},
        "StickySessionConfig": {"StickySessionEnabled": False}, "SlowStartConfig": {"SlowStartEnabled": False},
        "Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()],
    }  # fmt: skip


def _server(group: ServerGroup, server: BackendServer) -> dict[str, Any]:
    return {**groups.server(group, server), "RemoteIpEnabled": False}


def _listener(balancer: LoadBalancer, listener: Listener) -> dict[str, Any]:
    forward = {"ServerGroupTuples": [{"ServerGroupId": listener.group_id}]}
    return {
        "ListenerId": listener.id, "ListenerPort": listener.port, "ListenerProtocol": listener.protocol,
        "ListenerStatus": "Running", "LoadBalancerId": balancer.id, "ListenerDescription": "",
        "DefaultActions": [{"Type": "ForwardGroup", "ForwardGroupConfig": forward}],
    }  # fmt: skip


def _ill(server: BackendServer, listener: Listener) -> dict[str, Any] | None:
    status = "Unused" if server.weight == 0 else server.health
    if status == "Healthy":
        return None
    why = {"ReasonCode": "CONNECT_FAILED"} if status == "Unhealthy" else {}
    return {
        "ServerId": server.server_id, "ServerIp": server.ip, "Port": server.port or listener.backend_port,
        "Status": status, "Reason": why,
    }  # fmt: skip


def _job(row: Job, now: float) -> dict[str, Any]:
    return {
        "Id": row.id, "ApiName": row.action, "Status": "Succeeded" if now >= row.done_at else "Processing",
        "OperateType": {"A": "Create", "R": "Delete"}.get(row.action[0], "Update"), "ResourceId": row.group_id,
        "ResourceType": "servergroup", "CreateTime": int(row.started_at * 1000), "ModifyTime": int(row.done_at * 1000),
        "ErrorCode": "", "ErrorMessage": "",
    }  # fmt: skip
