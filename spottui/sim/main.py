"""The simulated cloud as a program: one ready line on standard output, until a signal ends it."""

import asyncio
import gc
import json
import logging
import signal

import click

from spottui.sim.assumptions import ASSUMPTIONS
from spottui.sim.errors import ControlError
from spottui.sim.scenario import load, names
from spottui.sim.serve import Options, running

_COLLECTED_AT = 50_000
"""Values more than before, and the collector looks for cycles."""


def start(options: Options) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        click.UsageError: the scenario is not known (exit 2).
        click.ClickException: the port is taken or the configuration cannot be written (exit 1).
    """
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    try:
        asyncio.run(_serve(options))
    except ControlError as refusal:
        raise click.UsageError(f"{refusal.field}: {refusal.message}; allowed: {refusal.allowed}") from None
    except OSError as failure:
        raise click.ClickException(str(failure)) from None


def show_scenarios() -> None:
    """One line per scenario: its name and why it is there."""
    for name in names():
        click.echo(f"{name:29} {load(name).why}")


def show_assumptions() -> None:
    """One line per open question: the switch, what is assumed, the other outcome, the question and its section."""
    for assumption in ASSUMPTIONS:
        click.echo(
            f"{assumption.switch:21} {json.dumps(assumption.assumed)} (or {json.dumps(assumption.other)}): "
            f"{assumption.question} [{assumption.section}]"
        )


async def _serve(options: Options) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with running(options) as endpoint:
        # A fleet of thousands lives as long as this process, and a page of it, which has thousands of values, dies by
        # itself: the collector need not walk either for every page.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECTED_AT)
        click.echo(json.dumps(endpoint.as_json()))
        await ended.wait()
