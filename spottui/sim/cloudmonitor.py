"""CloudMonitor (version 2019-01-01): event rules, their targets, the history of events, drills."""

import json
from collections.abc import Callable
from typing import Any

from spottui.sim import notice
from spottui.sim.errors import ApiError, missing
from spottui.sim.model import EventRule, Notice
from spottui.sim.params import Params
from spottui.sim.registry import CLOUD_MONITOR, Body, Call, action

_OK: Body = {"Code": "200", "Success": True, "Message": ""}
_NO_RULE: Body = {"Code": "404", "Success": False, "Message": "The specified rule does not exist."}
_LEVELS = ("*", "CRITICAL", "WARN", "INFO")
_OTHER_TARGETS = ("ContactParameters", "FcParameters", "SlsParameters", "WebhookParameters", "OpenApiParameters")
_MOST_TARGETS = 5


@action(CLOUD_MONITOR)
def put_event_rule(call: Call) -> Body:
    """Create or change a rule; its targets stay."""
    params = call.params
    name = params.required("RuleName")
    patterns = params.groups("EventPattern")
    if not patterns:
        raise missing("EventPattern")
    params.choice("EventType", ("SYSTEM", "CUSTOM"), _invalid("EventType"))
    params.accept("SilenceTime")
    event_rule = call.world.event_rules.get(name)
    levels = _listed(patterns, "LevelList")
    if any(level not in _LEVELS for level in levels):
        raise _invalid("LevelList")
    call.world.event_rules[name] = EventRule(
        name, params.choice("State", ("ENABLED", "DISABLED"), _invalid("State"), "ENABLED"),
        params.text("Description"), params.text("GroupId"), _listed(patterns, "NameList"),
        tuple(p["Product"] for p in patterns if "Product" in p), event_rule.targets if event_rule else {},
        levels, _listed(patterns, "EventTypeList"), _listed(patterns, "StatusList"),
        event_rule.other_targets if event_rule else {},
    )  # fmt: skip
    call.changed(f"event rule {name}")
    return {**_OK, "Data": "1"}


@action(CLOUD_MONITOR)
def put_event_rule_targets(call: Call) -> Body:
    """Add or change targets of a rule, by target id, at most five of a kind; events go to the queues among them."""
    rule = call.world.event_rules.get(call.params.required("RuleName"))
    queues = call.params.groups("MnsParameters")
    others = {kind: found for kind in _OTHER_TARGETS if (found := call.params.groups(kind))}
    if not queues and not others:
        raise missing("MnsParameters.1.Queue")
    if rule is None:
        return dict(_NO_RULE)
    if any(len(found) > _MOST_TARGETS for found in (queues, *others.values())):
        raise ApiError("ParameterInvalid", 400, f"At most {_MOST_TARGETS} targets of a kind can be specified.")
    for n, target in enumerate(queues, 1):
        rule.targets[target.get("Id", str(n))] = (target.get("Region", ""), target.get("Queue", ""))
    for kind, found in others.items():
        of_kind = rule.other_targets.setdefault(kind, {})
        of_kind.update({target.get("Id", str(n)): target for n, target in enumerate(found, 1)})
    call.changed(f"targets of event rule {rule.name}")
    return {**_OK, "FailedParameterCount": "0"}


@action(CLOUD_MONITOR)
def delete_event_rule_targets(call: Call) -> Body:
    """Delete targets of a rule by their ids; ones that are not there are ignored."""
    rule = call.world.event_rules.get(call.params.required("RuleName"))
    ids = call.params.numbered("Ids")
    if not ids:
        raise missing("Ids.1")
    if rule is None:
        return dict(_NO_RULE)
    for target_id in ids:
        rule.targets.pop(target_id, None)
        for table in rule.other_targets.values():
            table.pop(target_id, None)
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
    """The rules whose name starts with NamePrefix, in a group and of a state if asked for."""
    params = call.params
    prefix, state, group = params.text("NamePrefix"), params.text("IsEnable").lower(), params.text("GroupId")
    rules = [
        r for r in call.world.event_rules.values()
        if r.name.startswith(prefix) and state in ("", str(r.state == "ENABLED").lower())
        and group in ("", r.group_id) and not call.blind
    ]  # fmt: skip
    page = _page(params, rules)
    return {**_OK, "Total": len(rules), "EventRules": {"EventRule": [_rule(rule) for rule in page]}}


@action(CLOUD_MONITOR)
def describe_event_rule_attribute(call: Call) -> Body:
    """One rule with its pattern."""
    rule = call.world.event_rules.get(call.params.required("RuleName"))
    if rule is None:
        return dict(_NO_RULE)
    return {**_OK, "Result": {**_rule(rule), "EventPattern": _pattern(rule)}}


