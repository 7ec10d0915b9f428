"""What a reclaim makes is made once in the account, also where the journal that knows of it is another, or is lost."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from spottui.cloud.account import CloudAccount
from spottui.cloud.ecs import ImageSource
from spottui.config import load
from spottui.domain.tokens import image_name
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, effects, wait_until

FAST = {"veto_window_s": 0, "max_at_once": 50, "max_per_hour": 500, "lock_poll_s": 0.5}


def with_another_journal(config: Path) -> Path:
    """Another console's configuration: the same account, a journal of its own."""
    other = config.with_name("other.toml")
    other.write_text(config.read_text().replace('journal = "', 'journal = "other-'))
    return other


def journal_of(config: Path) -> Path:
    return next(path for path in config.parent.glob("*.db") if not path.name.startswith("other-"))


@pytest.mark.parametrize("unlisted_s", [0, 1.5])
def test_two_journals_on_one_account_make_one_image_and_one_replacement(
    live_cloud: SimServer, config: Path, unlisted_s: float
) -> None:
    """They begin in the same moment; what one has made may not be listed when the other looks for it."""
    add_policy(config, **FAST)
    live_cloud.world(image_unlisted_s=unlisted_s, instance_unlisted_s=unlisted_s)
    victims = live_cloud.spot_ids()[:3]
    with ExitStack() as stack:
        both = [
            stack.enter_context(Headless(one, "--auto").wait_ready()) for one in (config, with_another_journal(config))
        ]
        live_cloud.interrupt(victims)
        for console in both:
            wait_until(lambda console=console: all(console.states().get(one) == "recovered" for one in victims))
        made = [{one: console.recoveries()[one]["new_instance_id"] for one in victims} for console in both]
    assert made[0] == made[1]
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == len(victims)


def test_a_journal_that_is_deleted_under_a_console_ends_it_and_the_next_one_adopts(
    live_cloud: SimServer, config: Path
) -> None:
    add_policy(config, **FAST)
    live_cloud.world(image_base_s=6)
    victim = live_cloud.spot_ids()[0]
    with Headless(config, "--auto").wait_ready() as first:
        live_cloud.interrupt([victim])
        wait_until(lambda: first.states().get(victim) == "imaging" and effects(live_cloud, "CreateImage"))
        for path in config.parent.glob("*.db*"):
            if path.is_file():
                path.unlink()
        wait_until(lambda: not first.alive, 5)
        assert first.stop() == 1
        assert "was deleted or replaced under this console" in first.stderr()
        assert "Traceback" not in first.stderr()
    with Headless(config, "--auto").wait_ready() as second:
        wait_until(lambda: second.states().get(victim) == "recovered")
    assert len(effects(live_cloud, "CreateImage")) == len(effects(live_cloud, "RunInstances")) == 1


def test_an_image_of_an_earlier_reclaim_is_neither_adopted_nor_in_the_way(config: Path) -> None:
    """Its name is taken: the reclaim's image has the next one, whichever console makes it."""
    with SimServer(config=config, start_at=time.time() - 600) as cloud:
        add_policy(config, **FAST)
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        victim = cloud.spot_ids()[0]
        ecs = CloudAccount(load(config)).regions["cn-hangzhou"]
        earlier = f"cn-hangzhou.{victim}.1764312000"
        old = ecs.create_image(ImageSource(victim), image_name(f"cn-hangzhou.{victim}"), earlier, "t").resource_id
        cloud.advance(600)
        with Headless(config, "--auto").wait_ready() as one, ExitStack() as stack:
            other = stack.enter_context(Headless(with_another_journal(config), "--auto").wait_ready())
            cloud.interrupt([victim])
            wait_until(lambda: [one.states().get(victim), other.states().get(victim)] == ["recovered"] * 2)
        images = {
            row["ImageId"]: row["ImageName"]
            for row in cloud.state()["images"]
            if row["ImageName"].startswith("spottui")
        }
        (new,) = images.keys() - {old}
        assert images[new] == f"{images[old]}-2"
        assert len(effects(cloud, "RunInstances")) == 1
