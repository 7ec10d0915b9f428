"""What stands on the screen is what the simulated cloud's state says, through ten nights of the real desk."""

import json
import re
from collections import Counter
from datetime import datetime

import pytest

from spottui.cli.assembly import open_desk
from spottui.config import load
from spottui.console.app import SpottuiApp
from spottui.domain.clock import SystemClock
from spottui.sim.scenario import load as load_scenario
from spottui.sim.testing import SimServer
from tests.console.driving import WHO, only_on_demand, press, screen, wait_until
from tests.driving import add_policy

SIZE = (200, 50)
POLICY = {"veto_window_s": 0, "lock_poll_s": 0.5, "sweep_s": 2, "long_poll_s": 1}
NIGHTS = (
    "drill-only",
    "home-zone-sold-out",
    "image-create-fails",
    "local-disk",
    "lock-never",
    "no-money",
    "no-stock-anywhere",
    "nobody-confirms",
    "stop-mode",
    "two-regions",
)
_ROW = re.compile(
    r"│(?P<mark>[!✓ ]) +(?P<left>·|≤?-?[\d:]+) +(?P<id>i-[\w…]+) +(?P<name>\S+) +(?P<type>ecs\.\S+) +"
    r"(?P<zone>\S+) +(?P<lock>Recycling|[-?])(?P<more>[^│]*)│"
)
_RECOVERY = re.compile(r"│ *(?P<left>·|-?[\d:]+) +(?P<name>\S+) +(?P<state>NEEDS YOU|FAILED|veto|[a-z]+)(?P<more>.*)│$")
_PRICE = re.compile(r"¥(\d+\.\d{3})")
_PULSE = re.compile(r"(\d+) spot ¥([\d.]+)/h \((\d+)% of on-demand\)(?:, (\d+) unpriced)?")
_PLACE = re.compile(r"→ zone (?P<zone>[\w-]+).* · (?P<type>\S+)(?P<on_demand> on-demand)? ¥(?P<per_hour>[\d.]+)/h")
_MORE = re.compile(r" ([+-])¥([\d.]+)/h")
_ALARMS = {
    "NEEDS YOU": re.compile(r"(\d+) NEEDS? YOU · (?:first )?(\S+)(?: \(\w+\))? (-?[\d:]+)"),
    "FAILED": re.compile(r"(\d+) FAILED · (?:first )?(\S+)(?: \(\w+\))?(?: ([\d:]+) left)?"),
}
_OFFERED = {
    "Confirm": {"NEEDS YOU", "queued", "veto", "goes", "suspected"},
    "Go now": {"veto", "goes"},
    "Hold": {"veto", "goes"},
}
_IF_RECLAIMED = re.compile(r"(\d+) (make it|tight|lost|data kept|unknown)")
_SIGNALS = re.compile(r"\b[LEBQ]+\b")
_CODES = {"cn-hangzhou": "hz", "cn-shanghai": "sh"}
_NOT_RUNNING = {"NEEDS YOU", "FAILED", "suspected", "recovered", "skipped", "cancelled", "vetoed"}


