from datetime import timedelta

import pytest
from msgspec.structs import replace

from spottui.console.text.cells import row_texts
from spottui.domain.facts import CallFailed, StateEntered
from spottui.domain.forecast import Verdict
from spottui.domain.interruption import Evidence
from spottui.domain.reasons import Doing, Failure, NextStep, Reason, Why
from spottui.domain.recovery import RecoveryState, Try
from spottui.domain.routes import Route
from spottui.domain.view import open_reclaims
from spottui.tables.column import FIRST_CELL, Tone, natural
from spottui.tables.diff import diff
from spottui.tables.events import EVENTS, event_row, event_rows
from spottui.tables.failures import code, remedy
from spottui.tables.instances import INSTANCES, InstanceRows, instance_row, short_id
from spottui.tables.layout import layout
from spottui.tables.model import TableModel
from spottui.tables.moments import age, bar, countdown
from spottui.tables.recoveries import RECOVERIES, recovery_row, recovery_rows
from tests.console.scripted import (
    NOW,
    because,
    event,
    instance,
    message,
    plan_of,
    planned,
    reclaim,
    reclaims,
    recovery,
    view,
)

NOW_S = NOW.timestamp()


def cell(table, row, column):
    return row[table.place(column)]


def shown(table, row, column):
    place = table.place(column)
    return table.columns[place - FIRST_CELL].render(row[place], NOW_S)


def order(table, rows):
    model = TableModel(table)
    model.apply(diff({}, rows))
    return [model.rows[key] for key in model.view]


@pytest.mark.parametrize(
    ("table", "row", "further"),
    [
        (INSTANCES, instance_row(instance(1), None), 1),
        (EVENTS, event_row(event(1, message("x")), {}), 0),
        (RECOVERIES, recovery_row(recovery(instance(1), reclaim(instance(1)), RecoveryState.IMAGING), NOW), 3),
    ],
    ids=["instances", "events", "recoveries"],
)
def test_a_row_has_a_cell_for_each_column_and_the_further_ones_that_belong_to_none(table, row, further):
    assert len(row) == FIRST_CELL + len(table.columns) + further


def test_what_dies_first_stands_first_then_by_name():
    ranked = order(INSTANCES, InstanceRows().rows(reclaims()))
    names = [cell(INSTANCES, row, "name") for row in ranked]
    assert names[:3] == ["web-3", "etl-7", "batch-12"]
    assert names[3:] == sorted(names[3:], key=natural)


def test_a_lock_stands_before_every_suspicion_however_near_that_claims_its_end_to_be():
    one, two, three = instance(1, "a", recycling=True), instance(2, "b"), instance(3, "c", recycling=True)
    causes = (
        reclaim(one, 200),
        reclaim(two, 5, evidence=(Evidence.QUEUE,)),
        reclaim(three, 100, evidence=(Evidence.LOCK,)),
    )
    open_ones = tuple(
        recovery(of, cause, RecoveryState.SUSPECTED) for of, cause in zip((one, two, three), causes, strict=True)
    )
    seen = view(instances=(one, two, three), interruptions=causes, recoveries=open_ones)
    for table, rows in ((INSTANCES, InstanceRows().rows(seen)), (RECOVERIES, recovery_rows(seen))):
        assert [cell(table, row, "name") for row in order(table, rows)] == ["c", "a", "b"]


def test_a_reclaimed_instance_is_marked_in_words_too():
    row = instance_row(instance(1, recycling=True), reclaim(instance(1), 222))
    assert [shown(INSTANCES, row, c) for c in ("mark", "deadline", "lock", "seen")] == ["!", "03:42", "Recycling", "LQ"]


def saved(of, cause):
    return recovery(of, cause, RecoveryState.RECOVERED, new_instance_id="i-bp1new", ended=NOW)


