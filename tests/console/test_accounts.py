"""Several accounts on one screen: a column of each, and all views narrowed to one of them."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spottui.console.widgets.event_reader import events_of
from spottui.domain.recovery import RecoveryState
from tests.console.driving import arrived, press, running, screen, shows, toasts, wait_until
from tests.console.scripted import (
    AUTO_OFF,
    NOW,
    REGION,
    ScriptedDesk,
    event,
    healthy,
    instance,
    message,
    reclaim,
    recovery,
    view,
)

PROD = f"{REGION}@prod"
ACCOUNTS = {"regions": (REGION, PROD), "accounts": ("default", "prod"), "sources": healthy(NOW, (REGION, PROD))}


def two_accounts():
    """An instance that needs a person in each account, and a quiet one."""
    own, other = instance(1, "web-own", recycling=True), instance(2, "web-prod", recycling=True, region=PROD)
    other = replace(other, zone=f"{REGION}-j")
    causes = reclaim(own, 222), reclaim(other, 200)
    open_ones = tuple(
        recovery(of, cause, RecoveryState.NEEDS_YOU) for of, cause in zip((own, other), causes, strict=True)
    )
    autos = (("", AUTO_OFF), ("prod", replace(AUTO_OFF, armed=True, max_at_once=7)))
    return view(
        instances=(own, other, instance(3, "quiet-own")),
        interruptions=causes,
        recoveries=open_ones,
        auto=replace(AUTO_OFF, max_at_once=10, by_account=autos),
        **ACCOUNTS,
    )


def names(panel):
    model = panel.table.model
    return {model.rows[key][model.table.place("name")] for key in model.view}


@given(st.lists(st.sampled_from(["", REGION, PROD]), max_size=30), st.integers(1, 5), st.integers(0, 31), st.booleans())
def test_a_page_of_one_accounts_events_is_full_unless_there_are_no_more(regions, limit, bound, older):
    feed = [replace(event(number, message("x")), region=of) for number, of in enumerate(regions, 1)]

    def find(limit, above, below):
        between = [one for one in feed if one.seq > above and (below is None or one.seq < below)]
        return tuple(between if below is None else reversed(between))[:limit]

    place = {"above": 0, "below": bound} if older else {"above": bound, "below": None}
    own = [one for one in find(len(feed), **place) if one.region in ("", PROD)]
    assert events_of("prod", find, limit, **place) == tuple(own[:limit])
    assert events_of("", find, limit, **place) == find(limit, **place)


async def test_accounts_are_a_column_a_filter_word_and_a_view():
    async with running(ScriptedDesk(two_accounts()), size=(160, 45)) as (pilot, desk):
        main = pilot.app.main
        await shows(pilot, "2 accounts · cn-hangzhou")
        await shows(pilot, "2 NEED YOU · first web-prod (prod) 03:20")
        assert main.instances.table.is_shown("account")
        assert main.recoveries.table.is_shown("account")
        assert not main.instances.table.is_shown("region"), "there is one region"
        await pilot.press("slash", *"acc:prod", "enter")
        await wait_until(pilot, lambda: names(main.instances) == {"web-prod"})
        await pilot.press("escape", "colon", *"acc prod", "enter")
        await shows(pilot, "account prod · cn-hangzhou")
        for panel in (main.instances, main.recoveries):
            assert names(panel) == {"web-prod"}
            assert not panel.table.is_shown("account")
        await shows(pilot, "AUTO armed · 0 running of 7")
        await shows(pilot, "1 NEEDS YOU · web-prod 03:20 │ 1 more in default")
        await shows(pilot, "1 more in default")
        await press(pilot, "q")
        await shows(pilot, "2 NEED YOU: web-prod, web-own")
        await pilot.press("escape", "colon", *"acc gone", "enter")
        await wait_until(pilot, lambda: 'No account "gone"; accounts: default, prod' in "".join(toasts(pilot.app)))
        desk.show(instances=desk.current.instances[:2])
        await arrived(pilot, desk)
        assert names(main.instances) == {"web-prod"}, "what comes later is narrowed too"
        await pilot.press("colon", *"acc all", "enter")
        await wait_until(pilot, lambda: names(main.instances) == {"web-own", "web-prod"})
        assert "more in" not in screen(pilot.app)


async def test_the_console_starts_with_one_account_and_rings_for_the_others_too():
    async with running(ScriptedDesk(two_accounts()), account="default") as (pilot, _):
        await shows(pilot, "account default · cn-hangzhou")
        assert names(pilot.app.main.recoveries) == {"web-own"}
        assert pilot.app.window_title == "(2!) spottui"
