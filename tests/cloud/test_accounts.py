"""Two accounts of the simulated cloud: each call goes out as its own account, and a role is renewed in time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spottui.cloud.accounts import CloudAccounts
from spottui.cloud.errors import CloudError, ErrorKind
from spottui.cloud.region_tools import pace_of
from spottui.config import load
from spottui.domain.clock import CloudClock
from spottui.domain.settings import Settings
from spottui.sim.testing import SimServer

HOME, PROD = "cn-hangzhou", "cn-hangzhou@prod"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[SimServer]:
    with SimServer(instances=4, speed=0, config=tmp_path / "c.toml", accounts=("prod",)) as cloud:
        yield cloud


@pytest.fixture
def settings(cloud: SimServer) -> Settings:
    assert cloud.endpoint.config
    return load(cloud.endpoint.config)


def prod_id(cloud: SimServer) -> str:
    return cloud.endpoint.accounts["prod"]


def refusal_of(accounts: CloudAccounts, region: str = PROD) -> CloudError:
    with pytest.raises(CloudError) as refused:
        accounts.regions[region].locked()
    return refused.value


def test_each_region_is_seen_with_the_credentials_of_its_account(cloud: SimServer, settings: Settings) -> None:
    accounts = CloudAccounts(settings, CloudClock())
    accounts.meet(10)
    for region, account_id in ((HOME, cloud.endpoint.account_id), (PROD, prod_id(cloud))):
        seen = {spec.instance.instance_id for page in accounts.regions[region].fleet() for spec in page}
        assert seen == {row["InstanceId"] for row in cloud.state(account_id)["instances"]}
        assert accounts.account_id(region) == account_id
    own, other = ({row["InstanceId"] for row in cloud.state(one)["instances"]} for one in ("", prod_id(cloud)))
    assert not own & other
    with pytest.raises(CloudError) as not_found:
        accounts.regions[PROD].user_data(min(own))
    assert not_found.value.kind is ErrorKind.NOT_FOUND


class Time:
    """The cloud's time and that of this machine, which goes on with it or stands still."""

    def __init__(self, cloud: SimServer) -> None:
        self._cloud = cloud
        self._elapsed_s = 0.0
        self.clock = CloudClock(elapsed_s=lambda: self._elapsed_s)

    def pass_s(self, cloud_s: float, here_s: float | None = None) -> None:
        self._cloud.advance(cloud_s)
        self._elapsed_s += cloud_s if here_s is None else here_s


def test_the_credentials_of_a_role_are_renewed_before_they_end(cloud: SimServer, settings: Settings) -> None:
    time = Time(cloud)
    ecs = CloudAccounts(settings, time.clock).regions[PROD]
    for ahead_s, assumed in ((0, 1), (2_600, 1), (200, 2)):
        time.pass_s(ahead_s)
        ecs.locked()
        ecs.locked()
        assert len(cloud.calls("AssumeRole")) == assumed
    # What STS refuses early changes nothing until the old ones end.
    cloud.fault("AssumeRole", "error", code="NoPermission", status=403, times=0)
    time.pass_s(2_800)
    ecs.locked()
    assert [row["code"] for row in cloud.calls("AssumeRole")] == [None, None, "NoPermission"]
    time.pass_s(900)
    with pytest.raises(CloudError, match="NoPermission"):
        ecs.locked()
    assert len(cloud.calls("AssumeRole")) == 4


def test_a_token_that_the_cloud_refuses_is_renewed_whatever_time_it_is_here(
    cloud: SimServer, settings: Settings
) -> None:
    time = Time(cloud)
    ecs = CloudAccounts(settings, time.clock).regions[PROD]
    ecs.locked()
    time.pass_s(4_000, here_s=20)
    with pytest.raises(CloudError, match=r"InvalidSecurityToken\.Expired"):
        ecs.locked()
    ecs.locked()
    assert len(cloud.calls("AssumeRole")) == 2


def test_a_role_that_is_refused_is_explained_and_stops_its_own_account_only(
    cloud: SimServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.world(external_ids={"spottui": "s3cr3t"})
    accounts = CloudAccounts(settings, CloudClock())
    error = refusal_of(accounts)
    assert (error.kind, error.code) == (ErrorKind.CREDENTIALS, "NoPermission")
    request_id = cloud.calls("AssumeRole")[0]["request_id"]
    for part in (request_id, "account prod", f"acs:ram::{prod_id(cloud)}:role/spottui", "setup --policy accounts"):
        assert part in error.line
    refusal_of(accounts)
    assert len(cloud.calls("AssumeRole")) == 1, "every source asks for credentials, and STS is asked once in a while"
    assert not accounts.regions[HOME].locked()
    assert "s3cr3t" not in caplog.text


def test_without_credentials_nothing_is_sent_so_no_effect_is_unknown(cloud: SimServer, settings: Settings) -> None:
    cloud.fault("AssumeRole", "reset", times=0)
    error = refusal_of(CloudAccounts(settings, CloudClock()))
    assert error.kind.repeats
    assert not error.kind.effect_unknown
    assert not [row for row in cloud.calls() if row["account_id"] == prod_id(cloud)]


def test_a_profile_of_the_credentials_file_signs_in_for_its_account(cloud: SimServer, tmp_path: Path) -> None:
    config = cloud.endpoint.config
    assert config
    credentials = tmp_path / "c-credentials.ini"
    credentials.write_text(
        credentials.read_text() + "\n[lab]\ntype = access_key\naccess_key_id = A\naccess_key_secret = B\n"
    )
    config.write_text(
        config.read_text().replace(f'role_arn = "acs:ram::{prod_id(cloud)}:role/spottui"', 'profile = "lab"')
    )
    error = refusal_of(CloudAccounts(load(config), CloudClock()))
    assert error.code == "InvalidAccessKeyId.NotFound"
    config.write_text(config.read_text().replace('profile = "lab"', 'profile = "gone"'))
    error = refusal_of(CloudAccounts(load(config), CloudClock()))
    assert error.kind is ErrorKind.CREDENTIALS
    assert "no [gone] in it; there are: default, lab" in error.line


def test_an_account_may_have_a_slower_pace_of_its_own(cloud: SimServer, tmp_path: Path) -> None:
    config = cloud.endpoint.config
    assert config
    config.write_text(config.read_text().replace("[account.prod]\n", "[account.prod]\ncalls_per_second = 30\n"))
    settings = load(config)
    assert (pace_of(settings, "prod").rate, pace_of(settings, "prod").burst) == (30, 200)
    assert pace_of(settings, "").rate == 150