def test_a_reclaimed_instance_that_is_saved_is_calm_and_stands_after_those_that_are_not():
    one, two, three = instance(1, "a", recycling=True), instance(2, "b", recycling=True), instance(3, "c")
    causes = reclaim(one, 100), reclaim(two, 200)
    rows = InstanceRows().rows(
        view(instances=(one, two, three), interruptions=causes, recoveries=(saved(one, causes[0]),))
    )
    ranked = order(INSTANCES, rows)
    assert [cell(INSTANCES, row, "name") for row in ranked] == ["b", "a", "c"]
    row = ranked[1]
    assert [shown(INSTANCES, row, c) for c in ("mark", "lock", "now")] == ["✓", "Recycling", "i-bp1new"]
    assert row[1] is Tone.GOOD


def test_a_new_reclaim_of_an_instance_that_was_saved_before_is_an_alarm():
    of = instance(1, recycling=True)
    old, new = reclaim(of, -5000), reclaim(of, 222)
    first = view(instances=(of,), interruptions=(old, new), recoveries=(saved(of, old),))
    (row,) = InstanceRows().rows(first).values()
    assert shown(INSTANCES, row, "mark") == "!"
    assert row[1] is Tone.ALARM


def test_a_row_is_made_again_when_its_recovery_ends_well():
    of = instance(1, recycling=True)
    cause, maker = reclaim(of, 222), InstanceRows()
    first = view(instances=(of,), interruptions=(cause,))
    before = maker.rows(first)
    assert maker.rows(replace(first, recoveries=(saved(of, cause),))) != before


def test_a_reclaim_of_the_past_is_no_reclaim():
    of = instance(1)
    old, unlocked, late = reclaim(of, -61), replace(reclaim(of, 100), unlocked_at=NOW), reclaim(of, -200)
    assert open_reclaims(view(interruptions=(old,))) == ()
    assert open_reclaims(view(interruptions=(unlocked,))) == ()
    assert open_reclaims(view(interruptions=(reclaim(of, -59),))) != ()
    going = recovery(of, late, RecoveryState.LAUNCHING)
    assert open_reclaims(view(interruptions=(late,), recoveries=(going,))) == (late,)


def test_only_the_newest_reclaim_of_an_instance_counts():
    of = instance(1)
    assert open_reclaims(view(interruptions=(reclaim(of, 222), reclaim(of, -30)))) == (reclaim(of, 222),)


@pytest.mark.parametrize(
    ("evidence", "text"), [((Evidence.LOCK,), "≤03:42"), ((Evidence.LOCK, Evidence.QUEUE), "03:42")]
)
def test_a_deadline_that_only_a_lock_tells_is_an_upper_bound(evidence, text):
    row = instance_row(instance(1, recycling=True), reclaim(instance(1), 222, evidence))
    assert shown(INSTANCES, row, "deadline") == text
    model = TableModel(INSTANCES)
    model.apply(diff({}, {row[0]: row}))
    model.set_time(NOW_S)
    assert model.set_filter("deadline<5m deadline>3m")
    assert len(model.view) == 1


def test_an_engineers_wish_is_no_reclaim():
    row = instance_row(instance(1), reclaim(instance(1), 222, (Evidence.ENGINEER,)))
    assert [shown(INSTANCES, row, c) for c in ("mark", "deadline", "seen")] == ["", "·", "E"]


def test_only_rows_whose_objects_changed_are_made_again():
    maker, first = InstanceRows(), reclaims()
    before = maker.rows(first)
    renamed = replace(first.instances[5], name="new name")
    after = maker.rows(replace(first, instances=(*first.instances[:5], renamed, *first.instances[6:])))
    assert sum(after[key] is not before[key] for key in after) == 1


def test_nothing_is_made_when_neither_instances_nor_interruptions_changed():
    maker, first = InstanceRows(), reclaims()
    rows = maker.rows(first)
    again = tuple(replace(one) for one in first.interruptions)
    assert maker.rows(replace(first, version=2, events=(), interruptions=again)) is rows
    assert maker.rows(replace(first, version=3, interruptions=())) is not rows


