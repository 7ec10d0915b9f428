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


def rule(cms, name, **pattern):
    given = {f"EventPattern__1__{key}": value for key, value in pattern.items()}
    cms("PutEventRule", RuleName=name, EventType="SYSTEM", State="ENABLED", **given)
    target = {"MnsParameters__1__Region": "cn-hangzhou", "MnsParameters__1__Queue": "spot-interruption"}
    cms("PutEventRuleTargets", RuleName=name, MnsParameters__1__Id="q", **target)


@pytest.mark.parametrize(
    ("pattern", "reaches"),
    [
        ({"Product": "ecs", "LevelList__1": "*"}, True), ({"Product": "ECS", "LevelList__1": "WARN"}, True),
        ({"Product": "ecs", "LevelList__1": "CRITICAL"}, False), ({"Product": "rds"}, False),
        ({"Product": "ecs", "NameList__1": "*"}, True), ({"Product": "ecs", "StatusList__1": "Failed"}, False),
        ({"Product": "ecs", "EventTypeList__1": "Maintenance"}, False),
    ],
)  # fmt: skip
def test_a_rule_decides_by_product_level_type_and_status(cloud, cms, victim, pattern, reaches):
    cms("DeleteEventRules", RuleNames__1="spot-interruption")
    rule(cms, "mine", **pattern)
    cloud.interrupt([victim["InstanceId"]])
    assert cloud.state()["queues"]["spot-interruption"]["ActiveMessages"] == int(reaches)


def test_a_rule_is_shown_as_it_was_put(cms):
    rule(cms, "mine", Product="ecs", LevelList__1="CRITICAL", LevelList__2="WARN", NameList__1=EVENT)
    shown = cms("DescribeEventRuleAttribute", RuleName="mine")["Result"]
    assert shown["EventPattern"]["LevelList"]["LevelList"] == ["CRITICAL", "WARN"]
    assert (shown["Name"], shown["State"], shown["EventPattern"]["Product"]) == ("mine", "ENABLED", "ecs")
    assert cms("DescribeEventRuleAttribute", RuleName="none")["Code"] == "404"
    bad = {"EventPattern__1__Product": "ecs", "EventPattern__1__LevelList__1": "LOUD"}
    with pytest.raises(ClientException) as refused:
        cms("PutEventRule", RuleName="bad", **bad)
    assert refused.value.code == "ParameterInvalid"


def test_targets_of_every_kind_are_kept_and_deleted(cloud, cms, victim):
    cms(
        "PutEventRuleTargets", RuleName="spot-interruption", WebhookParameters__1__Id="w",
        WebhookParameters__1__Url="https://example.com", WebhookParameters__1__Protocol="https",
    )  # fmt: skip
    shown = cms("DescribeEventRuleTargetList", RuleName="spot-interruption")
    assert [one["Url"] for one in shown["WebhookParameters"]["WebhookParameter"]] == ["https://example.com"]
    cms("DeleteEventRuleTargets", RuleName="spot-interruption", Ids__1="1", Ids__2="w", Ids__3="none")
    shown = cms("DescribeEventRuleTargetList", RuleName="spot-interruption")
    assert (shown["MnsParameters"]["MnsParameter"], shown["WebhookParameters"]["WebhookParameter"]) == ([], [])
    cloud.interrupt([victim["InstanceId"]])
    assert cloud.state()["queues"]["spot-interruption"]["ActiveMessages"] == 0


def test_a_drill_may_be_of_another_product(cloud, cms, queue):
    rule(cms, "databases", Product="rds")
    content = {"product": "RDS", "regionId": "cn-hangzhou", "content": {"instanceId": "rm-1"}}
    cms("SendDryRunSystemEvent", Product="rds", EventName="Instance:Failover", EventContent=json.dumps(content))
    body = json.loads(base64.b64decode(queue.receive_message(0).message_body))
    assert (body["product"], body["name"], body["content"]) == ("RDS", "Instance:Failover", {"instanceId": "rm-1"})


@pytest.mark.parametrize(
    ("asked", "found"),
    [({"Level": "WARN"}, 1), ({"Level": "INFO"}, 0), ({"Product": "RDS"}, 0), ({"EventType": "Maintenance"}, 0),
     ({"Status": "Normal"}, 1), ({"SearchKeywords": "web-1"}, 1), ({"SearchKeywords": "nothing"}, 0)],
)  # fmt: skip
def test_the_history_is_filtered(cloud, cms, victim, asked, found):
    cloud.interrupt([victim["InstanceId"]])
    assert len(cms("DescribeSystemEventAttribute", **asked)["SystemEvents"]["SystemEvent"]) == found
