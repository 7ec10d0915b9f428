"""An on-demand replacement goes back to spot by a plan that a person confirms, and is not deleted."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui import words
from spottui.config import load
from spottui.domain.facts import CallAnswered
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.launch_spec import SpotTerms
from spottui.domain.recovery import RecoveryState
from spottui.domain.region_key import region_key
from spottui.domain.settings import RegionSettings, Settings
from spottui.journal import Journal
from spottui.recovery.planner import make_plan
from spottui.sim.testing import SimServer
from tests.cli.running import own_state, run, run_json, start
from tests.driving import add_policy
from tests.journal.given import NOON, enter, observe, plan_of, record, set_plan

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


def gone_back(config: Path, instance_id: str) -> tuple[int, str]:
    """Let an instance go back to spot from the command line; return the exit code and what was printed."""
    with start(config, "recover", instance_id, "--to-spot", "--yes") as process:
        output, _ = process.communicate(timeout=60)
    return process.returncode, output


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own_state(monkeypatch, tmp_path)
    return tmp_path / "c.toml"


def test_it_goes_back_by_a_confirmed_plan_and_the_on_demand_instance_stays(config: Path) -> None:
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
        assert (code, "has already been recovered" in output) == (1, True)


def test_the_command_names_the_region_as_the_cloud_does() -> None:
    spec = plan_of().spec
    instance = replace(spec.instance, region=region_key(REGION, "prod"), spot_strategy="NoSpot")
    spec = replace(spec, instance=instance, back_to_spot=SpotTerms("SpotAsPriceGo"))
    settings = Settings("p", (RegionSettings(REGION, "queue", "mns", account="prod"),), "journal.db")
    (note,) = [line for line in words.warnings(make_plan(spec, settings)) if line.startswith("back to spot")]
    assert f"--RegionId {REGION} --InstanceId {instance.instance_id} " in note