def test_the_newest_event_stands_first_and_known_rows_are_kept():
    first = event_rows(reclaims(), {}, {})
    again = event_rows(reclaims(), first, {})
    assert all(again[key] is first[key] for key in first)
    assert [row[0] for row in order(EVENTS, first)] == sorted(first, reverse=True)


def test_recoveries_that_ended_stand_last_the_newest_of_them_first():
    one, two, three = (instance(n, f"m-{n}") for n in (1, 2, 3))
    ended = [
        recovery(of, reclaim(of), RecoveryState.RECOVERED, ended=NOW - timedelta(seconds=s))
        for of, s in ((one, 50), (two, 10))
    ]
    going = recovery(three, reclaim(three), RecoveryState.IMAGING)
    rows = recovery_rows(view(recoveries=(*ended, going)))
    assert [cell(RECOVERIES, row, "name") for row in order(RECOVERIES, rows)] == ["m-3", "m-2", "m-1"]


def test_what_failed_with_minutes_left_is_on_top_with_its_countdown_and_remedy_until_they_are_over():
    one, two, three = (instance(n, f"m-{n}") for n in (1, 2, 3))
    soon, later = reclaim(one, 100), reclaim(two, 200)
    refused = Failure("CreateImage", "Forbidden.RAM", "permission")
    failed = recovery(two, later, RecoveryState.FAILED, ended=NOW - timedelta(seconds=5), trouble=refused)
    going = recovery(one, soon, RecoveryState.IMAGING)
    saved = recovery(three, reclaim(three, 50), RecoveryState.RECOVERED, ended=NOW)
    rows = recovery_rows(view(recoveries=(saved, going, failed)))
    assert [cell(RECOVERIES, row, "name") for row in order(RECOVERIES, rows)] == ["m-2", "m-1", "m-3"]
    row = rows[failed.recovery_id]
    assert shown(RECOVERIES, row, "deadline") == "03:20"
    assert cell(RECOVERIES, row, "next").startswith("Forbidden.RAM · grant CreateImage, then press t")
    over = recovery_rows(view(at=failed.deadline, recoveries=(saved, going, failed)))
    assert [cell(RECOVERIES, row, "name") for row in order(RECOVERIES, over)] == ["m-1", "m-3", "m-2"]
    assert shown(RECOVERIES, over[failed.recovery_id], "deadline") == "·"


def test_what_is_recovered_says_how_long_it_took_where_it_runs_its_price_and_how_old_its_data_is():
    of = instance(1, "web-1", kind="ecs.g7.large")
    cause, plan = reclaim(of, 100), plan_of(of)
    old, new, _ = (replace(one, price_per_hour=0.4 + 0.04 * n) for n, one in enumerate(plan.candidates))
    priced = replace(plan, candidates=(old, new), price_per_hour=0.4, currency="CNY")
    made = recovery(
        of,
        cause,
        RecoveryState.RECOVERED,
        ended=cause.first_seen + timedelta(seconds=112),
        imaging_since=cause.first_seen + timedelta(seconds=2),
        new_instance_id="i-bp16abcdefq12",
        tries=(Try(new.place, "vsw", "m", "token"),),
    )
    row = recovery_row(made, NOW, priced)
    assert cell(RECOVERIES, row, "next") == "1m52s g7.large i→h +¥0.040/h data 02:10:04 i-bp16…fq12"
    assert cell(RECOVERIES, recovery_row(made, NOW), "next") == "1m52s g7.large h data 02:10:04 i-bp16…fq12"
    of_one_account = tuple(i for i, column in enumerate(RECOVERIES.columns) if column.id != "account")
    wide = row_texts(RECOVERIES, row, layout(RECOVERIES.columns, of_one_account, 100), NOW_S)
    assert "".join(wide[3:]).rstrip() == cell(RECOVERIES, row, "next")


