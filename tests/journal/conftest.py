"""Journals in a file and in a database of the tests' own PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spottui.journal import Journal
from tests.journal.postgres_server import PostgresServer, postgres_server

Open = Callable[..., Journal]


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A server that nobody stops."""
    with postgres_server() as running:
        yield running


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server for a test that stops it."""
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["file", "database"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A journal that is not there yet, of either kind."""
    if request.param == "file":
        return str(tmp_path / "state" / "journal.db")
    server: PostgresServer = request.getfixturevalue("server")
    return server.address(server.new_database())


@pytest.fixture
def database(server: PostgresServer) -> str:
    """A journal in a database that is empty."""
    return server.address(server.new_database())


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens journals that are closed after the test."""
    journals: list[Journal] = []

    def open_one(address: str, **options: bool) -> Journal:
        journals.append(Journal(address, **options))
        return journals[-1]

    yield open_one
    for one in journals:
        one.close()
