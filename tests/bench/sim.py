"""The simulated cloud at scale: its start, its pages and its queue, against what the bare means cost here."""

import gc
import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import psutil
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from alibabacloud_tea_openapi.utils import Utils
from darabonba.runtime import RuntimeOptions
from mns.account import Account
from mns.queue import Message, Queue

INSTANCES = 10_000
REGIONS = ("cn-hangzhou", "cn-shanghai")
STARTS, PAGES, MESSAGES = 3, 200, 4_000
BATCH = 16


def run() -> Iterator[dict[str, Any]]:
    """Start a cloud of 10,000 instances a few times; measure the last one's pages and queue."""
    starts = [_start() for _ in range(STARTS)]
    for process, _, _ in starts[:-1]:
        process.terminate()
        process.wait(10)
    process, ready, _ = starts[-1]
    try:
        yield _start_figure([seconds for _, _, seconds in starts], process.pid)
        yield _page_figure(ready, psutil.Process(process.pid))
        yield _queue_figure(ready)
        yield _memory_figure(process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _start_figure(seconds: list[float], pid: int) -> dict[str, Any]:
    floor = statistics.median(_timed(lambda: subprocess.run([sys.executable, "-c", "import aiohttp.web"], check=True))
                              for _ in range(STARTS))  # fmt: skip
    return {
        "figure": "simulated cloud: from the command to the ready line", "instances": INSTANCES,
        "median_s": round(statistics.median(seconds), 2), "max_s": round(max(seconds), 2), "runs": len(seconds),
        "target_s": 2, "floor_s": round(floor, 2), "floor": "python that imports aiohttp and ends",
        "ratio": round(statistics.median(seconds) / floor, 1), "rss_mb": _rss_mb(pid),
    }  # fmt: skip


def _page_figure(ready: dict[str, Any], server: psutil.Process) -> dict[str, Any]:
    """DescribeInstances pages of 100, every page of both regions in turn, as an SDK asks for them and without one."""
    client = _client(ready)
    _one_page(client, 0)
    # As the console does: what the SDK has imported is not walked by the collector again.
    gc.collect()
    gc.freeze()
    bodies: list[int] = []
    worked = _cpu_s(server)
    times = sorted(_milliseconds(partial(_add_page, bodies, client, page)) for page in range(PAGES))
    worked = _cpu_s(server) - worked
    bare = _bare_pages(ready)
    floor = statistics.median(_bare_exchange(max(bodies)))
    return {
        "figure": "simulated cloud: DescribeInstances page of 100, asked with the SDK", **_spread(times),
        "target_ms": 15, "server_cpu_ms": round(worked * 1000 / PAGES, 2),
        "without_sdk": _spread(bare), "page_bytes": max(bodies), "floor_ms": round(floor, 2),
        "floor": "the same bytes over a bare loopback socket", "ratio": round(statistics.median(times) / floor, 1),
    }  # fmt: skip


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _queue_figure(ready: dict[str, Any]) -> dict[str, Any]:
    """Batches of 16 sent, received and deleted with the official SDK, one consumer."""
    queue: Queue = Account(ready["url"], ready["access_key_id"], ready["access_key_secret"]).get_queue(ready["queue"])
    queue.set_encoding(False)
    rounds = MESSAGES // BATCH
    sent = _timed(lambda: [queue.batch_send_message([Message("x" * 600)] * BATCH) for _ in range(rounds)])
    taken = sorted(_timed(lambda: _take_batch(queue)) * 1000 for _ in range(rounds))
    seconds = sum(taken) / 1000
    return {
        "figure": "simulated cloud: messages received and deleted, batches of 16, one consumer of the SDK",
        "messages_per_s": round(MESSAGES / seconds), "target_per_s": 1000, "sent_per_s": round(MESSAGES / sent),
        "batch": _spread(taken), "floor_ms": round(floor := statistics.median(_bare_exchange(16_000)), 2),
        "floor": "a batch's bytes over a bare loopback socket",
        "ratio": round(statistics.median(taken) / floor, 1),
    }  # fmt: skip


def _memory_figure(pid: int) -> dict[str, Any]:
    return {
        "figure": "simulated cloud: resident memory after pages and messages", "instances": INSTANCES,
        "rss_mb": _rss_mb(pid), "target_mb": 100,
    }  # fmt: skip


def _start() -> tuple[subprocess.Popen[str], dict[str, Any], float]:
    command = [sys.executable, "-m", "spottui", "sim", "--instances", str(INSTANCES), "--regions", ",".join(REGIONS)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout
    ready = json.loads(process.stdout.readline())
    return process, ready, time.perf_counter() - began


def _client(ready: dict[str, Any]) -> Client:
    host = ready["url"].partition("://")[2]
    key = {"access_key_id": ready["access_key_id"], "access_key_secret": ready["access_key_secret"]}
    return Client(Config(**key, endpoint=host, protocol="HTTP", region_id=REGIONS[0]))


_tokens: dict[str, str] = {}


def _add_page(bodies: list[int], client: Client, number: int) -> None:
    bodies.append(_one_page(client, number))


def _one_page(client: Client, number: int) -> int:
    """The next page of a region; returns the size of its rows as JSON, outside what is measured for most of them."""
    region = REGIONS[number % len(REGIONS)]
    query = {"RegionId": region, "MaxResults": "100", "NextToken": _tokens.get(region, "")}
    params = Params(
        action="DescribeInstances", version="2014-05-26", protocol="HTTP", pathname="/", method="POST",
        auth_type="AK", style="RPC", req_body_type="formData", body_type="json",
    )  # fmt: skip
    body = client.call_api(params, OpenApiRequest(query=query), RuntimeOptions())["body"]
    _tokens[region] = body["NextToken"]
    assert len(body["Instances"]["Instance"]) == 100
    return len(json.dumps(body)) if number == 0 else 0


def _bare_pages(ready: dict[str, Any]) -> list[float]:
    """Milliseconds from the request to the last byte of each answer, over one connection that stays."""
    connection = http.client.HTTPConnection(ready["endpoint"])
    times = []
    for page in range(PAGES):
        path = _signed_path(ready, region := REGIONS[page % len(REGIONS)])
        began = time.perf_counter()
        connection.request("GET", path)
        body = connection.getresponse().read()
        times.append((time.perf_counter() - began) * 1000)
        _tokens[region] = json.loads(body)["NextToken"]
    connection.close()
    return sorted(times)


def _signed_path(ready: dict[str, Any], region: str) -> str:
    params = {
        "Action": "DescribeInstances", "Version": "2014-05-26", "Format": "JSON", "RegionId": region,
        "MaxResults": "100", "NextToken": _tokens[region], "AccessKeyId": ready["access_key_id"],
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": str(uuid4()),
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    signature = Utils.get_rpcsignature(params, "GET", ready["access_key_secret"])
    return f"/?{urlencode({**params, 'Signature': signature})}"


def _take_batch(queue: Queue) -> None:
    messages = queue.batch_receive_message(BATCH, 0)
    queue.batch_delete_message([message.receipt_handle for message in messages])


def _bare_exchange(size: int, rounds: int = 200) -> list[float]:
    """Milliseconds for a small request and an answer of `size` bytes between two sockets of this process."""
    near, far = socket.socketpair()
    answer = b"x" * size

    def once() -> None:
        near.sendall(b"GET")
        far.recv(3)
        for start in range(0, size, 65_536):
            far.sendall(answer[start : start + 65_536])
            chunk = min(65_536, size - start)
            while chunk:
                chunk -= len(near.recv(chunk))

    times = [_milliseconds(once) for _ in range(rounds)]
    near.close()
    far.close()
    return times


def _spread(times: list[float]) -> dict[str, float]:
    return {
        "median_ms": round(statistics.median(times), 2), "p99_ms": round(times[int(len(times) * 0.99)], 2),
        "max_ms": round(times[-1], 2), "runs": len(times),
    }  # fmt: skip


def _rss_mb(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss / 1e6)


def _milliseconds(what: Callable[[], object]) -> float:
    return _timed(what) * 1000


def _timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began