def test_a_place_has_its_price_and_what_has_failed_is_red():
    plan = replace(plan_of(instance(1)), currency="CNY")
    plan = replace(plan, candidates=tuple(replace(one, price_per_hour=0.407) for one in plan.candidates))
    waits = recovery(instance(1), reclaim(instance(1)), RecoveryState.NEEDS_YOU, next_step=TWO_PLACES)
    assert cell(RECOVERIES, recovery_row(waits, NOW, plan), "next") == "→ zone h, else i · c7.large ¥0.407/h"
    failed = (StateEntered(RecoveryState.FAILED), CallFailed("CreateImage", Failure("CreateImage", "X")))
    assert {event_row(event(1, fact), {})[1] for fact in failed} == {Tone.ALARM}


@pytest.mark.parametrize("state", list(RecoveryState))
def test_every_state_has_a_row(state):
    made = recovery(instance(1), reclaim(instance(1)), state, verdict=Verdict.TIGHT, progress=50, reason=because("why"))
    row = recovery_row(made, NOW)
    assert shown(RECOVERIES, row, "state")
    assert bool(shown(RECOVERIES, row, "image")) is (state is RecoveryState.IMAGING)


@pytest.mark.parametrize(("left_s", "text"), [(14, "veto 14s"), (0, "goes now"), (-3, "goes now")])
def test_a_veto_window_counts_down_to_when_it_goes_by_itself(left_s, text):
    until = NOW + timedelta(seconds=left_s)
    made = recovery(instance(1), reclaim(instance(1)), RecoveryState.VETO_WINDOW, veto_until=until)
    assert shown(RECOVERIES, recovery_row(made, NOW), "state") == text


def test_a_veto_window_is_found_by_its_words():
    made = recovery(instance(1), reclaim(instance(1)), RecoveryState.VETO_WINDOW, veto_until=NOW)
    model = TableModel(RECOVERIES)
    model.apply(diff({}, {made.recovery_id: recovery_row(made, NOW)}))
    assert model.set_filter("state:veto window")
    assert len(model.view) == 1


@pytest.mark.parametrize(
    ("state", "left_s", "text"),
    [
        (RecoveryState.IMAGING, 70, "01:10"),
        (RecoveryState.IMAGING, -1, "now"),
        (RecoveryState.LAUNCHING, 70, ""),
    ],
)
def test_the_time_of_the_image_is_shown_until_it_is_there(state, left_s, text):
    made = recovery(instance(1), reclaim(instance(1)), state, forecast_at=NOW + timedelta(seconds=left_s))
    assert shown(RECOVERIES, recovery_row(made, NOW), "ready") == text


@pytest.mark.parametrize("gone_s", [0, 100, 400])
@pytest.mark.parametrize(("image_s", "text"), [(100, "y+1:40"), (59.6, "y+1:00"), (7200, "y+120m")])
def test_while_it_waits_for_a_yes_the_screen_says_what_an_image_takes_whatever_the_time(image_s, text, gone_s):
    made = recovery(instance(1), reclaim(instance(1)), RecoveryState.NEEDS_YOU, image_s=image_s)
    at = NOW + timedelta(seconds=gone_s)
    place = RECOVERIES.place("ready")
    column = RECOVERIES.columns[place - FIRST_CELL]
    assert column.render(recovery_row(made, at)[place], at.timestamp()) == text
    assert column.amount(recovery_row(made, at)[place], at.timestamp()) == round(image_s)


def test_a_veto_window_counts_down_to_the_image_that_it_brings():
    until = NOW + timedelta(seconds=14)
    made = recovery(instance(1), reclaim(instance(1)), RecoveryState.VETO_WINDOW, image_s=60, veto_until=until)
    assert shown(RECOVERIES, recovery_row(made, NOW), "ready") == "01:14"


