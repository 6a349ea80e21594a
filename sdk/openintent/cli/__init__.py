"""`openintent`, the protocol from a terminal: `openintent.cli:main`. It needs the extra `cli`."""

import sys

from .streams import guard_streams

EXTRA = {"rich", "typer"}


def main() -> None:
    """Run the program. Raise SystemExit with one of the codes in openintent.cli.errors."""
    guard_streams()
    try:
        from .app import run  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name not in EXTRA:
            raise
        sys.exit("The command line needs more packages: pip install 'rich>=15,<16' 'typer>=0.26,<1'")
    except KeyboardInterrupt:
        sys.exit(130)
    run()
