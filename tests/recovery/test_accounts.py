"""One console over two accounts: a reclaim in each, and nothing crosses."""

from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from spottui.cli.machine_checks import machine_checks
from spottui.cloud.account import CloudAccount
from spottui.config import load
from spottui.domain.facts import Decided
from spottui.domain.reasons import Reason, Why
from spottui.domain.recovery import Decision, RecoveryState
from spottui.domain.settings import AccountSettings
from spottui.journal import Journal
from spottui.recovery.engine import Engine
from spottui.sim.testing import SimServer
from tests.driving import Headless, add_policy, wait_until
from tests.journal.given import ANN, known, observe, record, sign
from tests.recovery.consoles import AT_ONCE, Place
from tests.recovery.given import console

PROD = AccountSettings(role_arn="acs:ram::2:role/spottui", max_at_once=1)
LAB = AccountSettings(profile="lab")
FAST = {"veto_window_s": 0, "lock_poll_s": 0.5, "sweep_s": 2, "long_poll_s": 1}


def test_each_reclaim_is_recovered_in_its_own_account(config: Path) -> None:
    with SimServer(instances=6, config=config, accounts=("prod",)) as cloud:
        cloud.world(image_base_s=0.5, image_s_per_gib=0, boot_s=0.5)
        add_policy(config, **FAST)
        home, prod = cloud.endpoint.account_id, cloud.endpoint.accounts["prod"]
        reclaimed = {account: cloud.spot_ids(account_id=account)[0] for account in (home, prod)}
        with Headless(config, "--auto").wait_ready() as console:
            for account, instance_id in reclaimed.items():
                cloud.interrupt([instance_id], account_id=account)
            wait_until(lambda: console.states() == dict.fromkeys(reclaimed.values(), "recovered"))
            shown = console.recoveries()
        assert (shown[reclaimed[home]]["region"], shown[reclaimed[home]].get("account")) == ("cn-hangzhou", None)
        assert (shown[reclaimed[prod]]["region"], shown[reclaimed[prod]]["account"]) == ("cn-hangzhou", "prod")
        for account, instance_id in reclaimed.items():
            others = {
                row["InstanceId"] for one in (home, prod) if one != account for row in cloud.state(one)["instances"]
            }
            assert shown[instance_id]["new_instance_id"] not in others
            assert shown[instance_id]["new_instance_id"] in {
                row["InstanceId"] for row in cloud.state(account)["instances"]
            }
        for action in ("ModifyDiskAttribute", "CreateImage", "RunInstances", "BatchDeleteMessage"):
            acted = [row["account_id"] for row in cloud.calls(action) if row["effect"]]
            assert sorted(set(acted)) == sorted((home, prod)), action
        assert not [row for row in cloud.calls() if (row["code"] or "").endswith("NotFound")]
    with Journal(next(config.parent.glob("c-*.db")), read_only=True) as journal:
        regions = {one.instance_id: one.region for one in journal.recoveries.all()}
    assert regions == {reclaimed[home]: "cn-hangzhou", reclaimed[prod]: "cn-hangzhou@prod"}


def test_the_limits_of_auto_mode_hold_in_each_account_for_itself(tmp_path: Path) -> None:
    with closing(Place(tmp_path)) as place:
        auto = place.console(replace(AT_ONCE, max_at_once=2), accounts={"prod": PROD, "lab": LAB})
        own = [place.reclaim() for _ in range(3)]
        prod = [place.reclaim(region="cn-hangzhou@prod") for _ in range(2)]
        lab = place.reclaim(region="cn-hangzhou@lab")
        assert [place.goes(auto, one) for one in (*own, *prod, lab)] == [True, True, False, True, False, True]
        assert place.refusal(auto, own[2]).reason == Reason(Why.AT_ONCE, amounts=(2,))
        assert place.refusal(auto, prod[1]).reason == Reason(Why.AT_ONCE, amounts=(1,))
        place.end(own[0])
        assert not place.goes(auto, prod[1])
        assert place.goes(auto, own[2])


def test_what_is_left_in_a_region_that_is_no_longer_configured_is_left_alone_and_told(config: Path) -> None:
    with SimServer(instances=2, config=config, speed=0) as cloud:
        settings = replace(load(config), journal=str(config.with_name("j.db")))
        with Journal(settings.journal, acts=True) as journal:
            gone, own = (replace(sign(cloud.spot_ids()[0]), region=of) for of in ("cn-hangzhou@gone", "cn-hangzhou"))
            left, taken = observe(journal, gone, own)
            before = journal.consoles.own
        with console(Path(settings.journal), CloudAccount(settings), settings) as shared:
            Engine(shared).start()
            wait_until(lambda: known(shared.journal, taken).driver == shared.journal.consoles.own)
            assert known(shared.journal, left).driver == before
            record(shared.journal, taken, Decided(Decision.VETO, ANN))
            wait_until(lambda: known(shared.journal, taken).state.is_final)
            (journal_check,) = (one for one in machine_checks(settings) if one.subject == "journal")
        assert "recoveries in progress in cn-hangzhou@gone, which are not configured" in journal_check.found


def test_failures_in_a_row_disarm_whatever_account_they_are_of(tmp_path: Path) -> None:
    with closing(Place(tmp_path)) as place:
        auto = place.console(replace(AT_ONCE, breaker_failures=2), accounts={"prod": PROD})
        for region in ("cn-hangzhou", "cn-hangzhou@prod"):
            one = place.reclaim(region=region)
            assert place.goes(auto, one)
            place.end(one, RecoveryState.FAILED)
        place.state(auto)
        assert not place.state(auto).armed
