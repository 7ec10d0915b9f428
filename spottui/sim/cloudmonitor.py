"""CloudMonitor (version 2019-01-01): event rules, their targets, the history of events, drills."""

import json
from collections.abc import Callable
from typing import Any

from spottui.sim import notice
from spottui.sim.errors import ApiError, missing
from spottui.sim.model import EventRule, Notice
from spottui.sim.registry import CLOUD_MONITOR, Body, Call, action

_OK: Body = {"Code": "200", "Success": True, "Message": ""}


@action(CLOUD_MONITOR)
def put_event_rule(call: Call) -> Body:
    """Create or change a rule; its targets stay."""
    params = call.params
    name = params.required("RuleName")
    patterns = params.groups("EventPattern")
    if not patterns:
        raise missing("EventPattern")
    known = call.world.event_rules.get(name)
    call.world.event_rules[name] = EventRule(
        name, params.text("State", "ENABLED"), params.text("Description"), params.text("GroupId"),
        tuple(v for p in patterns for k, v in p.items() if k.startswith("NameList.")),
        tuple(p["Product"] for p in patterns if "Product" in p), known.targets if known else {},
    )  # fmt: skip
    call.changed(f"event rule {name}")
    return {**_OK, "Data": "1"}


@action(CLOUD_MONITOR)
def put_event_rule_targets(call: Call) -> Body:
    """Add or change queue targets of a rule, by target id, at most five."""
    rule = call.world.event_rules.get(call.params.required("RuleName"))
    targets = call.params.groups("MnsParameters")
    if not targets:
        raise missing("MnsParameters.1.Queue")
    if rule is None:
        return {"Code": "404", "Success": False, "Message": "The specified rule does not exist."}
    if len(targets) > 5:
        raise ApiError("ParameterInvalid", 400, "At most 5 MNS targets can be specified.")
    for n, target in enumerate(targets, 1):
        rule.targets[target.get("Id", str(n))] = (target.get("Region", ""), target.get("Queue", ""))
    call.changed(f"targets of event rule {rule.name}")
    return {**_OK, "FailedParameterCount": "0"}


@action(CLOUD_MONITOR)
def delete_event_rules(call: Call) -> Body:
    """Delete rules by name; ones that are not there are ignored."""
    return _each_rule(call, lambda rule: call.world.event_rules.__delitem__(rule.name), "deleted")


@action(CLOUD_MONITOR)
def enable_event_rules(call: Call) -> Body:
    """Let rules deliver again."""
    return _each_rule(call, lambda rule: setattr(rule, "state", "ENABLED"), "ENABLED")


@action(CLOUD_MONITOR)
def disable_event_rules(call: Call) -> Body:
    """Let rules deliver nothing."""
    return _each_rule(call, lambda rule: setattr(rule, "state", "DISABLED"), "DISABLED")


def _each_rule(call: Call, act: Callable[[EventRule], None], what: str) -> Body:
    names = call.params.numbered("RuleNames")
    if not names:
        raise missing("RuleNames.1")
    for rule in [call.world.event_rules[name] for name in names if name in call.world.event_rules]:
        act(rule)
    call.changed(f"event rules {', '.join(names)} {what}")
    return dict(_OK)


@action(CLOUD_MONITOR)
def describe_event_rule_list(call: Call) -> Body:
    """The rules whose name starts with NamePrefix."""
    prefix = call.params.text("NamePrefix")
    rules = [r for r in call.world.event_rules.values() if r.name.startswith(prefix) and not call.blind]
    number, size = call.params.whole("PageNumber", 1, 1, 10**6), call.params.whole("PageSize", 10, 1, 100)
    page = rules[(number - 1) * size : number * size]
    return {**_OK, "Total": len(rules), "EventRules": {"EventRule": [_rule(rule) for rule in page]}}


