"""An on-demand replacement goes back to spot by a plan that a person confirms; a second yes deletes it."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from spottui import words
from spottui.cli.assembly import open_desk
from spottui.cloud.rpc import ALB
from spottui.config import load
from spottui.domain.clock import CloudClock
from spottui.domain.facts import CallAnswered, CallBegun
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import SpotTerms
from spottui.domain.recovery import RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.region_key import region_key
from spottui.domain.settings import RegionSettings, Settings
from spottui.journal import Journal
from spottui.recovery.planner import make_plan
from spottui.sim.testing import SimServer
from tests.cli.running import own_state, run, run_json, start
from tests.driving import add_policy, effects, wait_until
from tests.journal.given import NOON, enter, observe, plan_of, record, set_plan
from tests.sim.calls import Api

REGION = "cn-hangzhou"
OLD = "i-bp1reclaimed"
RECOVERY = f"{REGION}.{OLD}.{int(NOON.timestamp())}"
WORLD = {
    "region": [{"id": REGION, "vswitch": [{"zone": f"{REGION}-h"}, {"zone": f"{REGION}-i"}]}],
    "instance": [
        {"name": "near", "type": "ecs.g7.large", "zone": f"{REGION}-h", "spot_price_limit": 0.2},
        {"name": "going", "type": "ecs.c7.large", "zone": f"{REGION}-h"},
        {"name": "rising", "type": "ecs.g7.xlarge", "zone": f"{REGION}-i"},
        {"name": "calm", "type": "ecs.c7.xlarge", "zone": f"{REGION}-i"},
        {
            "name": "dear",
            "type": "ecs.r7.large",
            "zone": f"{REGION}-h",
            "spot": False,
            "tags": {"spottui": RECOVERY, "app": "web"},
        },
    ],
    "price": [
        {"type": "ecs.g7.large", "zone": f"{REGION}-h", "price": 0.19},
        {"type": "ecs.r7.large", "zone": f"{REGION}-h", "price": 0.12},
    ],
    "stock": [{"type": "ecs.c7.large", "zone": f"{REGION}-h", "stock": 2}],
    "settings": {"interruption_rates": {"*": "0-3%"}, "image_base_s": 0, "image_s_per_gib": 0, "boot_s": 0},
}


def replaced_on_demand(journal: str, cloud: SimServer) -> str:
    """Let the journal say that `dear` was launched on-demand for a spot instance; return its id."""
    (new_id,) = [str(row["InstanceId"]) for row in cloud.state()["instances"] if row["InstanceName"] == "dear"]
    plan = plan_of(instance_id=OLD)
    instance = replace(plan.spec.instance, spot_strategy="SpotWithPriceLimit", instance_type="ecs.r7.large")
    spec = replace(plan.spec, instance=instance, spot_price_limit=0.5, spot_duration=0)
    with Journal(journal, acts=True) as opened:
        (recovery_id,) = observe(opened, Observation(REGION, OLD, Evidence.LOCK, NOON))
        assert recovery_id == RECOVERY
        set_plan(opened, recovery_id, replace(plan, spec=spec))
        record(opened, recovery_id, CallAnswered("RunInstances", resources=(new_id,)))
        enter(opened, recovery_id, RecoveryState.RECOVERED)
    return new_id


def gone_back(config: Path, instance_id: str, *options: str) -> tuple[int, str]:
    """Let an instance go back to spot from the command line; return the exit code and what was printed."""
    with start(config, "recover", instance_id, "--to-spot", "--yes", *options) as process:
        output, _ = process.communicate(timeout=60)
    return process.returncode, output


def named_dear(cloud: SimServer) -> list[dict[str, Any]]:
    return [row for row in cloud.state()["instances"] if row["InstanceName"] == "dear"]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own_state(monkeypatch, tmp_path)
    return tmp_path / "c.toml"


def test_it_goes_back_by_a_confirmed_plan_and_the_on_demand_instance_stays_until_a_second_yes(config: Path) -> None:
    with SimServer(config=config, world=WORLD) as cloud:
        add_policy(config, on_demand="true", warm_image="true", lock_poll_s=0.5)
        dear = replaced_on_demand(load(config).journal, cloud)
        other = cloud.spot_ids()[0]
        refused = run("recover", other, "--to-spot", "--dry-run", "--config", config)
        assert refused.exit_code == 1
        assert f"{other} is not an on-demand replacement of a spot instance" in refused.stderr
        assert run("recover", dear, "--to-spot", "--route", "image", "--config", config).exit_code == 2
        plan = run_json("recover", dear, "--to-spot", "--dry-run", "--config", config)
        assert plan["routes"] == ["image"]
        assert not any(place["on_demand"] for place in plan["places"])
        (note,) = [note for note in plan["notes"] if note.startswith("back to spot")]
        assert f"aliyun ecs DeleteInstance --RegionId {REGION} --InstanceId {dear} --Force true" in note
        assert not cloud.calls("CreateImage")
        code, output = gone_back(config, dear)
        assert code == 0, output
        (launch,) = [row["params"] for row in cloud.calls("RunInstances") if row["effect"]]
        assert (launch["SpotStrategy"], launch["SpotPriceLimit"]) == ("SpotWithPriceLimit", "0.5")
        assert launch["InstanceType"] == "ecs.r7.large"
        rows = {row["InstanceId"]: row for row in cloud.state()["instances"] if row["InstanceName"] == "dear"}
        assert (len(rows), rows[dear]["Status"]) == (2, "Running")
        assert not [row for row in cloud.calls() if row["action"].startswith(("Delete", "Stop", "ModifyDisk"))]
        code, output = gone_back(config, dear)
        assert (code, f"{dear} is on-demand and still billed" in output) == (0, True)
        assert len(effects(cloud, "RunInstances")) == 1
        _is_deleted_by_a_second_yes(config, cloud, dear)


def _is_deleted_by_a_second_yes(config: Path, cloud: SimServer, dear: str) -> None:
    (new_id,) = (row["InstanceId"] for row in named_dear(cloud) if row["InstanceId"] != dear)
    front = {"name": "front", "product": "alb", "port": 80, "backend_port": 8080, "servers": [dear, new_id]}
    cloud.control("POST", "balancer", {**front, "check": {"interval_s": 0.2, "healthy": 1}})
    (group,) = cloud.state()["server_groups"]
    weight = {"ServerGroupId": group["ServerGroupId"], "Servers__1__ServerId": dear, "Servers__1__ServerType": "Ecs"}
    cloud.fault("DeleteInstance", "error", match={"DryRun": "[tT]rue"}, times=0, code="Forbidden.RAM", status=403)
    with closing(open_desk(load(config), CloudClock(), auto=False, read_only=False)) as desk:

        def refusal() -> str:
            try:
                desk.delete_on_demand(REGION, dear, "ann")
            except Refused as refused:
                return str(refused)
            return ""

        assert f"{dear} has weight 100 in ALB" in refusal()
        Api(cloud, ALB)("UpdateServerGroupServersAttribute", **weight, Servers__1__Port=8080, Servers__1__Weight=0)
        wait_until(lambda: f"{new_id} gets no traffic from ALB" in refusal())
        cloud.control("POST", "service", {"instance": new_id, "ports": [8080]})
        wait_until(lambda: f"{dear} is not deleted: DeleteInstance: Forbidden.RAM" in refusal())
    cloud.control("DELETE", "faults")
    cloud.fault("DeleteInstance", "drop_reply", match={"DryRun": "[fF]alse"})
    code, output = gone_back(config, dear, "--delete-on-demand")
    assert (code, "It is unknown whether it took effect" in output) == (1, True), output
    assert [row["InstanceId"] for row in named_dear(cloud)] == [new_id]
    assert len(effects(cloud, "DeleteInstance")) == 1
    with Journal(load(config).journal, read_only=True) as journal:
        recovery = journal.recoveries.of_instance(REGION, dear)[-1]
        facts = [one.fact for one in journal.log.of(recovery.recovery_id)]
    begun = [fact for fact in facts if isinstance(fact, CallBegun) and fact.action == "DeleteInstance"]
    assert [(fact.target, bool(fact.who)) for fact in begun] == [(dear, True)]


def test_the_command_names_the_region_as_the_cloud_does() -> None:
    spec = plan_of().spec
    instance = replace(spec.instance, region=region_key(REGION, "prod"), spot_strategy="NoSpot")
    spec = replace(spec, instance=instance, back_to_spot=SpotTerms("SpotAsPriceGo"))
    settings = Settings("p", (RegionSettings(REGION, "queue", "mns", account="prod"),), "journal.db")
    (note,) = [line for line in words.warnings(make_plan(spec, settings)) if line.startswith("back to spot")]
    assert f"--RegionId {REGION} --InstanceId {instance.instance_id} " in note
