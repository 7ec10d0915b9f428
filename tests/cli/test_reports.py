"""A page for the post-mortem meeting, and the hand-over of a shift: told from the journal, and safe to show."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from spottui.domain import facts as f
from spottui.domain.interruption import Evidence, Observation
from spottui.domain.reasons import Failure, Reason, Why
from spottui.domain.recovery import Decision, RecoveryState, Try
from spottui.domain.savings import PlacePrice
from spottui.journal import Journal
from tests.cli.running import own_state, run, run_json
from tests.journal.given import REGION, plan_of
from tests.reclaims import record, see

NOW = datetime.now(UTC)
HOSTILE = "</title><script>alert(1)</script>\x1b[2J"
CONFIG = '[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "localhost"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own_state(monkeypatch, tmp_path)
    path = tmp_path / "c.toml"
    path.write_text(f'journal = "{tmp_path / "j.db"}"\n{CONFIG}')
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "j.db") as journal:
        yield journal


def reclaim(journal: Journal, instance_id: str, ago: timedelta, *facts: f.Fact, name: str = "") -> str:
    """An instance is reclaimed, and so many facts follow, ten seconds apart."""
    at = NOW - ago
    sign = Observation("cn-hangzhou", instance_id, Evidence.QUEUE, at)
    recovery_id = see(journal, sign, at=at, name=name).recovery_id
    for number, fact in enumerate(facts, 1):
        record(journal, recovery_id, fact, at + timedelta(seconds=10 * number))
    return recovery_id


class Page(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_of_a_post_mortem_runs_and_loads_nothing(journal: Journal, config: Path, tmp_path: Path) -> None:
    refused = Failure("CreateImage", "Forbidden.RAM", "permission", "<img src=x onerror=alert(1)>", "7A6B")
    reclaim(
        journal,
        "i-1",
        timedelta(minutes=30),
        f.Decided(Decision.CONFIRM, "mia"),
        f.StateEntered(RecoveryState.IMAGING),
        f.CallBegun("CreateImage", "token"),
        f.CallFailed("CreateImage", refused, "token"),
        f.StateEntered(RecoveryState.FAILED, Reason(Why.NO_IMAGE, failure=refused)),
        name=HOSTILE,
    )
    page = tmp_path / "p.html"
    assert run("report", "i-1", "--html", page, "--config", config).stdout == f"written: {page}\n"
    shown = Page(page.read_text("utf-8"))
    tags = {tag for tag, _ in shown.elements}
    assert {"svg", "table", "style"} <= tags
    assert not tags & {"script", "img", "link", "iframe", "a", "object"}
    assert not {key for _, attrs in shown.elements for key in attrs} & {"src", "href", "onerror", "onload"}
    assert "url(" not in page.read_text("utf-8")
    assert "\x1b" not in page.read_text("utf-8")
    policy = next(attrs["content"] for tag, attrs in shown.elements if tag == "meta" and "http-equiv" in attrs)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert HOSTILE.partition("\x1b")[0] in shown.text, "it is shown as it was, as text"
    for told in (
        "failed",
        "imaging: 30.0 s",
        "CreateImage 10.0 s failed",
        "confirmed by mia",
        "7A6B",
        "<img src=x onerror=alert(1)>",
        "deadline",
    ):
        assert told in shown.text
    assert "price per hour" in shown.text
    assert "Spot price" not in shown.text, "the journal has no price"
    assert run("report", "--since", "1h", "--html", page, "--config", config).exit_code == 2


def test_the_page_of_a_post_mortem_has_the_prices_of_both_places(
    journal: Journal, config: Path, tmp_path: Path
) -> None:
    kind, old, new = "ecs.c7.large", f"{REGION}-h", f"{REGION}-i"

    def log_price(spot: float, hours_ago: float) -> None:
        seen = f.PricesSeen((PlacePrice(kind, old, spot, 0.4),), "CNY")
        journal.run(lambda t: t.log(seen, NOW - timedelta(hours=hours_ago)))

    log_price(9.0, 200)
    log_price(0.1, 30)
    launch = Try((kind, new, False), "vsw-i", "m-1", "token")
    recovery_id = reclaim(
        journal,
        "i-1",
        timedelta(minutes=30),
        f.CallBegun("RunInstances", "token", attempt=launch),
        f.CallAnswered("RunInstances", "token", resources=("i-2",)),
        f.StateEntered(RecoveryState.RECOVERED, Reason(Why.RUNS, "i-2", new, seconds=10)),
    )
    plan = replace(plan_of(), prices=(PlacePrice(kind, old, 0.2, 0.4), PlacePrice(kind, new, 0.3, 0.4)), currency="CNY")
    journal.run(lambda t: t.set_plan(recovery_id, plan))
    log_price(9.0, -1)
    page = tmp_path / "p.html"
    run("report", "i-1", "--html", page, "--config", config)
    shown = Page(page.read_text("utf-8"))
    for said in (
        "Spot price (UTC)",
        f"old: {kind} in {old}, at last ¥0.200/h",
        f"new: {kind} in {new}, at last ¥0.300/h",
    ):
        assert said in shown.text
    lines = {attrs["class"]: attrs["d"] or "" for tag, attrs in shown.elements if tag == "path"}
    assert lines["old"].count("M") == 2, "a price holds for a day: between both nothing is known"
    assert " 16.4H" in lines["new"], "the scale ends above 0.3: what is older than a week or later is left out"


def test_a_hand_over_says_what_needs_somebody_what_is_open_and_what_happened(journal: Journal, config: Path) -> None:
    failed = f.StateEntered(RecoveryState.FAILED, Reason(Why.NO_ROOM))
    recovered = f.StateEntered(RecoveryState.RECOVERED, Reason(Why.RUNS, "i-9", "h", seconds=10))
    reclaim(journal, "i-before", timedelta(hours=9), recovered)
    reclaim(journal, "i-failed", timedelta(hours=2), failed, name="web-1")
    reclaim(journal, "i-again", timedelta(hours=3), failed)
    reclaim(journal, "i-again", timedelta(hours=1), recovered, name="web-2")
    reclaim(journal, "i-needy", timedelta(minutes=1), f.StateEntered(RecoveryState.NEEDS_YOU, Reason(Why.PLAN_READY)))
    reclaim(journal, "i-imaging", timedelta(minutes=2), f.StateEntered(RecoveryState.IMAGING))
    stop = f.Stopped(f.Stop.STOP_FILE, detail="/run/stop")
    for fact in (f.SourceFailed("queue", Failure("Receive", "X")), f.SourceFailed("lock", Failure("Describe", "Y"))):
        journal.run(lambda t, fact=fact: t.log(fact, NOW - timedelta(hours=1), "cn-hangzhou"))  # type: ignore[misc]
    journal.run(lambda t: t.log(f.SourceAnswers("lock"), NOW - timedelta(minutes=50), "cn-hangzhou"))
    journal.run(lambda t: t.log(f.Disarmed("", stop), NOW - timedelta(minutes=40)))
    told = run_json("report", "--shift", "8h", "--config", config)
    assert {one["instance_id"] for one in told["needs_somebody"]} == {"i-needy", "i-failed"}
    assert [one["instance_id"] for one in told["open"]] == ["i-imaging"]
    assert {one["instance_id"] for one in told["happened"]} == {"i-failed", "i-again"}
    assert (told["summary"]["recovered"], told["summary"]["failed"]) == (1, 2)
    assert [any(word in alarm for alarm in told["alarms"]) for word in ("NOT WATCHED", "queue fails", "/run/stop")] == [
        True
    ] * 3
    assert not any("lock fails" in alarm for alarm in told["alarms"])
    text = run("report", "--shift", "8h", "--config", config).stdout
    needs, _, rest = text.partition("Open:")
    assert "web-1 i-failed cn-hangzhou failed" in needs
    assert "press y" in needs
    assert "1 recovered, 2 failed; p50 10.0 s" in rest
    assert "i-before" not in text
    assert json.dumps(told).count("i-before") == 0
    quiet = run("report", "--shift", "1m", "--config", config).stdout
    assert "Happened:\n  nothing\n" in quiet
