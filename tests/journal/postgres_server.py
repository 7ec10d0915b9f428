"""A PostgreSQL of the tests' own, from Debian's package: on a free port of loopback, in a directory of its own."""

import atexit
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg

PASSWORD = "not so secret"


class PostgresServer:
    """A cluster; `address(database)` is for our configuration, the password is in `PGPASSWORD`."""

    def __init__(self, *settings: str) -> None:
        self._bin = _binaries()
        self._user = "postgres" if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix="spottui-pg-"))
        if self._user:
            shutil.chown(self.directory, self._user)
        self._data = self.directory / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._make(settings)

    def address(self, database: str, port: int = 0) -> str:
        """Return the journal's address."""
        return f"postgresql://spottui@127.0.0.1:{port or self.port}/{database}"

    def new_database(self, options: str = "") -> str:
        """Make a database and return its name."""
        name = f"j{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name} {options}")
        return name

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the owner of all."""
        with psycopg.connect(self.address(database), password=PASSWORD, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._pg_ctl("start", "-w", "-l", str(self.directory / "log"))

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: `immediate` is a crash, from which it recovers at its start."""
        self._pg_ctl("stop", "-w", "-m", mode)

    def close(self) -> None:
        """Stop it and remove all of it."""
        subprocess.run(
            [self._bin / "pg_ctl", "-D", self._data, "stop", "-m", "immediate"], user=self._user, capture_output=True
        )
        shutil.rmtree(self.directory, ignore_errors=True)

    def _make(self, settings: tuple[str, ...]) -> None:
        subprocess.run(["cp", "-a", _cluster(self._user), self._data], check=True)
        with (self._data / "postgresql.conf").open("a") as file:
            for line in (
                f"port = {self.port}", "listen_addresses = '127.0.0.1'",
                f"unix_socket_directories = '{self.directory}'", "fsync = off", "shared_buffers = 16MB",
                "max_connections = 60", *settings,
            ):  # fmt: skip
                file.write(f"{line}\n")
        self.start()

    def _pg_ctl(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._data), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        # What the server inherits it keeps open: a pipe would never end.
        with (self.directory / "said").open("w") as said:
            subprocess.run(
                [self._bin / program, *arguments], user=self._user, check=True, stdout=said, stderr=said, cwd="/"
            )


@contextmanager
def postgres_server(*settings: str) -> Iterator[PostgresServer]:
    """Give a server that runs, and `PGPASSWORD` with which it is reached."""
    server = PostgresServer(*settings)
    before = os.environ.get("PGPASSWORD")
    os.environ["PGPASSWORD"] = PASSWORD
    try:
        yield server
    finally:
        if before is None:
            del os.environ["PGPASSWORD"]
        else:
            os.environ["PGPASSWORD"] = before
        server.close()


@cache
def _cluster(user: str | None) -> Path:
    """Make a cluster that is never started: each server has a copy, which is quicker than a cluster of its own."""
    directory = Path(tempfile.mkdtemp(prefix="spottui-pg-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    if user:
        shutil.chown(directory, user)
    secret = directory / "password"
    secret.write_text(PASSWORD)
    subprocess.run(
        [
            _binaries() / "initdb", "-D", directory / "data", "-U", "spottui", "-E", "UTF8", "--locale=C", "--no-sync",
            "--auth=scram-sha-256", f"--pwfile={secret}",
        ],
        user=user, check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    return directory / "data"


def _binaries() -> Path:
    """Debian keeps them by version, others on the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: float(one.parts[4]))
    found = debian[-1] if debian else shutil.which("initdb")
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    return Path(found).parent
