"""Some scenarios of the simulated cloud with the real console; `make test-scenarios` plays them all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from spottui.sim.scenario import load, names
from tests.scenarios import play

QUICK = ("console-killed-while-imaging", "drill-only", "drop-reply-on-launch", "no-stock-anywhere", "poison-unescaped")


def test_quick_scenarios_end_as_they_say(tmp_path: Path) -> None:
    for name in QUICK:
        (tmp_path / name).mkdir()
    with ThreadPoolExecutor(3) as pool:
        endings = list(pool.map(lambda name: play(name, tmp_path / name), QUICK))
    assert {ending.name: ending.differs for ending in endings} == dict.fromkeys(QUICK, ())


def test_every_scenario_states_its_ending() -> None:
    assert len(names()) >= 30
    assert [name for name in names() if not load(name).expect] == []
