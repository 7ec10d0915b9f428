"""Which instances are kept ready, and how old their system may be, whatever their tags say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spottui.domain.dates import seconds_of
from spottui.domain.instance import Instance, InstanceStatus
from spottui.domain.ready import OLDEST_S, READY_TAG, ReadyPolicy, ready_policy
from spottui.domain.settings import ReadySettings, Settings

WEB = ReadySettings({"role": "web", "env": ""}, image_every="4h", snapshots_every="15m")
ALL_WITH_A_ROLE = ReadySettings({"role": ""}, image_every="1d")
SETTINGS = Settings("test", (), str(Path("journal.db")), ready=(WEB, ALL_WITH_A_ROLE))


def _instance(**tags: str) -> Instance:
    named = tuple((key.replace("ready", READY_TAG), value) for key, value in tags.items())
    return Instance(
        "cn-hangzhou", "i-1", "web", "ecs.c7.large", "cn-hangzhou-h", InstanceStatus.RUNNING, "SpotAsPriceGo", False,
        tags=named,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tags", "policy"),
    [
        ({"role": "web", "env": "prod"}, ReadyPolicy(8 * 3600.0, WEB)),
        ({"role": "web"}, ReadyPolicy(2 * 86_400.0, ALL_WITH_A_ROLE)),
        ({"env": "prod"}, None),
        ({"ready": "6h"}, ReadyPolicy(6 * 3600.0)),
        ({"ready": "90m", "role": "db"}, ReadyPolicy(5400.0, ALL_WITH_A_ROLE)),
        ({"ready": "always", "role": "db"}, ReadyPolicy(2 * 86_400.0, ALL_WITH_A_ROLE)),
    ],
)
def test_the_first_table_that_matches_holds_and_the_tag_says_the_age(
    tags: dict[str, str], policy: ReadyPolicy | None
) -> None:
    assert ready_policy(SETTINGS, _instance(**tags)) == policy


@given(st.one_of(st.text(), st.from_regex(r"[0-9]{1,6}[mhdsw]\n?", fullmatch=True)))
def test_a_tag_never_schedules_anything_and_never_allows_more_than_its_limit(value: str) -> None:
    policy = ready_policy(SETTINGS, _instance(ready=value))
    if policy is not None:
        assert policy.schedule is None
        assert policy.system_age_s == seconds_of(value)
        assert 60 <= policy.system_age_s <= OLDEST_S