def test_a_progress_that_nobody_sees_is_old_and_says_why():
    seen = NOW - timedelta(seconds=45)
    made = recovery(
        instance(1),
        reclaim(instance(1)),
        RecoveryState.IMAGING,
        progress=34,
        forecast_at=NOW + timedelta(seconds=70),
        next_step=NextStep(Doing.IMAGE),
        unseen_since=seen,
        trouble=Failure("DescribeImages", "ServiceUnavailable", "service error"),
    )
    row = recovery_row(made, NOW)
    texts = [shown(RECOVERIES, row, column) for column in ("state", "ready", "verdict")]
    assert texts == ["34% 45s old", "", "NOT KNOWN"]
    assert cell(RECOVERIES, row, "next").startswith("DescribeImages: ServiceUnavailable, retried every 2 s · image")


def test_what_waits_for_the_release_is_not_imaged():
    made = recovery(
        instance(1),
        reclaim(instance(1)),
        RecoveryState.IMAGING,
        route=Route.KEPT_DISK,
        next_step=NextStep(Doing.AWAIT_RELEASE, at=NOW + timedelta(seconds=222), count=2),
    )
    row = recovery_row(made, NOW)
    assert [shown(RECOVERIES, row, c) for c in ("state", "image", "ready", "verdict")] == ["waits", "", "", "DATA KEPT"]
    assert (
        cell(RECOVERIES, row, "next")
        == "wait for the release at 02:17:04 UTC, then make an image; data kept on 2 disks"
    )


@pytest.mark.parametrize(("queued", "text"), [(0, "next in line"), (2, "2 ahead of it")])
def test_what_auto_mode_lets_wait_its_turn_says_how_many_are_before_it(queued, text):
    why = Reason(Why.AT_ONCE, amounts=(3,), count=queued)
    made = recovery(instance(1), reclaim(instance(1)), RecoveryState.NEEDS_YOU, queued=queued, reason=why)
    row = recovery_row(made, NOW)
    assert shown(RECOVERIES, row, "state") == "queued"
    assert cell(RECOVERIES, row, "next") == f"{text} · limit of 3 recoveries at once: press y to start now"
    assert row[1] is Tone.PLAIN


def test_among_those_with_one_deadline_trouble_stands_first_and_stands_out():
    left_s = {"fine": 100, "late": 400, "tight": 210, "full": 100}
    made = [
        recovery(
            of := instance(n, name),
            reclaim(of),
            RecoveryState.IMAGING,
            forecast_at=NOW + timedelta(seconds=left),
            no_room=name == "full",
        )
        for n, (name, left) in enumerate(left_s.items())
    ]
    ranked = order(RECOVERIES, recovery_rows(view(recoveries=tuple(made))))
    assert [cell(RECOVERIES, row, "name") for row in ranked] == ["late", "full", "tight", "fine"]
    assert [row[1] for row in ranked] == [Tone.ALARM, Tone.WARN, Tone.WARN, Tone.PLAIN]


HOME = planned("ecs.c7.large", "cn-hangzhou-h")
TWO_PLACES = planned("ecs.c7.large", "cn-hangzhou-h", "cn-hangzhou-i")


