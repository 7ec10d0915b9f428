"""A recovery is over when the replacement serves: probes against what listens on simulated instances."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from spottui.domain.probe import Miss, Missed, ProbeSettings
from spottui.recovery import probes
from spottui.sim.testing import SimServer
from tests.driving import add_policy, effects, wait_until
from tests.recovery.test_routes import Acting, details, tag_instance
from tests.sim.balancing import BACKEND_PORT, fleet, named

PROBES = f"""
[probe.web]
http = "http://{{ip}}:{BACKEND_PORT}/"
body = "web-"
patience = "3s"
every = "1s"

[probe.jobs]
command = "systemctl is-active jobs"
every = "1s"
"""


@pytest.fixture
def web(config: Path) -> Iterator[SimServer]:
    """Web servers that listen on addresses of this machine."""
    world = fleet()
    world["instance"].append({"name": "edge", "type": "ecs.g7.large", "zone": "cn-hangzhou-h", "eip": True})
    with SimServer(world=world, config=config) as cloud:
        saved = cloud.save()
        for eip in saved["eips"].values():
            eip["address"] = "127.0.0.1"
        cloud.load(saved)
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        add_policy(config, veto_window_s=0, max_at_once=50, lock_poll_s=0.5, sweep_s=2, probe='"web"')
        with config.open("a") as file:
            file.write(PROBES)
            # Nothing but the simulated cloud itself is at the EIP's address.
            port = cloud.url.rpartition(":")[2]
            file.write(f'[probe.edge]\nhttp = "http://{{ip}}:{port}/_sim/state"\naddress = "public"\n')
        yield cloud


def test_a_replacement_that_runs_is_recovered_only_when_it_serves(web: SimServer, config: Path) -> None:
    """What never serves fails and says so; a retry probes again, and so does another console after kill -9."""
    silent, slow, edge = (named(web, name)["InstanceId"] for name in ("web-1", "web-2", "edge"))
    tag_instance(web, slow, "spottui:probe", "jobs")
    tag_instance(web, edge, "spottui:probe", "edge")
    web.world(service_of_new="down", command_exit_code=3)
    desk = Acting(config, "auto")
    web.interrupt([silent, slow, edge])
    failed = desk.until(silent, "recovered", "failed")
    new = failed["new_instance_id"]
    assert failed["state"] == "failed"
    told = failed["says"]["reason"]
    assert told.startswith(f"{new} runs but does not serve: probe web of http://127."), told
    assert told.endswith("no connection: Connection refused, for 3 s; t probes it again"), told

    moved = desk.until(edge, "recovered", "failed")
    assert any(line.startswith("Probe edge of http://127.0.0.1:") for line in details(desk, moved)), "at its EIP"
    probing = desk.until(slow, "verifying")
    wait_until(lambda: any("exited with 3" in line for line in details(desk, probing)))
    assert desk("recovery", slow)["says"]["next"] == "probe jobs until it passes, at most 120 s"
    desk.kill()
    web.world(command_exit_code=0)
    for one in (new, probing["new_instance_id"]):
        web.control("POST", "service", {"instance": one, "mode": "up"})
    with closing(Acting(config, "auto")) as again:
        assert again("retry", failed["recovery_id"]) is None
        served = again.until(silent, "recovered", "failed")
        assert (served["state"], served["new_instance_id"]) == ("recovered", new)
        assert any(line.startswith("Probe web of ") and "passed after" in line for line in details(again, served))
        assert again.until(slow, "recovered", "failed")["state"] == "recovered"
    assert len(effects(web, "RunInstances")) == 3
    tokens = [row["client_token"] for row in web.calls("RunCommand")]
    assert len(tokens) == len(set(tokens)), "each try of a command is a new command"


def missed(settings: ProbeSettings, cloud: SimServer, name: str = "web-1") -> Missed | None:
    return probes.missed(settings, named(cloud, name)["PrivateIpAddress"])


@pytest.mark.parametrize(
    "settings", [ProbeSettings(tcp=BACKEND_PORT), ProbeSettings(http=f"http://{{ip}}:{BACKEND_PORT}/")]
)
def test_a_probe_says_why_it_does_not_pass(settings: ProbeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "ANSWER_S", 0.3)
    with SimServer(world=fleet()) as cloud:
        assert missed(settings, cloud) is None
        assert missed(ProbeSettings(tcp=BACKEND_PORT), cloud, "idle") == Missed(
            Miss.NO_CONNECTION, "Connection refused"
        )
        if settings.tcp:
            return
        assert missed(ProbeSettings(http=settings.http, body="web-2"), cloud) == Missed(Miss.BODY)
        assert missed(ProbeSettings(http=settings.http, status=204), cloud) == Missed(Miss.STATUS, "200")
        for mode, why in (("failing", Missed(Miss.STATUS, "500")), ("hanging", Missed(Miss.NO_ANSWER))):
            cloud.control("POST", "service", {"instance": "web-1", "mode": mode})
            assert missed(settings, cloud) == why
    assert probes.missed(settings, "") == Missed(Miss.NO_ADDRESS)


def test_the_certificate_of_what_answers_is_checked(tmp_path: Path) -> None:
    with SimServer(tls=True) as cloud:
        url = f"https://{{ip}}:{cloud.url.rpartition(':')[2]}/_sim/state"
        known = ProbeSettings(http=url, ca_file=str(cloud.endpoint.ca_file))
        assert probes.missed(known, "127.0.0.1") is None
        for tls_name, ca_file in (("other.example", known.ca_file), ("", ""), ("", str(tmp_path / "none"))):
            not_trusted = probes.missed(ProbeSettings(http=url, tls_name=tls_name, ca_file=ca_file), "127.0.0.1")
            assert not_trusted
            assert not_trusted.miss is Miss.CERTIFICATE
            assert not_trusted.what, "why is said"


def test_a_service_that_says_a_byte_now_and_then_holds_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "ANSWER_S", 0.5)
    listening = socket.create_server(("127.0.0.1", 0))

    def dribble() -> None:
        connection, _ = listening.accept()
        with suppress(OSError), connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not over.wait(0.05):
                connection.sendall(b"x")

    over = threading.Event()
    thread = threading.Thread(target=dribble, daemon=True)
    thread.start()
    with closing(listening):
        settings = ProbeSettings(http=f"http://{{ip}}:{listening.getsockname()[1]}/")
        assert probes.missed(settings, "127.0.0.1") == Missed(Miss.NO_ANSWER)
    over.set()
    thread.join()
