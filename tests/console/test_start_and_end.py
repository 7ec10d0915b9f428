import subprocess
import sys
import threading
import time

import pytest
from msgspec.structs import replace

from spottui.console import action_handlers
from spottui.console.dialogs.quit import open_work
from spottui.console.main_screen import MainScreen
from spottui.domain.recovery import RecoveryState
from spottui.domain.refusal import Ended, Misconfigured, Refused, Unavailable
from tests.console.driving import (
    NARROW,
    WHO,
    BellApp,
    arrived,
    console_over,
    press,
    running,
    screen,
    shows,
    toasts,
    wait_until,
)
from tests.console.scripted import AUTO_OFF, FrozenClock, ScriptedDesk, reclaims, view


async def test_the_first_frame_comes_before_the_desk_and_says_what_it_waits_for():
    may_open = threading.Event()

    def open_desk():
        may_open.wait(10)
        return ScriptedDesk(reclaims())

    app = BellApp(open_desk, clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "starting…")
        assert screen(app).count("Opening the journal and the cloud clients…") == 3
        may_open.set()
        await shows(pilot, "NEEDS YOU")


async def test_what_the_journal_says_is_shown_while_the_desk_still_opens():
    may_open, desk = threading.Event(), ScriptedDesk(reclaims())

    def open_desk():
        app.session.worker.show_starting(replace(reclaims(), version=-1, starting=True, sources=()))
        may_open.wait(10)
        return desk

    app = BellApp(open_desk, clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "NEEDS YOU")
        assert "starting…" in screen(app)
        await press(pilot, "y")
        assert "still starting" in toasts(app)[0]
        may_open.set()
        await wait_until(pilot, lambda: "starting…" not in screen(app))
        assert "sweep 31s" in screen(app)


async def test_a_desk_that_fails_after_the_journal_was_shown_could_not_start():
    def open_desk():
        app.session.worker.show_starting(replace(reclaims(), version=-1, starting=True, sources=()))
        raise Refused("no credentials")

    app = BellApp(open_desk, clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "spottui cannot start: no credentials")
        assert "NOT STARTED" in screen(app)
        await press(pilot, "q")
        await wait_until(pilot, lambda: app._exit)
    assert app._exit_message.startswith("spottui: it could not start.\n")