@pytest.mark.parametrize(
    ("state", "reason", "step", "text"),
    [
        (RecoveryState.NEEDS_YOU, Reason(Why.PLAN_READY), HOME, "→ zone h · c7.large"),
        (
            RecoveryState.NEEDS_YOU,
            Reason(Why.HELD, detail="mia"),
            TWO_PLACES,
            "→ zone h, else i · c7.large · held by mia",
        ),
        (
            RecoveryState.NEEDS_YOU,
            Reason(Why.SCALING_GROUP),
            None,
            "its scaling group (ESS) replaces it: press y to recov",
        ),
        (
            RecoveryState.NEEDS_YOU,
            None,
            NextStep(Doing.PLANNED, route=Route.RESTART),
            "→ start it once stopped",
        ),
        (
            RecoveryState.NEEDS_YOU,
            None,
            NextStep(Doing.PLANNED, route=Route.KEPT_DISK, instance_type="ecs.c7.large", zone="cn-hangzhou-h"),
            "→ image of the kept disk after the release, then c7.large in h",
        ),
        (RecoveryState.VETO_WINDOW, Reason(Why.VETO_WINDOW), HOME, "→ zone h · c7.large"),
        (RecoveryState.SUSPECTED, Reason(Why.NO_LOCK_YET), HOME, "no lock seen yet: a drill never gets one"),
        (RecoveryState.SUSPECTED, None, HOME, "image, then ecs.c7.large in cn-hangzhou-h"),
        (
            RecoveryState.IMAGING,
            None,
            NextStep(Doing.LAUNCH, instance_type="ecs.c7.large", zone="cn-hangzhou-h", on_demand=True),
            "launch c7.large in h on-demand",
        ),
    ],
)
def test_next_begins_with_what_matters(state, reason, step, text):
    made = recovery(instance(1), reclaim(instance(1)), state, reason=reason, next_step=step)
    assert cell(RECOVERIES, recovery_row(made, NOW), "next").startswith(text)


@pytest.mark.parametrize(
    ("failure", "code_of", "told"),
    [
        (
            Failure("CreateImage", "Forbidden.RAM", "permission"),
            "Forbidden.RAM",
            "grant CreateImage, then press t",
        ),
        (Failure("RunInstances", "QuotaExceed.Eip", "quota"), "QuotaExceed.Eip", "free or raise the quota"),
        (Failure("RunInstances", "InvalidAccountStatus.NotEnoughBalance", "refused"), None, "settle the account"),
        (Failure("RunInstances", "", "no answer"), "no answer", "t retries, enter shows why"),
        (Failure("RunInstances", "InvalidAccessKeyId.NotFound", "credentials"), None, "fix the access key"),
        (None, "", "t retries, enter shows why"),
    ],
)
def test_what_failed_says_its_code_and_how_to_fix_it(failure, code_of, told):
    made = recovery(instance(1), reclaim(instance(1)), RecoveryState.FAILED, trouble=failure, ended=NOW)
    assert code(made) == (failure.code if failure and code_of is None else code_of)
    assert remedy(made).startswith(told)


def test_text_from_outside_is_made_plain():
    hostile = "a\x1b[31m\u202eb\n[red]x"
    texts = [
        cell(INSTANCES, instance_row(instance(1, hostile), None), "name"),
        cell(EVENTS, event_row(event(1, message(hostile)), {}), "text"),
        cell(
            RECOVERIES,
            recovery_row(recovery(instance(1, hostile), reclaim(instance(1)), RecoveryState.IMAGING), NOW),
            "name",
        ),
    ]
    assert texts == ["a�[31m�b�[red]x"] * 3


@pytest.mark.parametrize(
    ("left", "text"), [(0, "00:00"), (59, "00:59"), (222, "03:42"), (3700, "1:01:40"), (-12, "-00:12")]
)
def test_countdown(left, text):
    assert countdown(int(NOW_S) + left, NOW_S) == text


def test_no_deadline_is_a_dot():
    assert countdown(0, NOW_S) == "·"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0.43, "0.4s"), (31.9, "31s"), (310, "5m10s"), (7380, "2h03m"), (172_800, "2d")]
)
def test_age(seconds, text):
    assert age(seconds) == text


@pytest.mark.parametrize(("share", "full"), [(0, 0), (62, 4), (100, 8), (140, 8)])
def test_bar(share, full):
    assert bar(share, 0) == "▓" * full + "░" * (8 - full)


def test_a_long_id_is_cut_in_its_middle():
    assert (short_id("i-bp67acfmxazb4ph3x3"), short_id("i-bp1")) == ("i-bp67…h3x3", "i-bp1")
