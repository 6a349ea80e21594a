"""Entry point of `python -m openintent.cli`."""

from . import main

main()
