"""Who an instance belongs to, as its tags say."""

import pytest

from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.owner import owner_of
from spottui.tables.filter import parse
from spottui.tables.instances import INSTANCES, instance_row


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        ({}, ""),
        ({"acs:ecs:app": "web", "kubernetes.io/role": "node", "karpenter": "no"}, ""),
        ({"acs:autoscaling:scalingGroupId": "asg-1"}, "ESS asg-1"),
        ({"acs:autoprovisioninggroup:id": "apg-1"}, "AutoProvisioningGroup apg-1"),
        ({"acs:autoscaling:scalingGroupId": "asg-1", "ack.aliyun.com": "c1"}, "ACK c1"),
        ({"ack.aliyun.com": "c1", "alibabacloud.com/nodepool-id": "np1"}, "ACK np1"),
        ({"kubernetes.io/cluster/c1": "owned"}, "ACK c1"),
        ({"ack.aliyun.com": ""}, "ACK"),
        ({"acs:autoprovisioninggroup:id": "apg-1", "karpenter.sh/nodepool": "spot"}, "Karpenter spot"),
        ({"kubernetes.io/cluster/c1": "owned", "karpenter.sh/discovery": "c1"}, "Karpenter"),
    ],
)
def test_the_owner_is_the_one_that_has_the_others_do_it(tags: dict[str, str], owner: str) -> None:
    instance = Instance(
        "cn-hangzhou", "i-1", "", "", "", InstanceStatus.RUNNING, "SpotAsPriceGo", recycling=False,
        tags=tuple(tags.items()),
    )  # fmt: skip
    found = owner_of(instance)
    assert (found.label if found else "") == owner
    row = instance_row(instance, None)
    wanted = parse(f'owner="{owner}"' if owner else "-owner:~.~", INSTANCES.columns)
    assert row[INSTANCES.place("owner")] == owner
    assert wanted is not None
    assert wanted.keeps(row, 0.0), "it can be filtered by"
