"""Who goes on with what a console leaves."""

from pathlib import Path

from spottui.recovery.claims import Claim


def test_a_successor_lives_and_does_not_only_watch(tmp_path: Path) -> None:
    ours, watcher, acting = (Claim(tmp_path) for _ in range(3))
    ours.take_over()
    assert ours.successors() == 0
    acting.take_over()
    assert (ours.successors(), acting.successors(), watcher.successors()) == (1, 1, 2)
    del acting
    assert ours.successors() == 0
