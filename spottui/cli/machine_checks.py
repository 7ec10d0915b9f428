"""Checks of `doctor` on this machine: terminal, journal, disk."""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spottui.cli.check import Check, note, ok, wrong
from spottui.domain.hook import HookPlace, HookSettings
from spottui.domain.settings import Settings

if TYPE_CHECKING:
    from spottui.domain.facts import Logged

COLUMNS, LINES = 80, 24
FREE_BYTES = 200_000_000
TMUX_PATIENCE_S = 2
SLOW_S = 0.05
"""Database latency that is reported as slow: a commit takes about six round trips."""
APART_S = 2.0
NO_OSC_52 = {"STY": "GNU screen", "VTE_VERSION": "a VTE terminal"}
"""Terminals without OSC 52, by the environment variable that they set."""
INSTEAD = "select with shift and the mouse, or use a terminal with OSC 52: kitty, WezTerm, iTerm2, Windows Terminal"


def machine_checks(settings: Settings) -> Iterator[Check]:
    """Run every check of this machine."""
    yield from terminal_checks(is_terminal=sys.stdout.isatty())
    yield from _stop_file(settings.policy.stop_file)
    yield from _hooks(settings.hooks)
    yield from _journal(settings.journal, {*settings.region_keys})
    if "://" in settings.journal:
        yield from _server(settings.journal)
    else:
        yield _disk(Path(settings.journal).parent)
    yield _log()


def terminal_checks(*, is_terminal: bool) -> Iterator[Check]:
    """Check size, colours, and whether copying reaches the person's clipboard."""
    if not is_terminal:
        yield note("terminal", "not a TTY, skipped")
        return
    size = shutil.get_terminal_size()
    text = f"{size.columns}x{size.lines}, {_colours()}"
    if size.columns < COLUMNS or size.lines < LINES:
        yield note("terminal", text, f"resize it to at least {COLUMNS}x{LINES}")
    else:
        yield ok("terminal", text)
    yield _tmux() if os.environ.get("TMUX") else _copying()


def _colours() -> str:
    if "NO_COLOR" in os.environ:
        return "NO_COLOR is set"
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "16 million colours"
    term = os.environ.get("TERM", "")
    return "256 colours" if "256" in term else f"16 colours (TERM={term or 'not set'})"


def _copying() -> Check:
    """Copying uses OSC 52; a terminal that lacks it does not answer, so it is recognized by its name."""
    name = os.environ.get("TERM_PROGRAM", "") or os.environ.get("TERM", "")
    deaf = next((what for mark, what in NO_OSC_52.items() if os.environ.get(mark)), "")
    if name == "Apple_Terminal" or deaf:
        return note("clipboard", f"{deaf or name} does not support OSC 52: `c` copies nothing", INSTEAD)
    return ok("clipboard", f"OSC 52, if {name or 'this terminal'} allows it; press `c` in the console to try")


def _tmux() -> Check:
    """Copying goes through OSC 52, which tmux takes from a program only with `on`; `external` is its default."""
    try:
        said = (
            subprocess.run(["tmux", "show", "-gv", "set-clipboard"], capture_output=True, timeout=TMUX_PATIENCE_S)
            .stdout.decode(errors="replace")
            .strip()
        )
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    if said in ("off", "external"):
        return note("tmux", f"set-clipboard is {said}: `c` copies nothing", "tmux set -g set-clipboard on")
    return ok("tmux", f"set-clipboard is {said or 'unknown'}")


def _hooks(hooks: Iterable[HookSettings]) -> Iterator[Check]:
    """Check hooks now: a broken one must not be discovered during a reclaim."""
    for hook in hooks:
        if hook.where is not HookPlace.HERE:
            continue
        if shutil.which(hook.program):
            yield ok(f"hook at {hook.on}", f"{hook.program} is executable")
        else:
            yield wrong(f"hook at {hook.on}", f"{hook.program} is not an executable program", f"ls -l {hook.program}")


def _stop_file(name: str) -> Iterator[Check]:
    if not name:
        return
    try:
        Path(name).lstat()
    except (FileNotFoundError, NotADirectoryError):
        yield ok("stop file", f"{name} does not exist: auto-mode may act")
    except OSError as error:
        yield note(
            "stop file", f"{name} cannot be checked ({error.strerror}): auto-mode does not act", f"ls -ld {name}"
        )
    else:
        yield note("stop file", f"{name} exists: auto-mode does not act", f"rm {name}")


