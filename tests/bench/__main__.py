"""`make bench`: every figure as one JSON line. Name some to run only those: `python -m tests.bench first_frame`."""

import importlib
import json
import sys

FIGURES = (
    "startup", "first_frame", "console", "reaction", "launch", "burst", "restart", "routes", "ready", "sim", "peers",
    "soak",
)  # fmt: skip


def main() -> None:
    """Run the named figures, or all."""
    for name in sys.argv[1:] or FIGURES:
        for figure in importlib.import_module(f"tests.bench.{name}").run():
            print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
