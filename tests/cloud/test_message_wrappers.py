"""What wraps an event may look like one itself, by a name, an alert or a version, and hides no reclaim."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spottui.cloud.messages import RECLAIM_EVENT, OtherEvent, Poison, parse_all
from tests.cloud.test_messages import FLAT, base64_of


@pytest.mark.parametrize("name", ["my-rule", "prod: spot", RECLAIM_EVENT])
@pytest.mark.parametrize(
    "key", ["message", "messages", "Msg", "content", "detail", "body", "alert", "specversion", "whatever"]
)
@pytest.mark.parametrize("pack", [json.dumps, base64_of, lambda event: [event], lambda event: {"inner": event}])
def test_a_wrapper_with_a_name_an_alert_or_a_version_of_its_own_hides_no_reclaim(
    name: str, key: str, pack: Callable[[object], object]
) -> None:
    wrapper = {"name": name, "alert": "cpu high", "specversion": "1.0", key: pack(FLAT)}
    if "content" in wrapper:
        wrapper["name"] = "my-rule"
    assert parse_all(json.dumps(wrapper)) == parse_all(json.dumps(FLAT))


def test_an_event_without_a_colon_in_its_name_is_one_when_nothing_inside_is() -> None:
    agent = {"product": "ECS", "resourceId": "r", "name": "Agent_Stopped", "content": {}, "instanceName": "i"}
    hidden = {**agent, "instanceName": json.dumps(FLAT), "note": FLAT}
    rule = {"name": "my-rule", "message": json.dumps({"name": "inner"}), "ruleName": json.dumps(FLAT)}
    for body, name in ((agent, "Agent_Stopped"), (hidden, "Agent_Stopped"), (rule, "my-rule")):
        assert parse_all(json.dumps(body)) == (OtherEvent(name, "", name),)


def test_what_only_may_be_an_event_is_not_looked_for_in_places_that_nobody_names() -> None:
    reason = "JSON without a name, an alert or a specversion: no event of CloudMonitor"
    assert parse_all(json.dumps({"user": {"name": "joe"}})) == (Poison(reason),)


@settings(deadline=None)
@given(st.recursive(st.just(FLAT), lambda inner: st.builds(
    lambda key, held, as_text: {"name": "my-rule", key: json.dumps(held) if as_text else [1, held]},
    st.sampled_from(("message", "detail", "x", "alert")), inner, st.booleans()), max_leaves=5))  # fmt: skip
def test_wrappers_in_wrappers_hide_no_reclaim(body: object) -> None:
    assert parse_all(json.dumps(body)) == parse_all(json.dumps(FLAT))
