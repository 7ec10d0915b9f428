"""What must not harm: kill -9, SIGSTOP, cut connections, a crash of the database, each at any moment.

`python -m tests.chaos [-j N] [KILLS] [--zombies N] [--commits WAY …] [--hosts KILLS] …` prints what was lost or doubled
as JSON lines, and whether each snapshot is the fold of its facts; it exits with 1 when anything was wrong.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count, takewhile
from pathlib import Path

from tests.chaos.commits import WAYS, kill_at_commit
from tests.chaos.consoles import freeze_while_recovering, kill_over_two_accounts, kill_while_recovering
from tests.chaos.hosts import harass
from tests.chaos.toll import Toll
from tests.journal.postgres_server import PASSWORD

SET = 10
"""Kills of one set of recoveries."""
CONSOLES = 3
Run = Callable[[Path], Toll]


def main() -> None:
    """Do what is asked for, and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", nargs="?", type=int, default=1000, help="kills at random moments, one host [1000]")
    parser.add_argument("--accounts", type=int, default=50, help="kills of consoles over two accounts [50]")
    parser.add_argument("-j", type=int, default=2, dest="at_once", help="so many runs at once [2]")
    parser.add_argument("--zombies", type=int, default=50, help="consoles that are stopped and go on, one host [50]")
    parser.add_argument("--commits", nargs="*", choices=WAYS, default=list(WAYS), help="ways killed at each commit")
    parser.add_argument("--stride", type=int, default=1, help="every so many commits [1]")
    parser.add_argument("--hosts", type=int, default=300, help="kills over three hosts; 0: no PostgreSQL [300]")
    chosen = parser.parse_args()
    sys.exit(bool(sum(toll.harm for toll in _tolls(chosen))))


def _tolls(chosen: argparse.Namespace) -> Iterator[Toll]:
    os.environ["PGPASSWORD"] = PASSWORD
    frozen = [partial(_freeze, seed) for seed in range(1, chosen.zombies + 1)]
    with ThreadPoolExecutor(chosen.at_once) as pool:
        # Consoles that are killed mostly wait: the few runs of one kind do not wait for those of another.
        *on_one_host, over_hosts = (
            (what, pool.map(_in_a_directory, runs))
            for what, runs in (
                ("kills at random moments", _kills(chosen.kills, _kill)),
                ("consoles over two accounts killed", _kills(chosen.accounts, _kill_two)),
                ("one of two consoles stopped", frozen),
                ("three hosts on one database", _hosts(chosen.hosts)),
            )
        )
        for what, tolls in on_one_host:
            yield _total(what, tolls)
        for name in chosen.commits:
            yield _total(f"kill at each commit of {name}", _commits(pool, name, chosen.at_once, chosen.stride))
        yield _total(*over_hosts)


def _total(what: str, tolls: Iterable[Toll]) -> Toll:
    """Add up, and print the sum after each run."""
    total = Toll()
    for toll in tolls:
        total.add(toll)
        print(json.dumps({"chaos": what, **total.record()}), flush=True)
    return total


def _kills(kills: int, kill: Callable[[int, int, Path], Toll]) -> list[Run]:
    """Ten kills for each set of recoveries, every second set with three consoles."""
    sets = [min(SET, kills - done) for done in range(0, kills, SET)]
    return [partial(kill, times, seed) for seed, times in enumerate(sets, 1)]


def _hosts(kills: int) -> list[Run]:
    """For 30 kills, 10 cut connections, 5 stopped consoles and a crash of the database, in any order."""
    deeds = ["kill"] * kills + ["cut"] * (kills // 3) + ["freeze"] * (kills // 6) + ["crash"] * -(-kills // 30)
    random.Random(kills).shuffle(deeds)
    size = SET + SET // 2
    sets = [deeds[start : start + size] for start in range(0, len(deeds), size)]
    return [partial(harass, deeds=each, seed=seed) for seed, each in enumerate(sets, 1)]


def _commits(pool: ThreadPoolExecutor, name: str, at_once: int, stride: int) -> Iterator[Toll]:
    """Kill before and after every `stride`-th commit, until a recovery has no such commit."""
    size = max(at_once, 2)
    points = ((moment, number) for number in count(1, stride) for moment in ("before", "after"))
    batches = (list(pool.map(partial(_at_commit, name), [next(points) for _ in range(size)])) for _ in count())
    for batch in takewhile(lambda batch: any(toll.kills for toll in batch), batches):
        yield from batch


def _at_commit(name: str, point: tuple[str, int]) -> Toll:
    return _in_a_directory(lambda directory: kill_at_commit(directory / "c.toml", WAYS[name], *point))


def _kill(kills: int, seed: int, directory: Path) -> Toll:
    return kill_while_recovering(directory / "c.toml", kills, seed, consoles=CONSOLES if seed % 2 else 1)


def _kill_two(kills: int, seed: int, directory: Path) -> Toll:
    return kill_over_two_accounts(directory / "c.toml", kills, seed, consoles=CONSOLES if seed % 2 else 1)


def _freeze(seed: int, directory: Path) -> Toll:
    return freeze_while_recovering(directory / "c.toml", seed)


def _in_a_directory(run: Run) -> Toll:
    with tempfile.TemporaryDirectory() as directory:
        return run(Path(directory))


if __name__ == "__main__":
    main()
