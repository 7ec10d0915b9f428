"""The function hands every notice over to the queue, once or several times, and swallows nothing."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError
from spottui.cloud.event_rules import drill_body
from spottui.cloud.mns import Queue
from spottui.domain.clock import SystemClock
from spottui.function import NotHandedOver, handler
from spottui.journal import Journal
from spottui.sim.testing import SimServer
from spottui.watch.intake import Intake
from tests.cli.running import KINDS
from tests.driving import effects

REGION = "cn-hangzhou"


@dataclass
class Role:
    """What Function Compute puts into `context.credentials`."""

    access_key_id: str
    access_key_secret: str
    security_token: str


@dataclass
class Context:
    credentials: Role


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimServer]:
    with SimServer(config=tmp_path_factory.mktemp("function") / "c.toml") as cloud:
        yield cloud


@pytest.fixture
def context(cloud: SimServer, monkeypatch: pytest.MonkeyPatch) -> Context:
    cloud.reset()
    monkeypatch.setenv("SPOTTUI_MNS_ENDPOINT", cloud.url)
    monkeypatch.setenv("SPOTTUI_QUEUE", cloud.endpoint.queue)
    key = cloud.control("POST", "sts", {})
    return Context(Role(key["access_key_id"], key["access_key_secret"], key["security_token"]))


def flat(instance_id: str = "i-bp1abc") -> str:
    at = f"{datetime.now(UTC):%Y%m%dT%H%M%S}.000+0000"
    return json.dumps({**drill_body(REGION, instance_id), "id": "E-1", "eventTime": at})


def taken_in(cloud: SimServer, directory: Path) -> list[tuple[str, int]]:
    """What a console makes of the queue: instance and duplicates of each interruption."""
    assert cloud.endpoint.config
    credentials = CredentialSource(cloud.endpoint.config.with_name("c-credentials.ini"))
    queue = Queue(cloud.url, cloud.endpoint.queue, credentials, 1)
    journal = Journal(directory / "journal.db")
    intake = Intake(journal, SystemClock(), [REGION], lambda *_: "", lambda *_: None, lambda _: None)
    while messages := queue.receive():
        intake.messages(REGION, messages)
        queue.delete(messages)
    return [(one.instance_id, one.interruption.duplicates) for one in journal.recoveries.all()]


@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        str,
        lambda body: base64.b64encode(body.encode()),
        lambda body: json.dumps([{"Message": body}]),
        lambda body: body.replace('"id"', '"instanceName": "抢占式", "id"').encode("gbk"),
    ],
)
def test_a_notice_is_handed_over_and_a_retry_of_the_platform_is_a_duplicate(
    cloud: SimServer, context: Context, tmp_path: Path, encode: object
) -> None:
    event = encode(flat())  # type: ignore[operator]
    for _ in range(3):
        assert "handed over" in handler(event, context)
    assert taken_in(cloud, tmp_path) == [("i-bp1abc", 2)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "slow"])
def test_whatever_goes_wrong_is_an_error_and_the_next_call_is_harmless(
    cloud: SimServer, context: Context, tmp_path: Path, kind: str
) -> None:
    """Twice each: the SDK itself sends a second time over a connection that was closed."""
    event = flat()
    cloud.fault("SendMessage", times=2, **KINDS[kind])  # type: ignore[arg-type]
    with pytest.raises(CloudError) as failed:
        handler(event, context)
    assert cloud.endpoint.access_key_secret not in str(failed.value)
    cloud.control("DELETE", "faults")
    handler(event, context)
    sent = len(effects(cloud, "SendMessage"))
    assert taken_in(cloud, tmp_path) == [("i-bp1abc", sent - 1)]
    assert sent == 1 or kind in ("drop_reply", "bad_json")


def test_what_is_no_notice_is_not_handed_over(
    cloud: SimServer, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"name": "Instance:StateChange", "content": {"resourceId": "i-1", "state": "Stopped"}}
    assert "not a reclaim" in handler(json.dumps(other), context)
    for body in ("", "no JSON", "{}", b"\xff\xfe", flat().replace("i-bp1abc", "../etc")):
        with pytest.raises(NotHandedOver):
            handler(body, context)
    monkeypatch.delenv("SPOTTUI_QUEUE")
    with pytest.raises(NotHandedOver, match="SPOTTUI_QUEUE"):
        handler(flat(), context)
    assert taken_in(cloud, tmp_path) == []


def test_a_queue_that_refuses_is_an_error(cloud: SimServer, context: Context) -> None:
    cloud.world(permissions={"SendMessage": "forbidden"})
    with pytest.raises(CloudError, match="AccessDenied"):
        handler(flat(), context)
    cloud.world(permissions={})
