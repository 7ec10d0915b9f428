"""CloudMonitor: rules decide where events go, drills lock nothing, the history fills gaps."""

import base64
import json

import pytest
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from mns.mns_exception import MNSServerException

EVENT = "Instance:PreemptibleInstanceInterruption"


@pytest.fixture
def cms(cloud):
    at = cloud.endpoint
    client = Client(
        Config(
            access_key_id=at.access_key_id, access_key_secret=at.access_key_secret,
            endpoint=at.url.partition("://")[2], protocol="HTTP",
        )
    )  # fmt: skip

    def call(action, **query):
        params = Params(
            action=action, version="2019-01-01", protocol="HTTP", pathname="/", method="POST",
            auth_type="AK", style="RPC", req_body_type="formData", body_type="json",
        )  # fmt: skip
        request = OpenApiRequest(query={k.replace("__", "."): str(v) for k, v in query.items()})
        return client.call_api(params, request, RuntimeOptions())["body"]

    return call


def test_a_drill_arrives_in_the_drills_form(cloud, cms, queue):
    content = json.dumps({"product": "ECS", "regionId": "cn-hangzhou", "resourceId": "x:instance/i-1"})
    answer = cms("SendDryRunSystemEvent", Product="ecs", EventName=EVENT, EventContent=content)
    assert (answer["Code"], answer["Success"]) == ("200", "true")
    body = json.loads(base64.b64decode(queue.receive_message(0).message_body))
    assert (body["name"], body["content"]["instanceId"]) == (EVENT, "i-1")
    assert "eventTime" not in body
    assert not any(row["LockReasons"] for row in cloud.state()["instances"])


def test_the_history_keeps_notices_the_queue_never_saw_but_no_drill(cloud, cms, victim):
    cloud.interrupt([victim["InstanceId"]], queue=False)
    cloud.interrupt([victim["InstanceId"]], format="drill")
    found = cms("DescribeSystemEventAttribute", Product="ECS", Name=EVENT)["SystemEvents"]["SystemEvent"]
    assert [json.loads(e["Content"])["instanceId"] for e in found] == [victim["InstanceId"]]
    end = found[0]["Time"] - 1
    earlier = cms("DescribeSystemEventAttribute", Product="ECS", StartTime=0, EndTime=end)
    assert earlier["SystemEvents"]["SystemEvent"] == []


def test_rules_decide_which_queue_gets_the_event(cloud, cms, queue, victim):
    rules = cms("DescribeEventRuleList")["EventRules"]["EventRule"]
    assert [r["Name"] for r in rules] == ["spot-interruption"]
    targets = cms("DescribeEventRuleTargetList", RuleName="spot-interruption")
    assert targets["MnsParameters"]["MnsParameter"][0]["Queue"] == queue.queue_name
    pattern = {"EventPattern__1__Product": "ecs", "EventPattern__1__NameList__1": EVENT}
    cms("PutEventRule", RuleName="spot-interruption", EventType="SYSTEM", State="DISABLED", **pattern)
    cloud.interrupt([victim["InstanceId"]])
    with pytest.raises(MNSServerException):
        queue.receive_message(0)
    cms("PutEventRule", RuleName="mine", EventType="SYSTEM", State="ENABLED", **pattern)
    target = {"MnsParameters__1__Region": "cn-hangzhou", "MnsParameters__1__Queue": queue.queue_name}
    cms("PutEventRuleTargets", RuleName="mine", MnsParameters__1__Id="1", **target)
    cloud.interrupt([victim["InstanceId"]])
    assert queue.receive_message(0)


def test_a_rule_that_is_not_there_fails_with_200(cms):
    answer = cms("PutEventRuleTargets", RuleName="none", MnsParameters__1__Queue="q")
    assert (answer["Code"], answer["Success"]) == ("404", False)


def test_an_ecs_action_is_not_one_of_cloudmonitor(cms):
    with pytest.raises(ClientException) as refused:
        cms("DescribeInstances")
    assert refused.value.code == "InvalidAction.NotFound"
