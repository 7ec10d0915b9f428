"""A pytest plugin: the fixture `spottui_cloud` is a simulated Alibaba Cloud, fresh in every test.

@pytest.mark.spottui_cloud(scenario="no-stock-anywhere", speed=0)
def test_mine(spottui_cloud):
    client = Client(Config(endpoint=spottui_cloud.endpoint.as_json()["endpoint"], protocol="HTTP", ...))

The marker takes what `spottui.sim.testing.SimServer` takes; without one the cloud stands still (`speed=0`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spottui.sim.testing import SimServer


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "spottui_cloud(**options): how the simulated cloud of this test is started")


@pytest.fixture
def spottui_cloud(request: pytest.FixtureRequest) -> Iterator[SimServer]:
    """The simulated cloud, serving on loopback until the test ends."""
    from spottui.sim.testing import SimServer

    marker = request.node.get_closest_marker("spottui_cloud")
    options = {"speed": 0, **(marker.kwargs if marker else {})}
    with SimServer(**options) as cloud:
        yield cloud
