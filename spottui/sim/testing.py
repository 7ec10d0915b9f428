"""The simulated cloud in a thread of its own, with its control side as methods: for tests and benchmarks.

with SimServer(instances=8, speed=0) as cloud:
    cloud.interrupt([cloud.spot_ids()[0]])
    cloud.advance(300)
    cloud.calls("CreateImage")
"""

import asyncio
import json
import ssl
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spottui.sim.serve import Endpoint, Options, running

_START_S = 30.0
_ANSWER_S = 30.0


class SimServer:
    """Start with `start()` or `with`; then `endpoint`, and the control calls, which go over HTTP."""

    def __init__(
        self, *, instances: int | None = None, regions: tuple[str, ...] | None = None, seed: int | None = None,
        speed: float | None = None, scenario: str = "quiet", bare: bool | None = None, tls: bool = False,
        config: Path | None = None, port: int = 0, start_at: float | None = None,
        hold: bool = False, world: Path | Mapping[str, Any] | None = None, accounts: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self._options = Options(
            port, instances, regions, seed, speed, bare, scenario, tls, config, start_at, hold, world, accounts
        )
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="simulated-cloud", daemon=True)
        self.endpoint: Endpoint

    def start(self) -> "SimServer":
        """Start and wait until it serves; raises what went wrong otherwise."""
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise TimeoutError("the simulated cloud did not start")
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Stop serving; open long polls are cut."""
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_START_S)

    def __enter__(self) -> "SimServer":
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, the endpoint of every service."""
        return self.endpoint.url

    def state(self, account_id: str = "") -> dict[str, Any]:
        """`GET /_sim/state`, of the first account or of another one."""
        return dict(self.control("GET", f"state?account_id={account_id}" if account_id else "state"))

    def calls(self, action: str | None = None) -> list[dict[str, Any]]:
        """`GET /_sim/calls`, of one action if given."""
        return list(self.control("GET", f"calls?action={quote(action)}" if action else "calls"))

    def interrupt(self, instance_ids: list[str], **how: Any) -> dict[str, Any]:
        """`POST /_sim/interrupt`."""
        return dict(self.control("POST", "interrupt", {"instance_ids": instance_ids, **how}))

    def fault(self, action: str, kind: str, **how: Any) -> None:
        """`POST /_sim/faults` with one fault."""
        self.control("POST", "faults", [{"action": action, "kind": kind, **how}])

    def send(self, body: str, **how: Any) -> list[str]:
        """`POST /_sim/send`; gives the message ids."""
        return list(self.control("POST", "send", {"body": body, **how})["message_ids"])

    def advance(self, seconds: float) -> None:
        """`POST /_sim/clock` with `advance_s`."""
        self.control("POST", "clock", {"advance_s": seconds})

    def speed(self, speed: float) -> None:
        """`POST /_sim/clock` with `speed`."""
        self.control("POST", "clock", {"speed": speed})

    def stock(self, stock: int, **where: str) -> None:
        """`POST /_sim/stock`, for `instance_type` and `zone`."""
        self.control("POST", "stock", {"stock": stock, **where})

    def world(self, **settings: Any) -> None:
        """`POST /_sim/world`."""
        self.control("POST", "world", settings)

    def begin(self) -> None:
        """`POST /_sim/begin`: the timeline of a scenario that was held starts now."""
        self.control("POST", "begin")

    def save(self) -> dict[str, Any]:
        """`GET /_sim/world/save`."""
        return dict(self.control("GET", "world/save"))

    def load(self, saved: dict[str, Any]) -> None:
        """`POST /_sim/world/load`."""
        self.control("POST", "world/load", saved)

    def reset(self) -> None:
        """`POST /_sim/reset`."""
        self.control("POST", "reset")

    def spot_ids(self, behavior: str = "Terminate", account_id: str = "") -> list[str]:
        """Ids of an account's spot instances with this interruption behaviour."""
        rows = self.state(account_id)["instances"]
        return [
            row["InstanceId"]
            for row in rows
            if row["SpotStrategy"] != "NoSpot" and row["SpotInterruptionBehavior"] == behavior
        ]

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Any control call; a refusal is raised as ValueError with the server's JSON."""
        connection = self._connection()
        try:
            connection.request(method, f"/_sim/{path}", None if body is None else json.dumps(body))
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise ValueError(told.decode())
        return json.loads(told)

    def _connection(self) -> HTTPConnection:
        # Straight to the port: no proxy from the environment may come between a test and loopback.
        at = self.url.partition("://")[2]
        if self.endpoint.ca_file:
            context = ssl.create_default_context(cafile=str(self.endpoint.ca_file))
            return HTTPSConnection(at, timeout=_ANSWER_S, context=context)
        return HTTPConnection(at, timeout=_ANSWER_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with running(self._options) as self.endpoint:
            self._ready.set()
            await self._stopping.wait()