def _journal(path: str, configured: Collection[str]) -> Iterator[Check]:
    from spottui.journal import Journal
    from spottui.journal.store import JournalProblem

    try:
        with Journal(path, read_only=_is_there(path)) as journal:
            sick = journal.store.integrity()
            unlike = 0 if sick else sum(1 for _ in journal.log.unlike_their_facts())
            unfinished, watched = len(journal.recoveries.open()), journal.consoles.living()
            left = sorted({recovery.region for recovery in journal.recoveries.open()} - set(configured))
            not_ours = _not_ours(journal.recoveries.feed, configured)
    except JournalProblem as problem:
        yield wrong("journal", str(problem), f"psql '{path}'" if "://" in path else f"mv {path} {path}.broken")
        return
    if sick:
        yield wrong("journal", f"{path}: {sick}", f"mv {path} {path}.broken")
        return
    if unlike:
        yield wrong("journal", f"{path}: {unlike} recoveries differ from their facts", "spottui journal rebuild")
        return
    recoveries = "1 recovery" if unfinished == 1 else f"{unfinished} recoveries"
    consoles = "1 console" if len(watched) == 1 else f"{len(watched)} consoles"
    said = f"{path}, {recoveries} in progress, {consoles} running"
    if left:
        found = f"recoveries in progress in {', '.join(left)}, which are not configured: no console here drives them"
        yield wrong("journal", f"{path}: {found}", "configure the region, with its account, until they have ended")
    elif unfinished and not watched:
        yield wrong("journal", f"{said}: nothing drives them", "spottui")
    else:
        yield ok("journal", said)
    if not_ours:
        said = (
            f"a queue delivered reclaims of {', '.join(not_ours)}, which are not configured: left for another console"
        )
        yield note("queue", said, "spottui init --force")


def _not_ours(feed: "Iterable[Logged]", configured: Collection[str]) -> list[str]:
    """Return the regions and accounts whose reclaims consoles of this journal have left in a queue."""
    from spottui.domain.facts import MessageSeen

    facts = [logged.fact for logged in feed if isinstance(logged.fact, MessageSeen)]
    return sorted({fact.unconfigured_region or fact.other_account for fact in facts} - {"", *configured})


def _server(address: str) -> Iterator[Check]:
    """Check the database server: version, latency, and whether it can tell consoles apart."""
    from spottui.journal.store import JournalProblem

    try:
        from spottui.journal.postgres import CONNECTIONS, look_at_server

        server = look_at_server(address)
    except (JournalProblem, ImportError):
        # The check of the journal has reported it.
        return
    latency = f"PostgreSQL {server.version}, {server.latency_s * 1000:.1f} ms away"
    slow = server.latency_s > SLOW_S
    yield note("database", latency, "move the database closer to the consoles") if slow else ok("database", latency)
    encryption = "encrypted" if server.is_encrypted else "not encrypted"
    yield (
        ok("database link", encryption)
        if server.is_encrypted
        else note("database link", encryption, "add ?sslmode=verify-full to the address, unless the network is trusted")
    )
    apart = f"{abs(server.ahead_s):.1f} s {'ahead of' if server.ahead_s > 0 else 'behind'} this host's"
    far = abs(server.ahead_s) > APART_S
    yield (
        note("database clock", apart, "chronyc makestep, on the host whose clock is wrong")
        if far
        else ok("database clock", apart)
    )
    left = f"{server.connections_left} connections left; a console takes up to {CONNECTIONS}"
    few = server.connections_left < CONNECTIONS
    yield wrong("database connections", left, "raise max_connections") if few else ok("database connections", left)
    if server.is_pooled:
        pooled = "a pooler shares connections between consoles: a lost console cannot be detected"
        yield wrong("database pooler", pooled, "use pool_mode = session, or connect to the database directly")


def _is_there(path: str) -> bool:
    """A missing journal file is created, to check that it can be."""
    return path.startswith(("postgresql://", "postgres://")) or Path(path).exists()


def _disk(directory: Path) -> Check:
    """A directory that could not be created was already reported for the journal."""
    while not directory.exists():
        directory = directory.parent
    free = shutil.disk_usage(directory).free
    text = f"{free / 1e9:.1f} GB free at {directory}"
    return (
        ok("disk", text) if free > FREE_BYTES else wrong("disk", text, "free some space: the journal must be writable")
    )


def _log() -> Check:
    from spottui.config import state_dir

    return note("log", f"{state_dir() / 'spottui.log'}")
