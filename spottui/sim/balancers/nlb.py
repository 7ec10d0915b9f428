"""NLB (2022-04-30): server groups, listeners, their health and the jobs that change them."""

from typing import Any

from spottui.sim.balancers import groups, health
from spottui.sim.balancers.model import BackendServer, Listener, LoadBalancer, ServerGroup
from spottui.sim.errors import ApiError
from spottui.sim.registry import NLB, Body, Call, action


@action(NLB)
def list_server_groups(call: Call) -> Body:
    """Server groups of a region."""
    return groups.list_groups(call, lambda row: _group(call, row))


@action(NLB)
def list_server_group_servers(call: Call) -> Body:
    """Servers of a group or of all groups, by id or address."""

    def shown(group: ServerGroup, server: BackendServer) -> Body:
        instance = health.instance_of(call.world, server)
        return {**groups.server(group, server), "ZoneId": instance.zone if instance else ""}

    return groups.list_servers(call, shown)


@action(NLB, refuses=("Tag", "SecSensorEnabled"))
def list_listeners(call: Call) -> Body:
    """Listeners by id, load balancer, port and protocol."""
    return groups.page_of_listeners(call, _listener, call.params.text("ListenerPort"))


@action(NLB)
def get_listener_health_status(call: Call) -> Body:
    """The servers behind a listener that are not well."""
    _, listener = groups.listener(call)
    group = call.world.server_groups[listener.group_id]
    # The misspelt name is the one of the API.
    info = {
        "ServerGroupId": group.id, "HeathCheckEnabled": True,
        "NonNormalServers": [_ill(server, listener) for server in group.servers if server.health != "Healthy"],
    }  # fmt: skip
    status = {
        "ListenerId": listener.id, "ListenerPort": listener.port, "ListenerProtocol": listener.protocol,
        "ServerGroupInfos": [info],
    }  # fmt: skip
    return {"ListenerHealthStatus": [status], "NextToken": "", "MaxResults": 20, "TotalCount": 1}


@action(NLB)
def get_job_status(call: Call) -> Body:
    """How far a job is."""
    job = call.world.jobs.get(call.params.required("JobId"))
    if job is None or job.product != call.product:
        raise ApiError("ResourceNotFound.Job", 404, "The specified resource of job is not found.")
    return {"Status": "Succeeded" if call.now >= job.done_at else "processing"}


def _group(call: Call, row: ServerGroup) -> dict[str, Any]:
    return {
        "ServerGroupId": row.id, "ServerGroupName": row.name, "ServerGroupType": "Instance",
        "ServerGroupStatus": row.status, "VpcId": row.vpc_id, "RegionId": row.region, "Protocol": row.protocol,
        "Scheduler": "Wrr", "ServerCount": len(row.servers), "ResourceGroupId": "",
        "RelatedLoadBalancerIds": groups.balancers_of(call, row),
        "AddressIPVersion": "ipv4", "AnyPortEnabled": False, "ConnectionDrainEnabled": False,
        "ConnectionDrainTimeout": 10, "PreserveClientIpEnabled": True, "AliUid": int(call.world.account_id),
        "HealthCheck": {
            "HealthCheckEnabled": True, "HealthCheckType": row.check.protocol,
            "HealthCheckConnectPort": row.check.port, "HealthCheckInterval": int(row.check.interval_s),
            "HealthyThreshold": row.check.healthy, "UnhealthyThreshold": row.check.unhealthy,
            "HealthCheckConnectTimeout": 5, "HealthCheckUrl": "/", "HealthCheckHttpCode": ["http_2xx"],
        },
        "Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()],
    }  # fmt: skip


def _listener(balancer: LoadBalancer, listener: Listener) -> dict[str, Any]:
    return {
        "ListenerId": listener.id, "ListenerPort": listener.port, "ListenerProtocol": listener.protocol,
        "LoadBalancerId": balancer.id, "ServerGroupId": listener.group_id, "RegionId": balancer.region,
        "ListenerStatus": "Running", "ListenerDescription": "",
    }  # fmt: skip


def _ill(server: BackendServer, listener: Listener) -> dict[str, Any]:
    why = {"ReasonCode": "CONNECT_FAILED"} if server.health == "Unhealthy" else {}
    return {
        "ServerId": server.server_id, "ServerIp": server.ip, "Port": server.port or listener.backend_port,
        "Status": server.health, "Reason": why,
    }  # fmt: skip
