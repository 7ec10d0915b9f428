"""janitor: what a recovery really left is listed, and goes only on command, when nothing is lost with it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spottui.cli.permissions import policy_document
from spottui.config import load
from spottui.journal import Journal
from spottui.words import step
from tests.cli.running import KINDS, Night, own_state, run, run_json
from tests.driving import effects


@dataclass
class After:
    """The image that the night's recovery left, and the replacement."""

    night: Night
    toml: Path
    world: dict[str, Any]
    image: str
    new: str

    def change(self, **of_new: object) -> None:
        """Let the replacement be different."""
        self.world["instances"][self.new] |= of_new
        self.night.cloud.load(self.world)

    def free(self, **image_tags: str) -> None:
        """Let the replacement run from another image, as after ReplaceSystemDisk."""
        self.world["images"][self.image]["tags"] |= image_tags
        self.change(image_id=next(iter(self.world["images"])))

    def deleted(self) -> list[str]:
        return [effect for action in ("DeleteImage", "DeleteSnapshot") for effect in effects(self.night.cloud, action)]


@pytest.fixture
def after(night: Night, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[After]:
    own_state(monkeypatch, tmp_path)
    toml = _with_own_journal(night.toml, tmp_path)
    (left,) = run_json("janitor", "--config", toml)["leftovers"]
    new = run_json("report", night.instance_id, "--config", night.toml)["new_instance_id"]
    before = night.cloud.save()
    yield After(night, toml, night.cloud.save(), left["id"], new)
    night.cloud.load(before)


def _with_own_journal(toml: Path, directory: Path) -> Path:
    """Copy a configuration and its journal: what is deleted here, the night still has."""
    journal, own = load(toml).journal, directory / "own.db"
    with closing(sqlite3.connect(journal)) as there, closing(sqlite3.connect(own)) as here:
        there.backup(here)
    copy = toml.with_name(f"{directory.name}.toml")
    copy.write_text(toml.read_text().replace(Path(journal).name, str(own)))
    return copy


def test_what_is_there_is_listed_and_what_is_in_use_stays(after: After) -> None:
    (left,) = run_json("janitor", "--config", after.toml)["leftovers"]
    assert (left["kind"], left["instance_id"], left["may_go"]) == ("image", after.night.instance_id, False)
    assert left["gib"] > 0
    assert left["expires"] > "2020-01-01"
    assert f"{after.new} runs from it" in left["held_by"]
    table = run("janitor", "--config", after.toml).stdout
    assert all(word in table for word in (after.image, after.night.instance_id, left["expires"], "no: the replacement"))
    done = run("janitor", "--delete", after.image, "--yes", "--config", after.toml)
    assert done.exit_code == 1
    assert f"{after.image}  not deleted: the replacement" in done.stdout
    after.change(status="Stopped")
    stopped = run_json("janitor", "--delete", after.image, "--yes", "--config", after.toml, exit_code=1)
    assert "not been seen running" in stopped["outcome"][after.image]
    assert after.deleted() == []


def test_nothing_goes_without_a_yes(after: After) -> None:
    after.free()
    asked = ("janitor", "--delete", after.image, "--config", after.toml)
    assert after.image in run(*asked, "--dry-run").stdout
    assert run_json(*asked, "--dry-run")["outcome"] == {after.image: "would be deleted"}
    assert run(*asked).exit_code == 2, "nobody there to say yes"
    assert run("--read-only", *asked, "--yes").exit_code == 1
    assert after.deleted() == []


def test_what_may_go_goes_with_its_snapshots_and_the_rest_is_said(after: After) -> None:
    after.free()
    done = run("janitor", "--delete", "d-unknown", after.image, "--yes", "--config", after.toml)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-2:] == [
        "d-unknown  not deleted: not a leftover of a recovery",
        f"{after.image}  deleted",
    ]
    gone = [after.image, *(one["snapshot_id"] for one in after.world["images"][after.image]["mappings"])]
    assert after.deleted() == [f"changed {one} deleted" for one in gone]
    assert run_json("janitor", "--config", after.toml) == {"leftovers": []}
    journal = Journal(Path(load(after.toml).journal))
    log = [one for known in journal.recoveries.all() for one in journal.log.of(known.recovery_id)]
    journal.close()
    begun, answered = [step(one)[1] for one in log if getattr(one.fact, "action", "") == "DeleteImage"]
    assert begun.startswith(f"{after.image}, requested by ")
    assert answered == after.image


def test_what_outlived_its_day_goes_together(after: After) -> None:
    after.free()
    assert run("janitor", "--delete-expired", "--yes", "--config", after.toml).exit_code == 0
    assert after.deleted() == [], "its day has not come"
    after.free(**{"spottui:expires": "2020-01-01"})
    assert "yes, expired" in run("janitor", "--config", after.toml).stdout
    said = run_json("janitor", "--delete-expired", "--yes", "--config", after.toml)
    assert said["outcome"] == {after.image: "deleted"}


def test_what_the_cloud_refuses_is_said(after: After) -> None:
    after.free()
    after.night.cloud.fault("DeleteImage", "error", code="OperationDenied.ImageCopying", status=403)
    after.night.cloud.fault("DeleteSnapshot", "error", code="InternalError", status=500)
    asked = ("janitor", "--delete", after.image, "--yes", "--config", after.toml)
    assert "ImageCopying" in run_json(*asked, exit_code=1)["outcome"][after.image]
    assert after.deleted() == []
    done = run(*asked)
    assert done.exit_code == 1
    assert "DeleteSnapshot: InternalError" in done.stdout, "the image is gone, its snapshot is not"
    (left,) = run_json("janitor", "--config", after.toml)["leftovers"]
    assert (left["kind"], left["may_go"]) == ("snapshot", True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deletion_that_goes_wrong_is_said_and_the_same_again_ends_well(after: After, kind: str) -> None:
    after.free()
    asked = ("janitor", "--delete", after.image, "--yes", "--config", after.toml)
    after.night.cloud.fault("DeleteImage", **KINDS[kind])  # type: ignore[arg-type]
    done = run(*asked)
    assert done.exit_code == (0 if kind == "slow" else 1)
    assert f"{after.image}  " + ("deleted" if kind == "slow" else "not deleted: DeleteImage") in done.stdout
    run("janitor", "--delete-expired", "--yes", "--config", after.toml)
    run(*asked)
    left = run_json("janitor", "--config", after.toml)["leftovers"]
    for snapshot in left:
        assert (snapshot["kind"], snapshot["may_go"]) == ("snapshot", True), "what stayed is listed"
    assert sum("DeleteImage" in row["action"] and bool(row["effect"]) for row in after.night.cloud.calls()) == 1


def test_its_policy_is_all_that_it_needs(after: After) -> None:
    after.free()
    before = len(after.night.cloud.calls())
    assert run("janitor", "--delete", after.image, "--yes", "--config", after.toml).exit_code == 0
    asked = {row["action"] for row in after.night.cloud.calls()[before:]}
    (granted,) = policy_document("clean", load(after.toml))["Statement"]
    assert {f"ecs:{action}" for action in asked} <= set(granted["Action"])
    assert "ecs:DeleteDisk" in granted["Action"]


@pytest.mark.parametrize("arguments", [["m-1"], ["--delete"], ["m-1", "--delete", "--delete-expired"], ["--force"]])
def test_what_makes_no_sense_is_refused(after: After, arguments: list[str]) -> None:
    done = run("janitor", *arguments, "--config", after.toml)
    assert done.exit_code == 2
    assert "--delete" in done.stderr or "--force" in done.stderr
