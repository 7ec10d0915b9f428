"""Runs a workload again and again until it is done, whatever interrupts it, and never two runs side by side."""

import time
from collections.abc import Callable

from spottui.workload.guard import Guard
from spottui.workload.progress import Outcome, ProgressFile


def run_until_done(command: tuple[str, ...], guard: Guard, file: ProgressFile, say: Callable[[str], None]) -> int:
    """Run a command until it is done or the machine goes, and return the exit code of its last run.

    What is done already is not run. Raises `ProgressProblem` where another run may still live or the file is of no
    use, and `OSError` when the command cannot be started.
    """
    with file.opened(command) as progress:
        if progress.outcome is Outcome.DONE:
            say("already done; remove the state file to run it again")
            return 0
        while True:
            progress = file.begin(progress)
            ended = guard.run(command, progress.runs, (file.lock,))
            # After a warning 0 may mean `saved` as well as `finished`: it is run again, and finds nothing to do.
            done = Outcome.FAILED if ended.exit_code else Outcome.DONE
            progress = file.end(progress, Outcome.INTERRUPTED if ended.interrupted else done, ended.exit_code)
            if ended.again_in_s is None:
                return ended.exit_code
            _wait(ended.again_in_s, say)


def _wait(again_in_s: float, say: Callable[[str], None]) -> None:
    if again_in_s == 0:
        say("it was a drill: running the workload again")
        return
    say(f"the reclaim was not confirmed: if this machine still runs in {again_in_s:.0f} s, the workload restarts")
    time.sleep(again_in_s)
    say("this machine still runs: running the workload again")
