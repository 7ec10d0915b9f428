"""`spottui sim` as a program: the ready line, the written configuration, TLS, scenarios, a prompt end."""

import configparser
import json
import select
import signal
import stat
import subprocess
import sys
import time
import tomllib

import pytest
from alibabacloud_ecs20140526 import models
from click.testing import CliRunner
from mns.account import Account

from spottui.cli.sim import sim
from spottui.sim.errors import ControlError
from spottui.sim.scenario import load, names, parse
from spottui.sim.testing import SimServer
from tests.sim.conftest import REGION, ecs_client

START = "from spottui.cli.sim import sim; sim()"


def test_the_ready_line_the_files_and_the_end(tmp_path):
    config = tmp_path / "c.toml"
    arguments = ["--port", "0", "--instances", "12", "--write-config", str(config), "--scenario", "demo"]
    with subprocess.Popen([sys.executable, "-c", START, *arguments], stdout=subprocess.PIPE, text=True) as program:
        assert select.select([program.stdout], [], [], 30)[0]
        ready = json.loads(program.stdout.readline())
        program.send_signal(signal.SIGTERM)
        start = time.monotonic()
        assert program.wait(10) == 0
        assert time.monotonic() - start < 3
        assert program.stdout.read() == ""
    assert set(ready) == {
        "url", "endpoint", "ecs_endpoint", "mns_endpoint", "cms_endpoint", "metadata_url", "access_key_id",
        "access_key_secret", "account_id", "queue", "regions", "config",
    }  # fmt: skip
    written = tomllib.loads(config.read_text())
    (region,) = written["region"]
    assert (region["id"], region["queue"]) == (REGION, ready["queue"])
    assert {region[f"{service}_endpoint"] for service in ("ecs", "mns", "cms")} == {ready["url"]}
    assert set(region["vswitches"]) == {f"{REGION}-{letter}" for letter in "hij"}
    assert written["policy"] == {"veto_window_s": 3}
    credentials = config.with_name(written["credentials"]["file"])
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    ini = configparser.ConfigParser()
    ini.read(credentials)
    assert dict(ini["default"]) == {
        "type": "access_key", "access_key_id": ready["access_key_id"],
        "access_key_secret": ready["access_key_secret"],
    }  # fmt: skip


def test_every_scenario_says_why_and_is_listed():
    listed = CliRunner().invoke(sim, ["--list-scenarios"])
    assert listed.exit_code == 0
    for name in names():
        assert f"{name} " in listed.output
        assert load(name).why in listed.output


def test_a_misspelt_key_of_a_scenario_is_named():
    for text, key in (("instanses = 3", "instanses"), ("[console]\nafter = 1", "after")):
        with pytest.raises(ControlError) as refused:
            parse("mine", f'why = "because"\n{text}\n')
        assert refused.value.field == key
    with pytest.raises(ControlError) as refused:
        parse("mine", 'why = "because"\n[[at]]\nat_s = 0\nwhat = "explode"\n')
    assert refused.value.field == "what"


def test_the_start_is_the_time_of_the_world(tmp_path):
    with SimServer(speed=0, start_at=1_790_000_000.0) as cloud:
        assert cloud.state()["now"] == "2026-09-21T14:13:20.000Z"
    assert CliRunner().invoke(sim, ["--start", "yesterday"]).exit_code == 2
    (tmp_path / "w.json").write_text("[]")
    refused = CliRunner().invoke(sim, ["--world", str(tmp_path / "w.json")])
    assert refused.exit_code == 2


def test_an_unknown_scenario_is_a_usage_error():
    refused = CliRunner().invoke(sim, ["--scenario", "none"])
    assert refused.exit_code == 2
    assert "demo" in refused.output


@pytest.mark.parametrize("name", names())
def test_every_scenario_plays_through(name):
    with SimServer(scenario=name, speed=0) as cloud:
        cloud.advance(3600)
        assert cloud.state()["now"]


def test_the_demo_locks_three_one_without_stock_and_one_told_twice():
    with SimServer(scenario="demo", speed=0) as cloud:
        counts = []
        for at_s in (3.9, 0.2, 2, 2):
            cloud.advance(at_s)
            counts.append(cloud.state()["queues"][cloud.endpoint.queue]["ActiveMessages"])
        assert counts == [0, 1, 2, 4]
        state = cloud.state()
        locked = {r["InstanceName"]: r for r in state["instances"] if r["LockReasons"]}
        assert set(locked) == {"web-1", "etl-10", "ci-7"}
        assert all(r["SpotInterruptionBehavior"] == "Terminate" for r in locked.values())
        sold_out = [(s["InstanceType"], s["ZoneId"]) for s in state["stock"]]
        assert sold_out == [(locked["etl-10"]["InstanceType"], locked["etl-10"]["ZoneId"])]


def test_a_scenario_needs_the_instances_it_names():
    refused = CliRunner().invoke(sim, ["--scenario", "demo", "--instances", "3"])
    assert refused.exit_code == 2
    assert "etl-10" in refused.output


def test_options_override_a_scenario():
    with SimServer(scenario="one-plain", instances=2, speed=0) as cloud:
        assert len(cloud.state()["instances"]) == 2


def test_both_sdks_trust_the_authority_of_a_tls_run(tmp_path, monkeypatch):
    with SimServer(tls=True, speed=0, config=tmp_path / "c.toml") as cloud:
        at = cloud.endpoint
        assert at.url.startswith("https://")
        assert tomllib.loads((tmp_path / "c.toml").read_text())["ca_file"] == str(at.ca_file)
        body = ecs_client(cloud).describe_regions(models.DescribeRegionsRequest()).body
        assert body.regions.region
        monkeypatch.setenv("SSL_CERT_FILE", str(at.ca_file))
        cloud.send("x")
        queue = Account(at.url, at.access_key_id, at.access_key_secret).get_queue(at.queue)
        queue.set_encoding(False)
        assert queue.receive_message(0).message_body == "x"


def test_a_bare_cloud_has_neither_queue_nor_rule():
    with SimServer(bare=True, instances=1, speed=0) as cloud:
        assert (cloud.state()["queues"], cloud.state()["event_rules"]) == ({}, [])
