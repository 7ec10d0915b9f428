"""`python -m spottui` and the `spottui` command."""

from spottui.cli.main import main

if __name__ == "__main__":
    main()