@pytest.mark.parametrize("name", NIGHTS)
async def test_the_screen_says_what_the_cloud_says(name, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    scenario, config = load_scenario(name), tmp_path / "c.toml"
    auto = scenario.console.get("auto", True)
    with SimServer(scenario=name, hold=True, config=config) as cloud, only_on_demand():
        add_policy(config, **POLICY)
        settings = load(config)
        app = SpottuiApp(
            lambda: open_desk(settings, SystemClock(), auto=auto, read_only=False),
            clock=SystemClock(),
            who=WHO,
            title="spottui",
            keep_in=_columns_with_prices(tmp_path),
        )
        night = Night(app, cloud, scenario, settings.policy.max_at_once)
        async with app.run_test(size=SIZE) as pilot:
            await night.agrees(pilot, {})
            cloud.begin()
            await night.agrees(pilot, scenario.expect.get("recoveries") or {"web-1": "suspected"})
            if "recovered" in night.expected.values():
                await press(pilot, "3", "enter")
                await wait_until(pilot, lambda: not night.missing_in_timeline(), 5)
                await press(pilot, "escape")
            await press(pilot, "q", "q")
        assert not night.untrue


class Night:
    """A scenario, what the console shows of it, and what the cloud has."""

    def __init__(self, app, cloud, scenario, max_at_once):
        self._app, self._cloud, self._scenario, self._max_at_once = app, cloud, scenario, max_at_once
        self._before = {row["InstanceId"]: row for row in cloud.state()["instances"]}
        self._locked = set()
        self.expected = {}
        self.untrue = []
        """What the screen said at any moment before it was so: to be late is allowed, to be ahead is not."""

    async def agrees(self, pilot, recoveries):
        """Wait until the screen says what the cloud does, with these recoveries; what it says wrong is the failure."""
        self.expected = recoveries
        try:
            await wait_until(pilot, lambda: not self.differences(), 40)
        except AssertionError:
            raise AssertionError("\n".join([*self.differences(), screen(self._app)])) from None

    def differences(self):
        """Return what the screen says otherwise than the cloud."""
        text = screen(self._app)
        state = self._cloud.state()
        rows = [match.groupdict() for match in map(_ROW.search, text.splitlines()) if match]
        below = text.partition("─ Recoveries ")[2].splitlines()[1:]
        recoveries = [match.groupdict() for match in map(_RECOVERY.search, below) if match]
        self.untrue += self._ahead_of_the_cloud(state, rows, recoveries)
        return [
            *self._fleet(state, rows, text),
            *self._counts(rows, recoveries, text),
            *self._recoveries(state, recoveries),
            *self._alarm(recoveries, text),
            *self._left(state, recoveries),
            *self._footer(recoveries, text),
            *self._pulse(state, text),
            *self._header(state, recoveries, text),
            *self._prices(state, rows, recoveries, text),
        ]

    def _ahead_of_the_cloud(self, state, rows, recoveries):
        there = {_short(row["InstanceId"]): row for row in state["instances"]}
        self._locked |= {instance_id for instance_id, row in there.items() if row["LockReasons"]}
        for row in rows:
            own = there.get(_short(row["id"]))
            if own and (own["InstanceName"], own["InstanceType"], self._zone(own)) != (
                row["name"],
                row["type"],
                row["zone"],
            ):
                yield f"{row} is {own}"
            if row["lock"] == "Recycling" and _short(row["id"]) not in self._locked:
                yield f"{row['name']} was never locked"
            signals = _SIGNALS.search(row["more"])
            if bool(signals and signals[0].startswith("L")) > (_short(row["id"]) in self._locked):
                yield f"{row['name']} was never locked, but its signals are {signals[0]}"
        for row in recoveries:
            if row["state"] == "recovered" and not self._replacements(row["name"], state):
                yield f"nothing runs in the place of {row['name']}"

    def missing_in_timeline(self):
        """Return the effects of the first recovered instance that the page of its recovery does not name."""
        page = self._app.screen.text().plain
        row = next(self._replacements(name, self._cloud.state()) for name in self.expected)[0]
        named = [row["InstanceId"]]
        if row["InstanceId"] not in self._before:
            named.append(row["ImageId"])
        return [each for each in named if each not in page]

    def _fleet(self, state, rows, text):
        spot = [row for row in state["instances"] if row["SpotStrategy"] != "NoSpot"]
        if not (shown := re.search(r"([\d,]+) spot ·", text)) or int(shown[1]) != len(spot):
            yield f"{shown and shown[0]} of {len(spot)} spot instances"
        there = {(_short(r["InstanceId"]), r["InstanceName"], r["InstanceType"], self._zone(r), _lock(r)) for r in spot}
        said = {(_short(r["id"]), r["name"], r["type"], r["zone"], r["lock"]) for r in rows}
        yield from (f"only on the screen: {row}" for row in said - there)
        yield from (f"only in the cloud: {row}" for row in there - said)
        for row in rows:
            yield from self._row(row, state)

    def _row(self, row, state):
        instance = next((each for each in state["instances"] if _short(each["InstanceId"]) == _short(row["id"])), None)
        if instance is None:
            return
        recovered = self.expected.get(row["name"]) == "recovered" and instance["LockReasons"]
        mark = (
            "✓"
            if recovered
            else "!"
            if instance["InstanceId"] in self._before and row["name"] in self.expected
            else " "
        )
        if self.expected.get(row["name"]) == "recovered" and not instance["LockReasons"]:
            mark = row["mark"] if row["mark"] in "✓ " else " "
        if row["mark"] != mark:
            yield f"{row['name']} {row['id']} is marked {row['mark']!r}, not {mark!r}"
        if instance["ReleaseAt"] and instance["LockReasons"]:
            left = (_time(instance["ReleaseAt"]) - _time(state["now"])).total_seconds()
            if abs(left - _seconds(row["left"])) > 3:
                yield f"{row['name']} has {left:.0f}s left, not {row['left']}"

    def _counts(self, rows, recoveries, text):
        marks = Counter(row["mark"] for row in rows)
        for mark, word in (("!", "reclaiming"), ("✓", "saved")):
            said = re.search(rf"(\d+) {word}", text)
            if int(said[1] if said else 0) != marks[mark]:
                yield f"{said and said[0]}, but {marks[mark]} rows with {mark}"
        title = text.partition("─ Recoveries ")[2].partition("\n")[0]
        for word, count in Counter(row["state"] for row in recoveries).items():
            plural = "NEED YOU" if word == "NEEDS YOU" and count > 1 else word
            if f"{count} {plural}" not in title and word in _NOT_RUNNING:
                yield f"{count} rows {word}, but the title says {title.strip('─╮ ')}"

    def _alarm(self, recoveries, text):
        """The alarm has the count and the nearest of what wants a person, and auto-mode as the header has it."""
        header, alarm, *_ = text.splitlines()
        for word, pattern in _ALARMS.items():
            rows = sorted((row for row in recoveries if row["state"] == word), key=lambda row: _seconds(row["left"]))
            wanted = (str(len(rows)), rows[0]["name"], rows[0]["left"].replace("·", "")) if rows else None
            said = pattern.search(alarm)
            if (said and said.groups(default="")) != wanted:
                yield f"{rows} {word}, but the alarm says {alarm.strip()}"
        auto = re.search(r"AUTO (armed|off)", header)
        if any(row["state"] in _ALARMS for row in recoveries) and (auto is None or auto[0] not in alarm):
            yield f"{auto} in the header, but the alarm says {alarm.strip()}"

    def _left(self, state, recoveries):
        """A recovery has as long as the cloud gives its instance."""
        locked = {row["InstanceName"]: row for row in state["instances"] if row["LockReasons"] and row["ReleaseAt"]}
        for row in recoveries:
            if row["name"] in locked and row["left"] != "·":
                left = (_time(locked[row["name"]]["ReleaseAt"]) - _time(state["now"])).total_seconds()
                if abs(left - _seconds(row["left"])) > 3:
                    yield f"the recovery of {row['name']} has {left:.0f}s left, not {row['left']}"

    def _footer(self, recoveries, text):
        """A decision is offered where something waits for one, and only there."""
        footer = text.splitlines()[-1]
        for key, states in _OFFERED.items():
            waiting = [row["name"] for row in recoveries if row["state"] in states]
            if bool(waiting) != (f" {key}" in footer):
                yield f"{waiting} for {key}, but the footer says {footer.strip()}"

    def _pulse(self, state, text):
        """What would become of each if reclaimed now: the disks of those that are only stopped are kept."""
        pulse = "".join(text.partition("─ Pulse ")[2].splitlines()[1:2])
        spot = [row for row in state["instances"] if row["SpotStrategy"] != "NoSpot"]
        said = {word: int(count) for count, word in _IF_RECLAIMED.findall(pulse.partition("if reclaimed now: ")[2])}
        kept = sum(row["SpotInterruptionBehavior"] == "Stop" for row in spot)
        if sum(said.values()) != len(spot) or said.get("data kept", 0) != kept:
            yield f"of {len(spot)} {kept} would only be stopped, but the pulse says {pulse}"
        if ("no reclaim in" in pulse) != (not self.expected):
            yield f"{self.expected} were reclaimed, but the pulse says {pulse}"

    def _recoveries(self, state, recoveries):
        said = {row["name"]: row["state"] for row in recoveries}
        wanted = {
            name: word.replace("needs you", "NEEDS YOU").replace("failed", "FAILED")
            for name, word in self.expected.items()
        }
        if said != wanted:
            yield f"recoveries {said} instead of {wanted}"
        for row in recoveries:
            replacements = self._replacements(row["name"], state)
            if (row["state"] == "recovered") != bool(replacements):
                yield f"{row['name']} {row['state']}, but in the cloud runs {replacements}"
            for new in replacements:
                if _short(new["InstanceId"]) not in row["more"]:
                    yield f"{row['name']} runs as {new['InstanceId']}, not as in {row['more'].strip()}"
                yield from self._moved(new, row["more"])

    def _moved(self, new, more):
        old = next(row for row in self._before.values() if row["InstanceName"] == new["InstanceName"])
        if new["InstanceId"] == old["InstanceId"]:
            return
        zones = list(dict.fromkeys(row["ZoneId"].rpartition("-")[2] for row in (old, new)))
        kinds = list(dict.fromkeys(row["InstanceType"].removeprefix("ecs.") for row in (old, new)))
        if f"{'→'.join(kinds)} {'→'.join(zones)}" not in more:
            yield f"{old['InstanceName']} went {kinds} {zones}, not as in {more.strip()}"

    def _header(self, state, recoveries, text):
        header = text.splitlines()[0]
        running = sum(row["state"] not in _NOT_RUNNING for row in recoveries)
        auto = "armed" if self._scenario.console.get("auto", True) else "off"
        limit = f" of {self._max_at_once} " if auto == "armed" else " "
        if f"AUTO {auto} · {running} running{limit}" not in header:
            yield f"{running} running, AUTO {auto}, but the header says {header.strip()}"
        regions = state["regions"]
        more = f" +{len(regions) - 1}" if len(regions) > 1 else ""
        if f"cn-hangzhou{more} " not in header:
            yield f"regions {regions}, but the header says {header.strip()}"

    def _prices(self, state, rows, recoveries, text):
        """Each price is the cloud's, and the pulse is the sum of those that are shown."""
        prices = {(row["InstanceType"], row["ZoneId"]): row for row in state["prices"]}
        there = {_short(row["InstanceId"]): row for row in state["instances"] if row["SpotStrategy"] != "NoSpot"}
        shown, priced = [(row, there[_short(row["id"])]) for row in rows if _short(row["id"]) in there], []
        for row, own in shown:
            cost = prices[own["InstanceType"], own["ZoneId"]]
            if said := _PRICE.search(row["more"]):
                priced.append(cost)
                if float(said[1]) != cost["SpotPrice"]:
                    yield f"{row['name']} costs {cost}, not {said[0]}"
        spot, on_demand = (sum(cost[key] for cost in priced) for key in ("SpotPrice", "OriginPrice"))
        wanted = (len(shown), round(spot, 3), round(100 * spot / (on_demand or 1)), len(shown) - len(priced))
        said = (pulse := _PULSE.search(text)) and tuple(float(figure or 0) for figure in pulse.groups())
        if not priced or said != wanted:
            yield f"the pulse says {said}, but the rows come to {wanted}"
        for row in recoveries:
            yield from self._costs(row, state, prices)

    def _costs(self, row, state, prices):
        """What the next place of a recovery costs, and what its replacement costs more."""
        old = next(each for each in self._before.values() if each["InstanceName"] == row["name"])
        if place := _PLACE.search(row["more"]):
            zone = f"{old['RegionId']}-{place['zone'].rpartition('-')[2]}"
            cost = prices[f"ecs.{place['type']}", zone]["OriginPrice" if place["on_demand"] else "SpotPrice"]
            if float(place["per_hour"]) != cost:
                yield f"{row['name']} would cost {cost}, not {place[0]}"
        for new in self._replacements(row["name"], state):
            paid = "OriginPrice" if new["SpotStrategy"] == "NoSpot" else "SpotPrice"
            cost = prices[new["InstanceType"], new["ZoneId"]][paid]
            more = round(cost - prices[old["InstanceType"], old["ZoneId"]]["SpotPrice"], 3)
            said = _MORE.search(row["more"])
            if (float(said[1] + said[2]) if said else 0) != more:
                yield f"{row['name']} costs {more} more, not {said and said[0]}"

    def _replacements(self, name, state):
        """The instances that run in the place of a reclaimed one: new ones, or itself, started again."""
        return [
            row
            for row in state["instances"]
            if row["InstanceName"] == name
            and row["Status"] == "Running"
            and not row["LockReasons"]
            and (row["InstanceId"] not in self._before or self._was_stopped(row))
        ]

    def _was_stopped(self, row):
        started = self._cloud.calls("StartInstance")
        return any(call["params"].get("InstanceId") == row["InstanceId"] and call["effect"] for call in started)

    def _zone(self, row):
        letter = row["ZoneId"].rpartition("-")[2]
        several = len(self._scenario.options.get("regions", ())) > 1
        return f"{_CODES[row['RegionId']]}-{letter}" if several else letter


def _columns_with_prices(directory):
    kept = directory / "preferences.json"
    kept.write_text(json.dumps({"columns": {"instances": {"shown": ["price"]}}}))
    return kept


def _lock(row):
    return "Recycling" if "Recycling" in row["LockReasons"] else "-"


def _short(instance_id):
    return f"{instance_id[:6]}…{instance_id[-4:]}"


def _time(text):
    return datetime.fromisoformat(text)


def _seconds(left):
    minutes, _, seconds = left.lstrip("≤-").rpartition(":")
    return (int(minutes or 0) * 60 + int(seconds)) * (-1 if "-" in left else 1) if seconds.isdigit() else 10**6
