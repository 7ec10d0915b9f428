"""DeleteInstance of a pay-as-you-go instance; with Force a running one is switched off without a shutdown."""

from spottui.cloud.ecs import Ecs
from spottui.cloud.errors import dry_run
from spottui.cloud.sdk import models

ACTION = "DeleteInstance"


def check_deletion(ecs: Ecs, instance_id: str) -> None:
    """Raise `CloudError` if the cloud would not delete the instance now; nothing is deleted."""
    with dry_run():
        _delete(ecs, instance_id, checks_only=True)


def delete_instance(ecs: Ecs, instance_id: str) -> str:
    """Delete an instance, and the disks that are deleted with it; return the RequestId. Raises `CloudError`."""
    return _delete(ecs, instance_id, checks_only=False)


def _delete(ecs: Ecs, instance_id: str, *, checks_only: bool) -> str:
    request = models.DeleteInstanceRequest(instance_id=instance_id, force=True, dry_run=checks_only)
    return ecs.change("", ACTION, request).request_id
