"""`journal = "postgresql://…"` in the configuration: what is refused, and how it is said."""

from pathlib import Path

import pytest

from spottui.config import ConfigProblem, load
from tests.cli.running import run

REST = '[[region]]\nid = "cn-hangzhou"\nqueue = "q"\nmns_endpoint = "http://127.0.0.1:9"\n'


def written(tmp_path: Path, journal: str) -> Path:
    config = tmp_path / "c.toml"
    config.write_text(f'# ours\njournal = "{journal}"\n{REST}')
    return config


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ops@db.internal/spottui",
        "postgresql://ops@one,two:5433/spottui?target_session_attrs=read-write&sslmode=verify-full",
        "postgresql://?service=spottui",
        "postgresql://ops@db/spottui?passfile=/etc/spottui/pgpass",
    ],
)
def test_an_address_is_taken_as_it_is(tmp_path: Path, address: str) -> None:
    assert load(written(tmp_path, address)).journal == address
    assert load(written(tmp_path, address.replace("postgresql", "postgres"))).journal == address


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ops:hunter2@db/spottui",
        "postgresql://ops:hunter2@one,two/spottui",
        "postgresql://ops@db/spottui?password=hunter2",
        "postgresql://ops@db/spottui?sslmode=require&sslpassword=hunter2",
        "postgres://ops@db/spottui?p%61ssword=hunter2",
        "postgresql://ops:?hunter2@db/spottui",
        "postgresql://ops:/hunter2@db/spottui",
        "mysql://ops:hunter2@db/spottui",
        "postgresql://ops:hunter2@[db/spottui",
    ],
)
def test_a_password_is_refused_and_not_repeated(tmp_path: Path, address: str) -> None:
    config = written(tmp_path, address)
    with pytest.raises(ConfigProblem, match=r"c\.toml, line 2: journal: found .*; allowed: "):
        load(config)
    done = run("status", "--config", config)
    assert done.exit_code == 2
    assert "hunter2" not in done.output


@pytest.mark.parametrize("command", [["status"], ["report", "--since", "1d"], ["janitor"]])
def test_a_database_that_is_out_of_reach_is_said_in_words(tmp_path: Path, command: list[str]) -> None:
    config = written(tmp_path, "postgresql://ops@127.0.0.1:1/spottui")
    done = run(*command, "--config", config)
    assert done.exit_code == 2, done.output
    assert "journal postgresql://ops@127.0.0.1:1/spottui: " in done.output
    assert "refused" in done.output
