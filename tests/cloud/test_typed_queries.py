"""The generic call sends what the SDK's own client of the service sends, for every request that the program makes."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

import spottui.cloud
from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import Ecs
from spottui.config import load
from spottui.sim.testing import SimServer

REGION = "cn-hangzhou"
SOURCES = Path(spottui.cloud.__file__).parent.glob("*.py")
ACTIONS = sorted({name for file in SOURCES for name in re.findall(r"models\.(\w+)Request\(", file.read_text("utf-8"))})


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimServer, Ecs, Client]]:
    config = tmp_path_factory.mktemp("queries") / "c.toml"
    with SimServer(config=config, speed=0) as cloud:
        at = cloud.endpoint
        host = at.url.partition("://")[2]
        typed = Client(Config(at.access_key_id, at.access_key_secret, endpoint=host, protocol="HTTP", region_id=REGION))
        yield cloud, CloudAccount(load(config)).regions[REGION], typed


def filled(hint: Any) -> Any:
    """A value of that type, of a model one with everything that is documented."""
    if get_origin(hint) is list:
        return [filled(get_args(hint)[0])] * 2
    if get_origin(hint) is dict:
        return None  # Sent as one JSON text by the SDK's own client only. The program says nothing of that kind.
    if hint in (str, int, float, bool):
        return {str: "é a+b", int: 7, float: 0.5, bool: True}[hint]
    hints = get_type_hints(hint.__init__)
    return hint(**{name: filled(one) for name, one in hints.items() if name != "return"})


def test_the_program_makes_many_kinds_of_requests() -> None:
    assert len(ACTIONS) > 15


@pytest.mark.parametrize("action", ACTIONS)
def test_a_request_says_what_the_sdk_s_own_client_says(sides: tuple[SimServer, Ecs, Client], action: str) -> None:
    cloud, ecs, typed = sides
    request = filled(getattr(models, f"{action}Request"))
    own = getattr(typed, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower())
    for call in (lambda: ecs.act(action, request), lambda: own(request)):
        with suppress(Exception):  # What is asked is compared here; that most of it is refused is no matter.
            call()
    ours, theirs = (row["params"] for row in cloud.calls(action)[-2:])
    assert ours == theirs
