"""The bodies of a reclaim's system event, in each format seen on a queue."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from spottui.sim.model import EventRule, Notice
from spottui.sim.world import World

EVENT = "Instance:PreemptibleInstanceInterruption"
FORMATS = ("flat", "masked", "envelope", "cloudevents", "drill")
ENCODINGS = ("base64", "raw")
_BEIJING = timezone(timedelta(hours=8))


def about(world: World, instance_id: str, at: float, region: str) -> Notice:
    """A system event about an instance, which need not exist."""
    instance = world.instances.get(instance_id)
    action = world.settings.stop_action if instance and instance.behavior == "Stop" else "delete"
    return Notice(world.ids.event(), EVENT, at, region, instance_id, instance.name if instance else "", action)


def body(notice: Notice, account_id: str, form: str, encoding: str) -> str:
    """The message body in one of FORMATS and ENCODINGS."""
    writers = {"flat": _flat, "masked": _masked, "envelope": _envelope, "cloudevents": _cloudevents, "drill": _drill}
    text = json.dumps(writers[form](notice, account_id), ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode() if encoding == "base64" else text


def content(notice: Notice) -> dict[str, Any]:
    """What the event says apart from its envelope."""
    return notice.content or {"instanceId": notice.instance_id, "action": notice.action}


def queues_for(world: World, notice: Notice) -> list[str]:
    """The queues that enabled event rules send this event to."""
    rules = [r for r in world.event_rules.values() if r.state == "ENABLED" and _wants(r, notice)]
    targets = [target for rule in rules for target in rule.targets.values()]
    return [queue for region, queue in targets if region == notice.region and world.queues.get(queue)]


def deliver(world: World, notice: Notice, text: str, at: float) -> list[str]:
    """Put the body on every queue the event rules name; returns those queues."""
    queues = queues_for(world, notice)
    for name in queues:
        world.queues[name].send(text, at)
    return queues


def _wants(rule: EventRule, notice: Notice) -> bool:
    return (
        _has(rule.event_names, notice.name) and _has(rule.levels, notice.level)
        and _has(rule.event_types, "StatusNotification") and _has(rule.statuses, "Normal")
        and notice.product.lower() in {product.lower() for product in rule.products or (notice.product,)}
    )  # fmt: skip


def _has(wanted: tuple[str, ...], value: str) -> bool:
    return not wanted or value in wanted or "*" in wanted


def _arn(notice: Notice, account_id: str) -> str:
    kind = notice.name.partition(":")[0].lower()
    return f"acs:ecs:{notice.region}:{account_id}:{kind}/{notice.instance_id}"


def _event_time(at: float) -> str:
    local = datetime.fromtimestamp(at, _BEIJING)
    return f"{local:%Y%m%dT%H%M%S}.{local.microsecond // 1000:03d}+0800"


def _flat(notice: Notice, account_id: str) -> dict[str, Any]:
    return {
        "ver": "1.0", "id": notice.id, "product": notice.product, "resourceId": _arn(notice, account_id),
        "level": notice.level, "name": notice.name, "userId": account_id, "eventTime": _event_time(notice.at),
        "regionId": notice.region, "content": content(notice),
    }  # fmt: skip


def _masked(notice: Notice, account_id: str) -> dict[str, Any]:
    # What a user of an event rule has really received: more fields, and an action that is masked.
    about = {**content(notice), "action": "de***"}
    return {
        **_flat(notice, account_id), "serviceType": "ECS", "eventRealname": "抢占式实例中断通知",
        "eventRealnameEn": notice.name, "instanceName": "instanceName", "resource": "", "regionName": notice.region,
        "groupId": "", "eventType": "StatusNotification", "curLevel": "WARN", "status": "Normal",
        "ruleName": "抢占式实例中断事件报警", "content": about,
    }  # fmt: skip


def _drill(notice: Notice, account_id: str) -> dict[str, Any]:
    # The literal "<resource-id>" and the masked name are what the console's drill really sends.
    name = notice.instance_name
    masked = f"{name[:3]}***{name[-3:]}" if name else "ins***ame"
    return {
        "product": "ECS", "resourceId": f"acs:ecs:cn-shanghai:{account_id}:instance/<resource-id>",
        "level": "WARN", "instanceName": "instanceName", "regionId": notice.region, "groupId": "0",
        "name": notice.name, "status": "Normal",
        "content": {"instanceId": notice.instance_id, "instanceName": masked, "action": "de***"},
    }  # fmt: skip


def _envelope(notice: Notice, account_id: str) -> dict[str, Any]:
    about = content(notice)
    meta = {
        "regionId": notice.region, "resourceId": _arn(notice, account_id), "product": "ECS",
        "name": notice.name, "eventNameEn": notice.name, "eventNameZh": "抢占式实例中断通知",
        "level": "WARN", "status": "Normal", "eventType": "StatusNotification",
        "instanceName": notice.instance_name, "groupId": "", "eventTime": _event_time(notice.at),
        "id": notice.id,
    }  # fmt: skip
    alert = {
        "alertStatus": "TRIGGERED", "source": "SYS_EVENT", "product": "ECS",
        "eventType": "StatusNotification", "severity": "WARN", "groupId": "", "userId": account_id,
        "eventName": notice.name, "arn": _arn(notice, account_id), "timestamp": int(notice.at * 1000),
        "traceId": notice.id, "dedupId": notice.id, "eventContentMap": about,
        "eventRawContent": json.dumps(about), "meta": {"sysEventMeta": meta},
    }  # fmt: skip
    return {
        "batchId": notice.id, "severity": "WARN", "strategyName": "spot-interruption", "userId": account_id,
        "time": int(notice.at * 1000), "alert": alert,
        "subscription": {"conditions": [{"field": "source", "op": "EQ", "value": "SYS_EVENT"}], "relation": "AND"},
    }  # fmt: skip


def _cloudevents(notice: Notice, account_id: str) -> dict[str, Any]:
    time = datetime.fromtimestamp(notice.at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return {
        "id": notice.id, "source": "acs.ecs", "specversion": "1.0", "type": f"ecs:{notice.name}",
        "datacontenttype": "application/json;charset=utf-8", "subject": _arn(notice, account_id),
        "time": time, "aliyunaccountid": account_id, "aliyunpublishtime": time,
        "aliyuneventbusname": "default", "aliyunregionid": notice.region,
        "aliyunoriginalaccountid": account_id, "aliyunpublishaddr": "127.0.0.1",
        "data": content(notice),
    }  # fmt: skip