@action(CLOUD_MONITOR)
def describe_event_rule_target_list(call: Call) -> Body:
    """The queues a rule sends to."""
    rule = call.world.event_rules.get(call.params.required("RuleName"))
    if rule is None:
        return {"Code": "404", "Success": False, "Message": "The specified rule does not exist."}
    targets = [
        {"Id": key, "Region": region, "Queue": queue,
         "Arn": f"acs:mns:{region}:{call.world.account_id}:/queues/{queue}"}
        for key, (region, queue) in rule.targets.items()
    ]  # fmt: skip
    return {**_OK, "MnsParameters": {"MnsParameter": targets}}


@action(CLOUD_MONITOR)
def send_dry_run_system_event(call: Call) -> Body:
    """A drill: a notice in the drill's form to the queues of the rules, and nothing behind it."""
    call.params.required("Product")
    event = call.params.required("EventName")
    if event != notice.EVENT:
        raise ApiError("ParameterInvalid", 400, "The specified EventName is not supported by this cloud.")
    content = _content(call.params.text("EventContent", "{}"))
    region = str(content.get("regionId") or next(iter(call.world.regions)))
    drilled = Notice(call.world.ids.event(), event, call.now, region, _instance_id(content), "instanceName", "delete")
    text = notice.body(drilled, call.world.account_id, "drill", "base64")
    queues = notice.deliver(call.world, drilled, text, call.now)
    call.changed(f"sent a drill to {', '.join(queues) or 'no queue'}")
    return {"Code": "200", "Success": "true", "Message": "success"}


@action(CLOUD_MONITOR)
def describe_system_event_attribute(call: Call) -> Body:
    """The history of events, newest first, between StartTime and EndTime (epoch milliseconds)."""
    params = call.params
    start = params.whole("StartTime", int((call.now - 86_400) * 1000), 0, 10**12 * 9) / 1000
    end = params.whole("EndTime", int(call.now * 1000) + 1, 0, 10**12 * 9) / 1000
    name = params.text("Name")
    found = [] if call.blind else [
        n for n in reversed(call.world.notices) if start <= n.at <= end and name in ("", n.name)
    ]  # fmt: skip
    number, size = params.whole("PageNumber", 1, 1, 10**6), params.whole("PageSize", 10, 1, 100)
    page = found[(number - 1) * size : number * size]
    events = [_event(n, call.world.account_id) for n in page]
    return {"Code": "200", "Success": "true", "Message": "", "SystemEvents": {"SystemEvent": events}}


def _rule(rule: EventRule) -> dict[str, Any]:
    pattern = {
        "Product": rule.products[0] if rule.products else "",
        "NameList": {"NameList": list(rule.event_names)}, "LevelList": {"LevelList": ["*"]},
        "EventTypeList": {"EventTypeList": ["StatusNotification"]},
    }  # fmt: skip
    return {
        "Name": rule.name, "EventType": "SYSTEM", "State": rule.state, "Description": rule.description,
        "GroupId": rule.group_id, "EventPattern": {"EventPattern": [pattern]},
    }  # fmt: skip


def _event(past: Notice, account_id: str) -> dict[str, Any]:
    content = json.dumps(notice.content(past), separators=(",", ":"))
    return {
        "Name": past.name, "Status": "Normal", "Time": int(past.at * 1000), "Product": "ECS",
        "ResourceId": f"acs:ecs:{past.region}:{account_id}:instance/{past.instance_id}",
        "RegionId": past.region, "Level": "WARN", "Content": content, "GroupId": "0",
        "InstanceName": past.instance_name,
    }  # fmt: skip


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ApiError("ParameterInvalid", 400, "The specified EventContent is not a JSON object.")
    return content


def _instance_id(content: dict[str, Any]) -> str:
    inner = content.get("content")
    if isinstance(inner, dict) and inner.get("instanceId"):
        return str(inner["instanceId"])
    return str(content.get("instanceId") or str(content.get("resourceId", "")).rpartition("/")[2] or "i-abcdef")
