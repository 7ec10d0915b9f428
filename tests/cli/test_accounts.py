"""Commands over two accounts: what each is told of, and what a role that is refused costs the other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui.config import load
from spottui.journal import Journal
from spottui.journal.fleet import Captured
from spottui.sim.testing import SimServer
from tests.cli.running import own_state, run, run_json, start
from tests.journal.given import NOON, observe, plan_of, sign


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimServer]:
    own_state(monkeypatch, tmp_path)
    with SimServer(instances=4, config=tmp_path / "c.toml", accounts=("prod",)) as cloud:
        yield cloud


def test_commands_name_the_account_and_a_refused_role_stops_its_own_only(cloud: SimServer) -> None:
    toml, prod_id = cloud.endpoint.config, cloud.endpoint.accounts["prod"]
    found = {one["subject"]: one for one in run_json("doctor", "--config", toml)["checks"]}
    assert found["identity default"]["found"].endswith(f"account {cloud.endpoint.account_id}")
    assert found["identity prod"]["found"].startswith(f"acs:ram::{prod_id}:assumed-role/spottui/spottui in account")
    assert "which could be assumed" in found["credentials prod"]["found"]
    assert found["fleet cn-hangzhou@prod"]["verdict"] == "ok"

    sources = run_json("status", "--config", toml)["sources"]
    assert {"lock cn-hangzhou", "lock cn-hangzhou@prod"} <= sources.keys()
    assert run_json("status", "--config", toml)["spot"] == 8

    prod_instance = cloud.spot_ids(account_id=prod_id)[0]
    plan = run_json("recover", prod_instance, "--dry-run", "--region", "cn-hangzhou", "--config", toml)
    assert (plan["region"], plan["account"]) == ("cn-hangzhou", "prod")

    twice = toml.read_text().replace(f"acs:ram::{prod_id}:", f"acs:ram::{cloud.endpoint.account_id}:")
    (toml.parent / "twice.toml").write_text(twice)
    checks = run_json("doctor", "--config", toml.parent / "twice.toml", exit_code=1)["checks"]
    (clash,) = (one for one in checks if one["subject"] == "identity prod")
    assert "which is account default too: each reclaim in cn-hangzhou would be recovered twice" in clash["found"]

    cloud.world(external_ids={"spottui": "x-1"})
    checks = run_json("doctor", "--config", toml, exit_code=1)["checks"]
    failed = {one["subject"]: one for one in checks if one["verdict"] == "FAIL"}
    assert failed.keys() == {"credentials prod"}
    assert "NoPermission" in failed["credentials prod"]["found"]
    assert failed["credentials prod"]["fix"] == "spottui setup --policy accounts"
    assert "fleet cn-hangzhou" in {one["subject"] for one in checks}
    status = run("status", "--config", toml)
    assert status.exit_code == 1
    assert "account prod" in status.stdout
    assert cloud.endpoint.access_key_secret not in status.output + json.dumps(checks)


def test_a_policy_is_for_one_account_and_the_role_is_for_the_own_identity(cloud: SimServer) -> None:
    toml, prod_id = cloud.endpoint.config, cloud.endpoint.accounts["prod"]
    assert toml
    toml.write_text(
        toml.read_text().replace(
            f'mns_endpoint = "{cloud.url}"', 'mns_endpoint = "http://777777.mns.cn-hangzhou.aliyuncs.com"', 1
        )
    )
    (statement,) = json.loads(run("setup", "--policy", "accounts", "--config", toml).stdout)["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Resource": [f"acs:ram::{prod_id}:role/spottui"],
    }
    mixed = run("setup", "--policy", "recover", "--config", toml)
    assert (mixed.exit_code, "pass --account default|prod" in mixed.stderr) == (2, True)
    own, prod = (
        run("setup", "--policy", "recover", "--account", name, "--config", toml).stdout for name in ("default", "prod")
    )
    assert "acs:mns:cn-hangzhou:777777:" in own
    assert "777777" not in prod
    refused = run("setup", "--account", "gone", "--config", toml)
    assert (refused.exit_code, "accounts: default, prod" in refused.stderr) == (2, True)
    assert run("--account", "prod", "--headless", "--config", toml).exit_code == 2, "it is for the screen"


def test_an_account_with_an_open_recovery_is_not_renamed(cloud: SimServer) -> None:
    toml = cloud.endpoint.config
    assert toml
    with Journal(load(toml).journal, acts=True) as journal:
        journal.fleet.put("cn-hangzhou", [Captured(plan_of().spec, None, NOON)])
        observe(journal, replace(sign("i-bp1open"), region="cn-hangzhou@prod"))
    text = toml.read_text().replace('account = "prod"', 'account = "live"')
    toml.write_text(text.replace("[account.prod]", "[account.live]"))
    with start(toml, "--headless") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2, said
    assert 'region.account in cn-hangzhou: found "live", which is new there' in said
    assert "the recovery of i-bp1open is in progress in account prod" in said
    assert 'allowed: "prod" until it has ended or was cancelled' in said
    assert "Traceback" not in said
    assert not cloud.calls("CreateImage")
