"""Command `verify_log`: replay the log and compare it with the tables (rule E-6)."""

import sys
from argparse import ArgumentTypeError
from contextlib import closing
from itertools import islice
from time import monotonic
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandParser

from intents.log_verification import verify
from intents.models import Event, Intent

BAR_WIDTH = 30  # Characters.
REDRAW_SECONDS = 0.1


def positive_integer(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


class Command(BaseCommand):
    help = "Replay the log of every intent and compare it with the tables. Exit with status 1 if they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a JSON object")
        parser.add_argument(
            "--limit-findings",
            metavar="N",
            type=positive_integer,
            default=100,
            help="stop after N findings (default: %(default)s)",
        )

    def handle(self, *args: Any, json: bool, limit_findings: int, **options: Any) -> None:
        started = monotonic()
        bar = ProgressBar(self.stderr, total=Event.objects.count())
        with closing(verify(bar.draw)) as findings:
            found = list(islice(findings, limit_findings))
        bar.erase()
        summary = {
            "intents": Intent.objects.count(),
            "events": bar.done,
            "seconds": round(monotonic() - started, 2),
            "complete": len(found) < limit_findings,
        }
        if json:
            listed = [{"intent_id": finding.intent_id, "problem": finding.problem} for finding in found]
            self.stdout.write(orjson.dumps({**summary, "findings": listed}).decode())
        else:
            for finding in found:
                self.stdout.write(str(finding))
            scanned = "{intents:,} intents, {events:,} events in {seconds} s".format_map(summary)
            problems = f"{len(found)} findings" if found else "the log agrees with the tables"
            self.stdout.write(f"{scanned}: {problems}{'' if summary['complete'] else ', stopped at the limit'}.")
        if found:
            sys.exit(1)


class ProgressBar:
    """A progress bar on a terminal; nothing is written to a pipe or a file."""

    def __init__(self, stream: Any, *, total: int) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self.total = total
        self.done = 0
        self.started = self.drawn = monotonic()

    def draw(self, done: int) -> None:
        self.done = done
        now = monotonic()
        if not self.is_terminal or now - self.drawn < REDRAW_SECONDS:
            return
        self.drawn = now
        share = min(1.0, done / (self.total or 1))
        rate = done / (now - self.started)
        bar = ("█" * round(share * BAR_WIDTH)).ljust(BAR_WIDTH, "·")
        self._write(f"{bar} {share:4.0%}  {done:,} of {self.total:,} events  {rate:,.0f}/s")

    def erase(self) -> None:
        if self.is_terminal:
            self._write("")

    def _write(self, line: str) -> None:
        self.stream.write(f"\r\033[K{line}", ending="")
        self.stream.flush()
