"""`spottui guard`: runs a workload on a spot instance, stops it in time, and resumes it at the next boot."""

import re
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spottui.cli.common import Failed, Wrong
from spottui.cli.printing import Printing

if TYPE_CHECKING:
    from collections.abc import Callable

    from spottui.cloud.instance_notices import OwnNotices
    from spottui.cloud.metadata import Metadata
    from spottui.workload.guard import Guard

_EXAMPLES = """\b
Examples:
  spottui guard -- ./train.sh --epochs 90
  spottui guard --signal USR1 --margin 60 -- ./train.sh
  spottui guard --state /var/lib/train.json -- ./train.sh
  spottui guard --unit --state /var/lib/train.json -- ./train.sh > t.service
  spottui guard --queue https://$MNS_ENDPOINT/queues/train -- ./train.sh
"""
_QUEUE = re.compile(r"((?:https?://)?[A-Za-z0-9.-]+(?::\d{1,5})?)/queues/([A-Za-z0-9][A-Za-z0-9-]{0,119})/?")


def _queue_address(_ctx: click.Context, _option: click.Parameter, address: str) -> str:
    if address and not _QUEUE.fullmatch(address):
        raise click.BadParameter(f"{address!r} is not like https://ACCOUNT.mns.REGION.aliyuncs.com/queues/NAME")
    return address


class SignalName(click.ParamType[signal.Signals]):
    """A signal by its name, with or without SIG, or by its number."""

    name = "signal"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> signal.Signals:
        """Return the signal."""
        text = str(value).upper()
        try:
            return signal.Signals(int(text)) if text.isdigit() else signal.Signals[f"SIG{text.removeprefix('SIG')}"]
        except (KeyError, ValueError):
            self.fail(f"invalid signal {value!r}; use TERM, INT, HUP, USR1 or USR2", param, ctx)


@click.command(epilog=_EXAMPLES)
@click.argument("command", nargs=-1, required=True)
@click.option(
    "--signal", "warning", type=SignalName(), default="TERM", show_default=True, help="Signal that warns the workload."
)
@click.option(
    "--margin", "margin_s", type=click.FloatRange(0, 290), default=30.0, show_default=True, metavar="SECONDS",
    help="Kill the workload this long before the deadline.",
)  # fmt: skip
@click.option(
    "--poll", "poll_s", type=click.FloatRange(0.02, 60), default=5.0, show_default=True, metavar="SECONDS",
    help="Time between two metadata requests.",
)  # fmt: skip
@click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path),
    help="Store the outcome here; finished work is not run again.",
)  # fmt: skip
@click.option("--metadata", "address", default="", help="Metadata service.  [default: http://100.100.100.200]")
@click.option("--queue", default="", callback=_queue_address, metavar="URL", help="Also listen to this queue.")
@click.option("--unit", is_flag=True, help="Print a systemd unit that resumes it at boot, and exit.")
@click.option("--dry-run", is_flag=True, help="Read the metadata once; run nothing.")
@click.pass_context
def guard(
    ctx: click.Context,
    command: tuple[str, ...],
    warning: signal.Signals,
    margin_s: float,
    poll_s: float,
    state: Path | None,
    address: str,
    queue: str,
    unit: bool,
    dry_run: bool,
) -> None:
    """Run COMMAND on this spot instance and exit with its exit code.

    When the metadata service announces a reclaim, the workload gets a signal and has until the margin before the
    deadline to save its work; then it is killed, with everything it started. With --state it is run again, for
    example at the next boot, until it has exited with 0 without an interruption; SPOTTUI_RUN tells it the number of
    the run. A run starts only when nothing of the previous one is left.

    The queue of --queue must not be the console's: each message goes to one listener only. Only a notice that names
    this instance counts; others are returned to the queue. A notice makes the guard ask the metadata at once, and
    nothing is done until the metadata confirms it. Only if the metadata is unreachable does a fresh notice count on
    its own; with --state the workload is then run again if the machine outlives the deadline. A drill for this
    instance warns the workload and never kills it; with --state the workload is resumed afterwards. Credentials come
    from the SDK's default chain, such as the instance's RAM role, which needs mns:ReceiveMessage, DeleteMessage and
    ChangeMessageVisibility.
    """
    from spottui.cloud.metadata import ADDRESS, Metadata
    from spottui.workload.guard import Guard, Rules

    if not shutil.which(command[0]):
        raise Wrong(f"{command[0]} is not an executable command.")
    if unit:
        click.echo(_unit(ctx, command))
        return
    metadata = Metadata(address or ADDRESS)
    if dry_run:
        _look(metadata, queue)
        return
    minder = Guard(Rules(warning, margin_s, poll_s), metadata, _print, _notices(queue, metadata) if queue else None)
    with Printing():
        code = _run(command, minder, state)
    ctx.exit(code)