async def test_keys_that_act_are_refused_until_the_desk_is_open():
    may_open = threading.Event()
    app = BellApp(lambda: may_open.wait(10), clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("y", "r", "x", "a"):
            await press(pilot, key)
            assert "still starting" in toasts(app)[0]
        may_open.set()


async def test_a_desk_that_cannot_be_opened_says_why_and_q_still_leaves():
    def open_desk():
        raise Refused("no region in [red]/etc/spottui.toml[/red]")

    app = BellApp(open_desk, clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "spottui cannot start: no region in [red]/etc/spottui.toml[/red]")
        assert "The fleet: unknown" in screen(app)
        await press(pilot, "q")
        await wait_until(pilot, lambda: app._exit)
    assert app.return_code == 1
    assert app._exit_message.startswith("spottui: it could not start.\nspottui: Last error: no region in [red]/etc")


async def test_a_configuration_that_does_not_fit_the_journal_ends_the_console_with_its_words():
    def open_desk():
        raise Misconfigured("region.account in cn-hangzhou: found [red]live[/red]")

    app = BellApp(open_desk, clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app._exit)
    assert app.return_code == 2
    assert app._exit_message == "spottui: region.account in cn-hangzhou: found [red]live[/red]\n"


async def test_capital_r_opens_the_desk_again_that_could_not_be_opened():
    desks = [ScriptedDesk(reclaims())]
    problems = [Refused("the journal is locked by another program")]

    def open_desk():
        if problems:
            raise problems.pop()
        return desks.pop()

    app = BellApp(open_desk, clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "spottui cannot start: the journal is locked")
        await press(pilot, "y")
        assert "R retries" in toasts(app)[0]
        await press(pilot, "R")
        await shows(pilot, "NEEDS YOU")
        assert "cannot start" not in screen(app)


async def test_a_journal_that_is_away_at_the_start_is_waited_for_and_named():
    desk, away = ScriptedDesk(reclaims()), [Unavailable("journal [red]postgresql://db/spottui[/red]: refused")]

    def open_desk():
        if away:
            raise away[0]
        return desk

    app = BellApp(open_desk, clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "Waiting to start: journal [red]postgresql://db/spottui[/red]: refused · next try in 3s")
        await press(pilot, "y")
        assert "still starting" in toasts(app)[0]
        away.clear()
        await shows(pilot, "NEEDS YOU")
        assert "Waiting to start" not in screen(app)


async def test_q_leaves_a_console_that_waits_for_its_journal():
    def open_desk():
        raise Unavailable("journal postgresql://db/spottui: refused")

    app = BellApp(open_desk, clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "Waiting to start")
        await press(pilot, "q")
        await wait_until(pilot, lambda: app._exit)
    assert app.return_code == 0


async def test_q_closes_the_desk_and_ends():
    async with running(ScriptedDesk(view())) as (pilot, desk):
        await press(pilot, "q")
        await wait_until(pilot, lambda: desk.closed and pilot.app._exit)


async def test_q_asks_first_when_a_recovery_runs():
    async with running() as (pilot, desk):
        await press(pilot, "q")
        await shows(pilot, "resumes at the next start")
        await press(pilot, "escape")
        assert pilot.app.screen is pilot.app.main
        assert not desk.closed
        await press(pilot, "q", "enter")
        assert pilot.app.screen is pilot.app.main
        assert not desk.closed
        await press(pilot, "q", "y")
        await wait_until(pilot, lambda: desk.closed and pilot.app._exit)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_asked_twice_it_ends(key):
    async with running() as (pilot, desk):
        await press(pilot, key, key)
        await wait_until(pilot, lambda: desk.closed and pilot.app._exit)


async def test_the_question_names_what_rests_and_what_needs_a_person():
    async with running() as (pilot, _):
        await press(pilot, "q")
        await shows(pilot, "1 recovery runs: web-3.")
        assert "It pauses while no console runs and resumes at the next start." in screen(pilot.app)
        assert "1 NEEDS YOU: etl-7." in screen(pilot.app)
        assert "Nobody can confirm or veto while no console runs; the deadlines keep running." in screen(pilot.app)


async def test_the_question_says_that_another_console_goes_on_and_who_may_still_be_vetoed():
    desk = ScriptedDesk(reclaims(auto=replace(AUTO_OFF, armed=True)))
    web, etl, job = desk.current.recoveries
    desk.show(recoveries=(web, etl, replace(job, state=RecoveryState.VETO_WINDOW)))
    desk.other_consoles = 1
    async with running(desk, size=NARROW) as (pilot, _):
        await press(pilot, "q")
        await shows(pilot, "Another console of this journal takes it over within seconds.")
        await shows(pilot, "1 in its veto window: batch-12.")
        assert "Auto-mode ends with this console. Another console of this journal shows" in screen(pilot.app)
        desk.show(recoveries=())
        await arrived(pilot, desk)
        pilot.app.screen.tick()
        await shows(pilot, "Nothing is in progress any more.")


async def test_several_are_spoken_of_as_several():
    runs, needs_you, _ = reclaims().recoveries
    text = open_work(view(recoveries=(runs, replace(runs, name="web-4"), needs_you, replace(needs_you, name="etl-8"))))
    assert "2 recoveries run: web-3, web-4." in text
    assert "They pause while no console runs and resume at the next start." in text
    assert "2 NEED YOU: etl-7, etl-8." in text


async def test_a_read_only_console_runs_nothing_and_ends_without_asking():
    async with running(ScriptedDesk(reclaims(read_only=True))) as (pilot, desk):
        await press(pilot, "q")
        await wait_until(pilot, lambda: desk.closed and pilot.app._exit)


async def test_ctrl_q_asks_as_q_does():
    async with running() as (pilot, desk):
        await press(pilot, "ctrl+q")
        await shows(pilot, "resumes at the next start")
        assert not desk.closed


async def test_the_desk_is_closed_whatever_ended_the_program():
    desk = ScriptedDesk(view())
    app = console_over(desk)
    async with app.run_test() as pilot:
        await wait_until(pilot, lambda: app.session.view is not None)
        app.exit()
    assert wait_for(lambda: desk.closed)


def wait_for(condition):
    done = threading.Event()
    for _ in range(500):
        if condition():
            return True
        done.wait(0.01)
    return False


def test_nothing_heavy_is_imported_before_the_first_frame():
    heavy = [
        "sqlalchemy",
        "dbos",
        "aiohttp",
        "requests",
        "mns",
        "Tea",
        "darabonba",
        "alibabacloud_ecs20140526",
        "apprise",
    ]
    code = "import spottui.console.app, sys; print(*(m for m in sys.modules if m.split('.')[0] in set(sys.argv[1:])))"
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_screens_are_imported_when_they_are_opened():
    code = "import spottui.console.app, sys; print(*sorted(m for m in sys.modules if m.startswith('spottui.console.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "spottui.console.widgets.table" in done.stdout
    assert "spottui.console.pages" not in done.stdout
    assert "spottui.console.dialogs" not in done.stdout


async def test_a_desk_that_is_still_starting_is_shown_as_such():
    async with running(ScriptedDesk(view(starting=True))) as (pilot, desk):
        await shows(pilot, "Opening the journal")
        await press(pilot, "a")
        assert "still starting" in toasts(pilot.app)[0]
        desk.show(starting=False)
        await shows(pilot, "No spot instance")


class Falling(ScriptedDesk):
    """Cannot be read while `broken` holds an error."""

    broken = None

    def view(self):
        if self.broken:
            raise self.broken
        return super().view()

    def wait(self, version, timeout_s):
        super().wait(version, timeout_s)
        return self.view()


async def test_a_desk_that_cannot_be_read_is_not_shown_as_live_and_is_read_again():
    desk = Falling(reclaims())
    async with running(desk) as (pilot, _):
        desk.broken = OSError("database is locked")
        desk.show(profile="later")
        await shows(pilot, "✕ Journal unreadable, the screen is out of date: OSError: database is locked · next try")
        desk.broken = None
        await shows(pilot, "later · cn-hangzhou")
        assert "unreadable" not in screen(pilot.app)


async def test_a_journal_that_is_broken_stops_the_desk_and_capital_r_opens_it_again():
    desks = [Falling(reclaims()), ScriptedDesk(replace(reclaims(), profile="again"))]
    opening = iter(desks)
    app = BellApp(lambda: next(opening), clock=FrozenClock(), who=WHO, title="spottui")
    async with app.run_test(size=(160, 40)) as pilot:
        await wait_until(pilot, lambda: app.session.view is not None)
        desks[0].broken = Ended("journal /j.db: it was deleted or replaced under this console")
        desks[0].show(profile="later")
        await shows(
            pilot, "✕ spottui has stopped, the screen is out of date: journal /j.db: it was deleted or replaced"
        )
        assert wait_for(lambda: desks[0].closed), "others may go on"
        await press(pilot, "y")
        assert desks[0].commands == []
        await press(pilot, "R")
        await shows(pilot, "again · cn-hangzhou")
        assert "has stopped" not in screen(app)


async def test_a_worker_that_raises_is_a_message(caplog):
    class Broken(ScriptedDesk):
        def carry_out(self, recovery_id, command, who):
            raise ZeroDivisionError

    async with running(Broken(reclaims())) as (pilot, _):
        await press(pilot, "j", "y")
        await shows(pilot, "Old → new")
        await press(pilot, "enter")
        await wait_until(pilot, lambda: toasts(pilot.app))
        assert "Internal error in spottui (ZeroDivisionError)" in toasts(pilot.app)[0]
        assert "a command failed" in caplog.text


async def test_a_clock_that_jumps_changes_texts_and_nothing_else():
    clock = FrozenClock()
    async with running(clock=clock) as (pilot, _):
        for seconds in (86_400, -2 * 86_400, 10**9):
            clock.go(seconds)
            pilot.app.main.tick()
            await pilot.pause()
        clock.go(-(10**9) + 86_400)
        pilot.app.main.tick()
        await shows(pilot, "! 03:42")


async def test_a_terminal_of_no_size_and_back():
    async with running() as (pilot, _):
        for size in ((1, 1), (2, 3), (0, 0), (120, 40)):
            await pilot.resize_terminal(*size)
            pilot.app.main.tick()
            await pilot.pause()
        await shows(pilot, "NEEDS YOU")


async def test_a_screen_that_does_not_answer_is_in_the_log_with_what_it_was_doing(caplog):
    def freeze():
        time.sleep(0.9)
        return "in freeze" in caplog.text

    async with running() as (pilot, _):
        # A start on a loaded machine is late too: it is this one that must be named.
        await wait_until(pilot, freeze)
        assert pilot.app.session.watchdog.stalls
    assert "the screen did not answer" in caplog.text


async def test_an_action_that_fails_is_a_message(monkeypatch, caplog):
    monkeypatch.setitem(action_handlers.HANDLERS, "copy", lambda main: 1 / 0)
    async with running() as (pilot, _):
        await press(pilot, "c")
        assert toasts(pilot.app) == ["Copy id: internal error in spottui (ZeroDivisionError); details are in the log."]


async def test_what_cannot_be_shown_does_not_end_the_console(monkeypatch):
    async with running() as (pilot, desk):
        monkeypatch.setattr(pilot.app.main, "show", lambda message: 1 / 0)
        desk.show(profile="other")
        await shows(pilot, "ZeroDivisionError inside spottui")
        monkeypatch.undo()
        desk.show(profile="third")
        await shows(pilot, "third · cn-hangzhou")


@pytest.mark.parametrize("size", [(59, 15), (60, 16), (160, 50)])
async def test_the_main_screen_is_composed_with_the_classes_of_its_size(size, monkeypatch):
    first, compose = [], MainScreen.compose
    monkeypatch.setattr(MainScreen, "compose", lambda self: (first.append(set(self.classes)), compose(self))[1])
    async with running(size=size) as (pilot, _):
        assert first == [pilot.app.main.classes]
        assert len(first[0]) == 2
