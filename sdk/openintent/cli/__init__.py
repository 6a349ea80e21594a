"""`openintent`, the protocol from a terminal: `openintent.cli:main`. It needs the extra `cli`."""

import sys

EXTRA = {"rich", "typer"}


def main() -> None:
    """Run the program. Raise SystemExit with one of the codes in openintent.cli.errors."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # Titles are Unicode, and terminals may not be.
    try:
        from .app import run  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name not in EXTRA:
            raise
        sys.exit("The command line needs more packages: pip install 'rich>=15,<16' 'typer>=0.20,<1'")
    run()