def _notices(queue: str, metadata: "Metadata") -> "Callable[[], OwnNotices]":
    """Return what opens the queue; the SDK is imported then, in the thread that listens."""
    parts = _QUEUE.fullmatch(queue)
    assert parts

    def open_notices() -> "OwnNotices":
        from spottui.cloud.instance_notices import OwnNotices

        return OwnNotices(parts[1], parts[2], metadata.instance_id(), metadata.clock)

    return open_notices


def _run(command: tuple[str, ...], minder: "Guard", state: Path | None) -> int:
    from spottui.workload.progress import ProgressFile, ProgressProblem, run_until_done

    try:
        if state is None:
            return minder.run(command).exit_code
        return run_until_done(command, minder, ProgressFile(state), _print)
    except ProgressProblem as problem:
        raise Wrong(str(problem)) from None
    except OSError as error:
        raise Wrong(f"{command[0]}: {error.strerror}") from None


def _look(metadata: "Metadata", queue: str) -> None:
    from spottui.cloud.metadata import MetadataProblem

    try:
        deadline = metadata.termination_time()
    except MetadataProblem as problem:
        raise Failed(f"metadata: {problem}. Is this an ECS instance?") from None
    if queue:
        click.echo(_notices(queue, metadata)().check())
    if deadline is None:
        click.echo("the metadata service responds: no reclaim announced")
    else:
        left_s = (deadline - metadata.clock.now()).total_seconds()
        click.echo(f"reclaimed at {deadline:%Y-%m-%d %H:%M:%S} UTC, in {left_s:.0f} s")


def _print(text: str) -> None:
    click.echo(f"spottui guard: {text}", err=True)


def _unit(ctx: click.Context, command: tuple[str, ...]) -> str:
    """Return a unit that runs exactly this guard at boot."""
    given = ctx.params
    if given["state"] is None:
        raise Wrong("--unit requires --state: without it, finished work would run again at each boot.")
    program = [shutil.which("spottui") or sys.executable, *([] if shutil.which("spottui") else ["-m", "spottui"])]
    words = [
        *program, "guard", "--signal", given["warning"].name, "--margin", f"{given['margin_s']:g}",
        "--poll", f"{given['poll_s']:g}", "--state", str(given["state"].absolute()),
        *(["--metadata", given["address"]] if given["address"] else []),
        *(["--queue", given["queue"]] if given["queue"] else []),
        "--", str(Path(shutil.which(command[0]) or command[0]).absolute()), *command[1:],
    ]  # fmt: skip
    return f"""\
[Unit]
Description=A workload on a spot instance, guarded by spottui
After=network-online.target local-fs.target
Wants=network-online.target

[Service]
Type=exec
WorkingDirectory={str(Path.cwd()).replace("%", "%%")}
ExecStart={" ".join(_quoted(word) for word in words)}
# Only the guard gets SIGTERM: it stops the workload and waits for it. Whatever is left is then killed.
KillMode=mixed
KillSignal=SIGTERM
TimeoutStopSec=300

[Install]
WantedBy=multi-user.target"""


def _quoted(word: str) -> str:
    """Quote a word as systemd reads it: `%` and `$` mean something there."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return plain if plain and not any(c.isspace() or c in "\"'\\;" for c in word) else f'"{plain}"'
