"""The pages of recoveries: timeline and storm; and the dialogs over several of them."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from textual.events import Key

from spottui.domain.facts import CallAnswered, CallBegun, CallFailed, Decided, Drained, EarlierLine, Logged, SignSeen
from spottui.domain.interruption import Evidence
from spottui.domain.reasons import Failure
from spottui.domain.recovery import Created, Decision, ImageOf, RecoveryState
from spottui.domain.refusal import Refused
from spottui.domain.routes import Route
from spottui.tables.column import FIRST_CELL
from spottui.tables.recoveries import recovery_row
from spottui.tables.storm import forecast_of_all, of_now, storm
from spottui.tables.timeline import last_failure, steps
from spottui.words import Sign
from tests.console.driving import NARROW, WHO, arrived, press, running, screen, shows, tells, toasts, wait_until
from tests.console.scripted import NOW, REGION, ScriptedDesk, because, instance, plan_of, reclaim, recovery, view


def told(after_s, fact):
    return Logged(int(100 + after_s), NOW + timedelta(seconds=after_s), fact, REGION, "i-1", "r")


def failure(action, code, request_id="", **more):
    return Failure(action, code, request_id=request_id, **more)


NO_ANSWER = failure("CreateImage", "", "REQ-1", kind="no answer", effect_unknown=True)
LOG = (
    told(-60, SignSeen(Evidence.QUEUE, NOW, NOW + timedelta(seconds=222), NOW, message_id="7", epoch=1)),
    told(-58, Decided(Decision.CONFIRM, "mia@bastion")),
    told(-57, CallBegun("CreateImage", "t1")),
    told(-55.5, CallFailed("CreateImage", NO_ANSWER, "t1")),
    told(-54, CallAnswered("CreateImage", "t1", "REQ-2", ("m-bp7",))),
    told(-40, CallBegun("RunInstances", "t2")),
    told(-39.5, CallFailed("RunInstances", failure("RunInstances", "OperationDenied.NoStock", "REQ-3"), "t2")),
    told(-38, CallBegun("RunInstances", "t3")),
)


def failed():
    of = instance(1, "web-1", recycling=True)
    cause = reclaim(of, 100)
    ended = recovery(
        of,
        cause,
        RecoveryState.FAILED,
        reason=because("no stock [red]anywhere[/red]"),
        ended=NOW,
        created=(Created("image", "m-bp7"),),
    )
    desk = ScriptedDesk(view(instances=(of, instance(2)), interruptions=(cause,), recoveries=(ended,)))
    desk.log = LOG[:-1]
    return desk, ended


def test_each_call_is_one_step_with_its_duration_and_an_open_one_stands_last():
    made = steps(LOG, NOW)
    assert [(step.sign, step.action, step.seconds) for step in made] == [
        (Sign.EVIDENCE, "queue", None),
        (Sign.DECISION, "Decision", None),
        (Sign.UNKNOWN, "CreateImage", 1.5),
        (Sign.GOOD, "CreateImage", 1.5),
        (Sign.FAILED, "RunInstances", 0.5),
        (Sign.UNDER_WAY, "RunInstances", 38.0),
    ]
    assert last_failure(made).request_id == "REQ-3"


def test_a_call_that_nothing_announced_took_nobody_knows_how_long_and_nothing_is_said_twice():
    made = steps(
        (
            told(0, Drained("flush", "", failure=failure("RunCommand", "Forbidden.RAM"))),
            told(1, CallAnswered("TagResources", request_id="REQ-4", detail="image m-bp7 to be kept")),
            told(9, CallFailed("TagResources", failure("TagResources", "Forbidden.RAM", "REQ-5"))),
        ),
        NOW,
    )
    assert [(step.sign, step.detail, step.seconds) for step in made] == [
        (Sign.DECISION, "flush did not run: RunCommand: Forbidden.RAM", None),
        (Sign.GOOD, "image m-bp7 to be kept", None),
        (Sign.FAILED, "Forbidden.RAM", None),
    ]


def test_what_was_decided_before_the_log_had_facts_is_told_by_its_lines():
    lines = [("RECLAIM", ""), ("DUPLICATE", ""), ("CONFIRMED", ""), ("STATE", ""), ("CALL", "REQ-1"), ("CALL", "REQ-2")]
    earlier = [EarlierLine(kind, "CreateImage m-1", request, failed=request == "REQ-2") for kind, request in lines]
    made = steps([told(n, fact) for n, fact in enumerate(earlier)], NOW)
    assert [step.sign for step in made] == [Sign.EVIDENCE, Sign.DECISION, Sign.STATE, Sign.GOOD, Sign.FAILED]
    assert (last_failure(made).action, last_failure(made).detail) == ("call", "CreateImage m-1")
    assert last_failure(made).request_id == "REQ-2"


@pytest.mark.parametrize("size", [(120, 40), NARROW])
async def test_from_a_failed_recovery_to_its_request_id_in_two_keys(size):
    desk, _ = failed()
    async with running(desk, size=size) as (pilot, _):
        await press(pilot, "3", "enter")
        await shows(pilot, "last failure  RunInstances RequestId REQ-3")
        for text in (
            "no stock [red]anywhere[/red]",
            "made  image m-bp7",
            "✓ CreateImage  1.5s  m-bp7",
            "✕ RunInstances",
        ):
            assert text in screen(pilot.app)
        await press(pilot, "c")
        assert pilot.app.clipboard == "REQ-3"


async def test_a_wide_screen_shows_all_that_a_failure_says():
    desk, _ = failed()
    message = " ".join(f"word-{n}" for n in range(20))
    refused = failure("RunInstances", "OperationDenied.NoStock", "REQ-9", message=message)
    desk.log = (*LOG[:4], told(9, CallFailed("RunInstances", refused)))
    async with running(desk, size=(200, 50)) as (pilot, _):
        await press(pilot, "3", "enter")
        await shows(pilot, "last failure  RunInstances RequestId REQ-9")
        assert "word-19" in screen(pilot.app).split("RequestId REQ-9")[1].splitlines()[1]


@pytest.mark.parametrize("panel", ["1", "3"])
async def test_at_80_by_24_enter_on_what_failed_shows_code_and_request_id_in_eight_lines(panel):
    desk, _ = failed()
    async with running(desk, size=NARROW) as (pilot, _):
        await press(pilot, panel)
        assert "T Timeline" in screen(pilot.app).splitlines()[-1]
        await press(pilot, "enter")
        await shows(pilot, "RequestId REQ-3")
        top = "\n".join(screen(pilot.app).splitlines()[:8])
        assert "RunInstances RequestId REQ-3" in top
        assert "OperationDenied.NoStock" in top
        assert "no stock [red]anywhere[/red]" in top


async def test_the_page_of_an_instance_follows_what_fails_and_leads_to_the_timeline():
    async with running(size=NARROW) as (pilot, desk):
        desk.log = LOG[:3]
        await press(pilot, "enter")
        await shows(pilot, "imaging · reclaimed in 03:42 · image ready in 01:10 · WILL MAKE IT")
        assert "RequestId" not in screen(pilot.app)
        desk.log = LOG[:4]
        desk.show()
        await arrived(pilot, desk)
        pilot.app.screen.tick()
        await shows(pilot, "last failure  CreateImage RequestId REQ-1")
        await press(pilot, "T")
        await shows(pilot, "~ CreateImage  1.5s")


async def test_the_timeline_follows_its_recovery():
    async with running() as (pilot, desk):
        desk.log = LOG[:3]
        await press(pilot, "3", "enter")
        await shows(pilot, "… CreateImage  57s  no answer yet")
        desk.log = LOG[:5]
        first, *rest = desk.current.recoveries
        desk.show(recoveries=(replace(first, progress=63), *rest))
        await arrived(pilot, desk)
        pilot.app.screen.tick()
        await shows(pilot, "✓ CreateImage  1.5s  m-bp7")


async def test_a_timeline_that_cannot_be_read_says_why():
    async with running() as (pilot, desk):
        desk.refuse = "the journal is locked"
        await press(pilot, "3", "enter")
        await shows(pilot, "the journal is locked")


async def test_t_shows_the_plan_and_tries_again():
    desk, ended = failed()
    async with running(desk) as (pilot, _):
        assert "t Retry" in screen(pilot.app)
        await press(pilot, "t")
        digest = plan_of(desk.current.instances[0]).digest
        await shows(pilot, digest)
        await press(pilot, "enter")
        await tells(desk, pilot, "retry", ended.recovery_id, digest, WHO)


@pytest.mark.parametrize("size", [NARROW, (200, 50)])
async def test_a_retry_says_that_it_is_one_what_it_reuses_and_with_which_route_it_resumes(size):
    desk, ended = failed()
    at = NOW - timedelta(minutes=1)
    ended = replace(ended, image_id="m-bp7", image_of=ImageOf.ALL_DISKS, imaging_since=at, progress=100)
    desk.show(recoveries=(replace(ended, route=Route.KEPT_DISK, created=(Created("image", "m-bp7"),)),))
    desk.plans[ended.recovery_id] = replace(plan_of(desk.current.instances[0]), routes=(Route.IMAGE, Route.KEPT_DISK))
    async with running(desk, size=size) as (pilot, _):
        await press(pilot, "t")
        await shows(pilot, "Route    kept-disk, else image")
        for text in ("Retry web-1", "Retry with this plan (enter)", "Reused   nothing of the last run"):
            assert text in screen(pilot.app)
        await press(pilot, "w")
        await shows(pilot, f"Reused   image m-bp7 of {at:%H:%M:%S} UTC, finished")
        await press(pilot, "end")
        await shows(pilot, "in this order   none for what is reused")
        await press(pilot, "enter")
        digest = desk.plans[ended.recovery_id].digest
        await tells(desk, pilot, "retry", ended.recovery_id, digest, WHO, Route.IMAGE)


async def test_t_is_refused_where_nothing_failed():
    async with running() as (pilot, desk):
        await press(pilot, "t")
        assert "Only a failed, cancelled or skipped recovery" in toasts(pilot.app)[0]
        assert desk.commands == []


async def test_w_puts_another_way_first_which_is_settled_with_the_yes_and_not_before():
    async with running() as (pilot, desk):
        etl, waits = desk.current.instances[1], desk.current.recoveries[1]
        plan = replace(plan_of(etl), routes=(Route.IMAGE, Route.KEPT_DISK))
        desk.plans[waits.recovery_id] = plan
        await press(pilot, "j", "y")
        await shows(pilot, "w puts kept-disk first")
        await press(pilot, "w")
        await shows(pilot, "kept-disk, else image")
        await press(pilot, "escape")
        assert desk.commands == []
        await press(pilot, "y", "w", "w")
        await shows(pilot, "w puts kept-disk first")
        await press(pilot, "w", "enter")
        await tells(desk, pilot, "confirm", waits.recovery_id, plan.digest, WHO, Route.KEPT_DISK)


async def test_the_plan_names_price_and_reason_of_each_place():
    async with running(size=(120, 60)) as (pilot, desk):
        plan = plan_of(desk.current.instances[1])
        first, *rest = plan.candidates
        why = "same zone; low stock, interrupted 3-5%"
        told = replace(first, price_per_hour=0.42, reason=why, problem="[b]no quota[/b]")
        desk.plans[desk.current.recoveries[1].recovery_id] = replace(
            plan, candidates=(told, *rest), price_per_hour=0.4, currency="CNY", surveyed=True
        )
        await press(pilot, "j", "y")
        await shows(pilot, "¥0.420/h · same zone; low stock,")
        assert "! [b]no quota[/b]" in screen(pilot.app)
        assert "¥0.400/h → ¥0.420/h" in screen(pilot.app)


async def test_a_problem_of_every_place_is_said_in_full_once():
    async with running(size=(200, 50)) as (pilot, desk):
        plan = plan_of(desk.current.instances[1])
        places = tuple(replace(each, problem="Nope: no money", reason=f"why {each.zone}") for each in plan.candidates)
        desk.plans[desk.current.recoveries[1].recovery_id] = replace(plan, candidates=places, surveyed=True)
        await press(pilot, "j", "y")
        await shows(pilot, "! Nope: no money · why")
        assert screen(pilot.app).count("no money") == 1
        assert screen(pilot.app).count("! the same · why") == len(places) - 1


@pytest.mark.parametrize("size", [(120, 40), NARROW])
async def test_marked_recoveries_are_confirmed_together_with_the_plans_that_were_shown(size):
    async with running(size=size) as (pilot, desk):
        _, etl, job = desk.current.recoveries
        await press(pilot, "space", "space", "space", "y")
        await shows(pilot, "Recover 2 instances")
        await shows(pilot, " 04:11 etl-7          TIGHT ")
        plans = [plan_of(one) for one in desk.current.instances[1:3]]
        for plan, place in zip(plans, ("g7.xlarge in j", "c7.large in h"), strict=True):
            line = next(line for line in screen(pilot.app).splitlines() if plan.digest in line)
            assert f"image, {place} !1" in line
        assert "web-3" not in "".join(line for line in screen(pilot.app).splitlines() if "image," in line)
        await press(pilot, "enter")
        for one, plan in zip((etl, job), plans, strict=True):
            await tells(desk, pilot, "confirm", one.recovery_id, plan.digest, WHO)


async def test_marked_recoveries_without_a_plan_are_left_out():
    async with running() as (pilot, desk):
        _, etl, job = desk.current.recoveries
        desk.plans[job.recovery_id] = None
        await press(pilot, "down", "space", "space", "y")
        await shows(pilot, "no plan yet, left out")
        await press(pilot, "enter")
        await wait_until(pilot, lambda: desk.commands)
        assert [command[1] for command in desk.commands] == [etl.recovery_id]


async def test_marked_recoveries_are_vetoed_after_a_question_that_names_them():
    async with running() as (pilot, desk):
        await press(pilot, "3", "space", "space", "space", "x")
        await shows(pilot, "Veto 2 recoveries?")
        assert "etl-7" in screen(pilot.app)
        assert desk.commands == []
        await press(pilot, "enter", "x", "y")
        await wait_until(
            pilot,
            lambda: {c[:2] for c in desk.commands} == {("veto", r.recovery_id) for r in desk.current.recoveries[1:]},
        )
        assert "marked" not in screen(pilot.app)


async def test_of_marked_recoveries_one_that_is_refused_keeps_no_other_back():
    async with running() as (pilot, desk):
        _, etl, job = desk.current.recoveries
        carry_out = desk.carry_out

        def too_late(recovery_id, command, who):
            if recovery_id == etl.recovery_id:
                raise Refused("This recovery no longer waits for a decision.")
            carry_out(recovery_id, command, who)

        desk.carry_out = too_late
        await press(pilot, "3", "space", "space", "space", "x", "y")
        await tells(desk, pilot, "veto", job.recovery_id, WHO)
        await wait_until(pilot, lambda: toasts(pilot.app))
        assert toasts(pilot.app) == ["1 of 2 vetoed.\netl-7: This recovery no longer waits for a decision."]


async def test_marks_without_a_recovery_that_waits_do_nothing():
    async with running() as (pilot, desk):
        await press(pilot, "space")
        await shows(pilot, "1 marked")
        assert "Confirm" not in screen(pilot.app).splitlines()[-1]
        await press(pilot, "y")
        assert "None of these recoveries" in toasts(pilot.app)[0]
        assert pilot.app.screen is pilot.app.main
        assert desk.commands == []


def stormy(many=9):
    slacks_s = (60, 10, -10)
    made = [instance(n, recycling=True) for n in range(many)]
    causes = [reclaim(of, 100 + n) for n, of in enumerate(made)]
    states = [RecoveryState.IMAGING] * (many - 1) + [RecoveryState.NEEDS_YOU]
    recoveries = [
        recovery(of, cause, state, forecast_at=cause.deadline - timedelta(seconds=slacks_s[n % 3]))
        for n, (of, cause, state) in enumerate(zip(made, causes, states, strict=True))
    ]
    return view(instances=tuple(made), interruptions=tuple(causes), recoveries=tuple(recoveries))


async def test_a_storm_is_one_line_for_each_zone_and_type_with_deadline_and_verdicts():
    async with running(ScriptedDesk(stormy()), size=NARROW) as (pilot, _):
        await shows(pilot, "3 of 8 make it")
        await press(pilot, "w")
        await shows(pilot, "3 of 8 make it · 1 NEEDS YOU")
        text = screen(pilot.app)
        for line in (
            "  Left  Zone and type   Make it  Verdicts ",
            " 01:40  h ecs.c7.large  3 of 3   WILL MAKE IT ",
            " 01:42  j ecs.c7.large  0 of 2   1 NEEDS YOU: no forecast; 2 WILL NOT ",
            " 01:41  i ecs.c7.large  0 of 3   TIGHT ",
        ):
            assert line in text


async def test_at_80_columns_the_title_of_a_storm_ends_with_a_whole_part():
    desk = ScriptedDesk(stormy(100))
    async with running(desk, size=NARROW) as (pilot, _):
        await shows(pilot, "Recoveries ── 1 NEEDS YOU · 33 of 99 make it · 99 running ─")
        failed_and_more = [RecoveryState.FAILED, RecoveryState.RECOVERED, RecoveryState.VETOED, RecoveryState.CANCELLED]
        many = desk.current.recoveries
        ended = [replace(one, state=state) for one, state in zip(many, failed_and_more, strict=False)]
        desk.show(recoveries=(*ended, *many[4:]))
        await arrived(pilot, desk)
        await shows(pilot, "Recoveries ── 1 FAILED · 1 NEEDS YOU · 31 of 95 make it · 95 running · … ─")
        in_line = [replace(one, state=RecoveryState.NEEDS_YOU, queued=at) for at, one in enumerate(many[4:64])]
        desk.show(recoveries=(*ended, *in_line, *many[64:]))
        await arrived(pilot, desk)
        await shows(pilot, "Recoveries ── 1 FAILED · 1 NEEDS YOU · 60 queued · 11 of 35 make it · … ─")


def test_a_storm_counts_every_recovery_once_and_what_loses_most_stands_first():
    shown = stormy(12)
    groups = storm(shown, shown.recoveries)
    assert sum(one.needs_you.total() + one.others.total() for one in groups) == 12
    assert [one.total - one.will_make_it for one in groups] == [4, 4, 0]
    assert forecast_of_all(shown.recoveries, NOW) == "4 of 11 make it"
    assert forecast_of_all((), NOW) == ""


def alike(state, count, **more):
    """Recoveries in one state, of which an image would be ready in time."""
    made = [instance(n, recycling=True) for n in range(count)]
    causes = [reclaim(of, 100) for of in made]
    more = {"image_s": 10.0, "ended": NOW - timedelta(seconds=9) if state.is_final else None, **more}
    return tuple(recovery(of, cause, state, **more) for of, cause in zip(made, causes, strict=True))


@pytest.mark.parametrize(
    ("recoveries", "title"),
    [
        (alike(RecoveryState.RECOVERED, 100), "100 recovered"),
        (alike(RecoveryState.SKIPPED, 12), ""),
        (alike(RecoveryState.VETOED, 12), ""),
        (alike(RecoveryState.CANCELLED, 12), ""),
        (alike(RecoveryState.NEEDS_YOU, 12), ""),
        (alike(RecoveryState.SKIPPED, 12) + alike(RecoveryState.VETO_WINDOW, 5), "5 of 5 make it"),
        (alike(RecoveryState.NEEDS_YOU, 11) + alike(RecoveryState.IMAGING, 1), "1 of 1 makes it"),
        (alike(RecoveryState.RECOVERED, 4) + alike(RecoveryState.LAUNCHING, 2), "4 recovered · 2 of 2 make it"),
        (alike(RecoveryState.FAILED, 6) + alike(RecoveryState.RECOVERED, 1), "1 recovered"),
        (
            alike(RecoveryState.STARTING, 3, route=Route.RESTART) + alike(RecoveryState.IMAGING, 2),
            "2 of 5 make it · 3 data kept",
        ),
    ],
)
def test_the_title_of_a_storm_counts_what_the_rows_say(recoveries, title):
    shown = view(recoveries=recoveries)
    assert forecast_of_all(of_now(shown), NOW) == title
    verdicts = [recovery_row(one, NOW)[FIRST_CELL + 5] for one in of_now(shown) if not one.state.is_final]
    assert "0 of" not in title or "WILL MAKE IT" not in verdicts


async def test_a_count_of_a_storm_is_whole_and_a_place_is_known_after_the_release():
    recoveries = alike(RecoveryState.RECOVERED, 1000)
    gone = tuple(instance(n) for n in range(1000))
    shown = view(recoveries=recoveries, gone=tuple(replace(one, zone=f"{REGION}-h") for one in gone))
    async with running(ScriptedDesk(shown), size=NARROW) as (pilot, _):
        await press(pilot, "w")
        await shows(pilot, "h ecs.c7.large  1000 of 1000  recovered")
        assert "not known" not in screen(pilot.app)


@pytest.mark.parametrize("state", [RecoveryState.IMAGING, RecoveryState.NEEDS_YOU])
async def test_a_recovery_has_one_verdict_on_every_screen(state):
    shown = stormy(3)
    one = replace(shown.recoveries[1], state=state, forecast_at=None, image_s=80.0)
    desk = ScriptedDesk(replace(shown, recoveries=(one,)))
    ways = {"3": "imaging" if state is RecoveryState.IMAGING else "NEEDS YOU", "enter": "reclaimed", "w": "Storm"}
    ways |= {"y": "Run this plan"} if state is RecoveryState.NEEDS_YOU else {}
    async with running(desk, size=NARROW) as (pilot, _):
        for key, there in ways.items():
            await press(pilot, key)
            await shows(pilot, there)
            assert "TIGHT" in screen(pilot.app)
            assert "WILL" not in screen(pilot.app)
            if key != "3":
                await press(pilot, "escape")


async def test_one_that_an_engineer_wished_for_has_no_verdict_and_is_in_no_storm():
    of = instance(1)
    wish = reclaim(of, 100, (Evidence.ENGINEER,))
    runs = recovery(of, wish, RecoveryState.IMAGING, forecast_at=NOW + timedelta(seconds=500))
    async with running(ScriptedDesk(view(instances=(of,), interruptions=(wish,), recoveries=(runs,)))) as (pilot, _):
        await press(pilot, "T")
        await shows(pilot, "imaging · started manually, no reclaim known")
        assert "WILL NOT" not in screen(pilot.app)
        await press(pilot, "escape", "w")
        await shows(pilot, "No recovery is open")


@pytest.mark.parametrize(("keys", "there"), [("enter", "Reclaim"), ("y", "Run this plan")])
async def test_a_burst_of_keys_scrolls_as_far_as_keys_one_by_one(keys, there):
    async with running(size=NARROW) as (pilot, _):
        await press(pilot, "down", keys)
        await shows(pilot, there)
        for _ in range(6):
            pilot.app.post_message(Key("down", None))
        scroll = pilot.app.screen.query_one("#scroll")
        await wait_until(pilot, lambda: scroll.scroll_offset.y == 6)
        for _ in range(4):
            pilot.app.post_message(Key("up", None))
        await wait_until(pilot, lambda: scroll.scroll_offset.y == 2)


@pytest.mark.parametrize("state", [RecoveryState.NEEDS_YOU, RecoveryState.IMAGING, RecoveryState.FAILED])
async def test_r_on_a_recovery_does_what_it_does_on_its_instance(state):
    desk, ended = failed()
    desk.show(recoveries=(replace(ended, state=state, ended=NOW if state.is_final else None),))
    seen = []
    async with running(desk, size=NARROW) as (pilot, _):
        for panel in ("1", "3"):
            await press(pilot, panel, "r")
            await wait_until(pilot, lambda: toasts(pilot.app) or "Old → new" in screen(pilot.app))
            seen.append((toasts(pilot.app), [line for line in screen(pilot.app).splitlines() if "plan" in line]))
            pilot.app.clear_notifications()
            if pilot.app.screen is not pilot.app.main:
                await press(pilot, "escape")
    assert seen[0] == seen[1]
    assert ("its recovery is already running" in "".join(seen[0][0])) == (state is RecoveryState.IMAGING)
