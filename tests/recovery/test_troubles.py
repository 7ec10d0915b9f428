"""What is wrong with one source is said, harms no other, and is over when its cause is."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, wait_until

FAST = {"veto_window_s": 0, "lock_poll_s": 0.5, "sweep_s": 2, "long_poll_s": 1}


def credentials_of(config: Path) -> Path:
    return config.with_name(f"{config.stem}-credentials.ini")


@contextmanager
def console_in_trouble(cloud: SimServer, config: Path) -> Iterator[Headless]:
    """A console whose words are searched for secrets and tracebacks when it ends."""
    add_policy(config, **FAST)
    secrets = (cloud.endpoint.access_key_secret, cloud.endpoint.access_key_id)
    with Headless(config, "--auto").wait_ready() as console:
        yield console
        assert console.stop() == 0
        log = config.parent / "state" / "spottui" / "spottui.log"
        said = repr(console.lines) + console.stderr() + (log.read_text() if log.exists() else "")
    assert "Traceback" not in said
    assert not [secret for secret in secrets if secret in said]


def edited(path: Path, change: Callable[[str], str]) -> str:
    before = path.read_text()
    path.write_text(change(before))
    return before


def recovers(cloud: SimServer, console: Headless) -> bool:
    victim = cloud.spot_ids()[0]
    cloud.interrupt([victim])
    return bool(wait_until(lambda: console.states().get(victim) == "recovered"))


def test_a_wrong_secret_is_named_and_mended_without_a_restart(live_cloud: SimServer, config: Path) -> None:
    right = edited(credentials_of(config), lambda text: re.sub(r"(secret = ).*", r"\1wrong", text))
    with console_in_trouble(live_cloud, config) as console:
        for source in ("queue", "lock", "sweep"):
            wait_until(lambda source=source: "SignatureDoesNotMatch" in console.source_error(source))
        credentials_of(config).write_text(right)
        wait_until(lambda: not any(console.source_error(source) for source in ("queue", "lock", "sweep")))
        assert recovers(live_cloud, console)


def test_an_empty_fleet_for_want_of_permission_is_no_quiet_fleet(live_cloud: SimServer, config: Path) -> None:
    live_cloud.world(permissions={"DescribeInstances": "empty"})
    with console_in_trouble(live_cloud, config) as console:
        wait_until(lambda: "Forbidden.RAM" in console.source_error("sweep"))
        live_cloud.world(permissions={"DescribeInstances": "allow"})
        wait_until(lambda: not console.source_error("sweep"))
        assert recovers(live_cloud, console)


def test_a_queue_that_does_not_exist_leaves_the_lock_to_be_seen(live_cloud: SimServer, config: Path) -> None:
    edited(config, lambda text: text.replace('queue = "spot-interruption"', 'queue = "elsewhere"'))
    with console_in_trouble(live_cloud, config) as console:
        wait_until(lambda: "QueueNotExist" in console.source_error("queue"))
        assert recovers(live_cloud, console)


def test_a_port_that_refuses_is_tried_until_it_answers(live_cloud: SimServer, config: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    edited(config, lambda text: re.sub(r"mns_endpoint = .*", f'mns_endpoint = "http://127.0.0.1:{port}"', text))
    with console_in_trouble(live_cloud, config) as console:
        wait_until(lambda: "refused" in console.source_error("queue"))
        with SimServer(port=port):
            # The other cloud has the same account and queue, so that its answer is a good one.
            wait_until(lambda: not console.source_error("queue"))
        assert recovers(live_cloud, console)


def test_an_https_endpoint_that_hangs_is_given_up_and_does_not_hold_the_end(
    live_cloud: SimServer, config: Path
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        address = f'"https://127.0.0.1:{silent.getsockname()[1]}"'
        edited(config, lambda text: re.sub(r"mns_endpoint = .*", f"mns_endpoint = {address}", text))
        with console_in_trouble(live_cloud, config) as console:
            wait_until(lambda: "ReceiveMessage: no answer" in console.source_error("queue"))
            assert recovers(live_cloud, console)