@action(CLOUD_MONITOR)
def describe_event_rule_target_list(call: Call) -> Body:
    """What a rule sends to, by kind."""
    rule = call.world.event_rules.get(call.params.required("RuleName"))
    if rule is None:
        return dict(_NO_RULE)
    queues = [
        {"Id": key, "Region": region, "Queue": queue,
         "Arn": f"acs:mns:{region}:{call.world.account_id}:/queues/{queue}"}
        for key, (region, queue) in rule.targets.items()
    ]  # fmt: skip
    others = {
        kind: {kind.removesuffix("s"): list(rule.other_targets.get(kind, {}).values())} for kind in _OTHER_TARGETS
    }
    return {**_OK, "MnsParameters": {"MnsParameter": queues}, **others}


@action(CLOUD_MONITOR)
def send_dry_run_system_event(call: Call) -> Body:
    """A drill: an event to the queues of the rules that want it, and nothing behind it."""
    product, event = call.params.required("Product"), call.params.required("EventName")
    group_id = call.params.text("GroupId")
    content = _content(call.params.text("EventContent", "{}"))
    region = str(content.get("regionId") or next(iter(call.world.regions)))
    drilled = Notice(
        call.world.ids.event(), event, call.now, region, _instance_id(content), "instanceName", "delete",
        {} if event == notice.EVENT else _inner(content), product=product.upper(),
    )  # fmt: skip
    text = notice.body(drilled, call.world.account_id, "drill" if event == notice.EVENT else "flat", "base64")
    queues = [] if group_id else notice.deliver(call.world, drilled, text, call.now)
    call.changed(f"sent a drill to {', '.join(queues) or 'no queue'}")
    return {"Code": "200", "Success": "true", "Message": "success"}


@action(CLOUD_MONITOR)
def describe_system_event_attribute(call: Call) -> Body:
    """The history of events, newest first, between StartTime and EndTime (epoch milliseconds)."""
    params = call.params
    start = params.whole("StartTime", int((call.now - 86_400) * 1000), 0, 10**12 * 9) / 1000
    end = params.whole("EndTime", int(call.now * 1000) + 1, 0, 10**12 * 9) / 1000
    wanted = _wanted_events(params)
    notices = [] if call.blind else [n for n in reversed(call.world.notices) if start <= n.at <= end and wanted(n)]
    events = [_event(n, call.world.account_id) for n in _page(params, notices)]
    return {"Code": "200", "Success": "true", "Message": "", "SystemEvents": {"SystemEvent": events}}


def _wanted_events(params: Params) -> Callable[[Notice], bool]:
    name, product, level = params.text("Name"), params.text("Product").upper(), params.text("Level")
    kind, status, keywords = params.text("EventType"), params.text("Status"), params.text("SearchKeywords")
    plain = kind in ("", "StatusNotification") and status in ("", "Normal") and params.text("GroupId") in ("", "0")

    def wants(n: Notice) -> bool:
        return (
            plain and name in ("", n.name) and product in ("", n.product) and level in ("", n.level)
            and keywords in f"{n.name} {n.instance_id} {n.instance_name} {json.dumps(notice.content(n))}"
        )  # fmt: skip

    return wants


def _page(params: Params, rows: list[Any]) -> list[Any]:
    number, size = params.whole("PageNumber", 1, 1, 10**6), params.whole("PageSize", 10, 1, 100)
    return rows[(number - 1) * size : number * size]


def _listed(patterns: list[dict[str, str]], name: str) -> tuple[str, ...]:
    return tuple(v for p in patterns for k, v in p.items() if k.startswith(f"{name}."))


def _pattern(rule: EventRule) -> dict[str, Any]:
    return {
        "Product": rule.products[0] if rule.products else "",
        "NameList": {"NameList": list(rule.event_names)}, "LevelList": {"LevelList": list(rule.levels or ("*",))},
        "EventTypeList": {"EventTypeList": list(rule.event_types or ("StatusNotification",))},
        "StatusList": {"StatusList": list(rule.statuses)},
    }  # fmt: skip


def _rule(rule: EventRule) -> dict[str, Any]:
    return {
        "Name": rule.name, "EventType": "SYSTEM", "State": rule.state, "Description": rule.description,
        "GroupId": rule.group_id, "EventPattern": {"EventPattern": [_pattern(rule)]},
    }  # fmt: skip


def _event(past: Notice, account_id: str) -> dict[str, Any]:
    content = json.dumps(notice.content(past), separators=(",", ":"))
    return {
        "Name": past.name, "Status": "Normal", "Time": int(past.at * 1000), "Product": past.product,
        "ResourceId": f"acs:ecs:{past.region}:{account_id}:instance/{past.instance_id}",
        "RegionId": past.region, "Level": past.level, "Content": content, "GroupId": "0",
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


def _inner(content: dict[str, Any]) -> dict[str, Any]:
    inner = content.get("content")
    return inner if isinstance(inner, dict) and inner else content or {"instanceId": "i-abcdef"}


def _instance_id(content: dict[str, Any]) -> str:
    inner = content.get("content")
    if isinstance(inner, dict) and inner.get("instanceId"):
        return str(inner["instanceId"])
    return str(content.get("instanceId") or str(content.get("resourceId", "")).rpartition("/")[2] or "i-abcdef")


def _invalid(name: str) -> ApiError:
    return ApiError("ParameterInvalid", 400, f"The specified {name} is not valid.")
