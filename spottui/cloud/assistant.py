"""Cloud Assistant: a shell command on a running instance (docs/alibaba-facts.md 6.1)."""

import base64

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.ecs import Answer, Ecs, created
from spottui.cloud.sdk import models


def run_command(ecs: Ecs, instance_id: str, name: str, command: str, timeout_s: float, token: str) -> Answer:
    """Start a command, which is listed by its name; the answer's id is the invocation's.

    Whether a locked instance accepts it is UNCONFIRMED.
    """
    request = models.RunCommandRequest(
        region_id=ecs.region_id,
        type="RunShellScript",
        name=name,
        command_content=base64.b64encode(command.encode()).decode(),
        content_encoding="Base64",
        instance_id=[instance_id],
        timeout=max(1, int(timeout_s)),
        client_token=token,
    )
    body = ecs.act("RunCommand", request)
    return created("RunCommand", body.get("InvokeId"), body)


def invocation(ecs: Ecs, invoke_id: str, instance_id: str) -> shapes.Invocation | None:
    """Return the result of a command on an instance so far, or None while there is none."""
    body = ecs.read("DescribeInvocationResults", {"InvokeId": invoke_id, "InstanceId": instance_id})
    return ecs.parsed("DescribeInvocationResults", shapes.invocation, body)
