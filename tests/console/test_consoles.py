"""Several consoles on one journal: how many there are, which of them drives a recovery, and which is silent."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from spottui.console.text.details import recovery_facts
from spottui.domain.view import LiveConsole
from tests.console.driving import NARROW, press, running, screen, shows
from tests.console.scripted import NOW, ScriptedDesk, reclaims

OWN = LiveConsole("a", "bastion-1", 411, NOW - timedelta(hours=1))
OTHER = LiveConsole("b", "bastion-2", 902, NOW - timedelta(minutes=9))


def driven(driver, *consoles):
    first = reclaims(consoles=consoles, own=OWN.id)
    web, *others = first.recoveries
    return replace(first, recoveries=(replace(web, driver=driver), *others))


@pytest.mark.parametrize(
    ("driver", "consoles", "said"),
    [
        ("a", (OWN, OTHER), "this console"),
        ("b", (OWN, OTHER), "bastion-2 pid 902"),
        ("b", (OWN, replace(OTHER, answers=False)), "console bastion-2 pid 902 does not answer"),
        ("c", (OWN, OTHER), "a console that has ended; another one takes over"),
        ("", (OWN, OTHER), ""),
        ("a", (OWN,), ""),
    ],
)
def test_the_details_say_who_drives_a_recovery_where_it_can_be_another(driver, consoles, said):
    view = driven(driver, *consoles)
    assert dict(recovery_facts(view.recoveries[0], view))["driver"] == said


async def test_the_header_counts_the_consoles_where_there_are_several():
    async with running(ScriptedDesk(driven("b", OWN, OTHER))) as (pilot, desk):
        await shows(pilot, "prod · cn-hangzhou · 2 consoles")
        await press(pilot, "enter")
        await shows(pilot, "driver            bastion-2 pid 902")
        await press(pilot, "escape")
        desk.show(consoles=(OWN,))
        await shows(pilot, "prod · cn-hangzhou   ")
        assert "consoles" not in screen(pilot.app)


async def test_a_console_that_does_not_answer_is_a_problem_said_at_any_width():
    silent = replace(OTHER, host="bastion\x1b[2J", answers=False)
    async with running(ScriptedDesk(driven("b", OWN, silent)), size=NARROW) as (pilot, _):
        await shows(pilot, "✕ console bastion�[2J pid 902 is not responding")
