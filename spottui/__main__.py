"""`python -m spottui` and the `spottui` command."""

from spottui.cli.main import main as spottui


def main() -> None:
    """Run the command line, by the name that help, errors and the shells' completion use, however it was started."""
    spottui(prog_name="spottui")


if __name__ == "__main__":
    main()
