"""`python -m spottui.sim`: the simulated cloud without the rest of spottui."""

from spottui.sim.command import sim


def main() -> None:
    """Run the command under the name that its help uses."""
    sim(prog_name="spottui-sim")


if __name__ == "__main__":
    main()
