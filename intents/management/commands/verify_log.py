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

BAR = 30  # Characters.
DRAWN_EVERY = 0.1  # Seconds.


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


class Command(BaseCommand):
    help = "Replay the log of every intent and compare it with the tables. Exits with 1 where they disagree."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--limit-findings", metavar="N", type=count, default=100, help="stop after so many (default: %(default)s)"
        )

    def handle(self, *args: Any, json: bool, limit_findings: int, **options: Any) -> None:
        begun = monotonic()
        bar = Bar(self.stderr, total=Event.objects.count())
        with closing(verify(bar.draw)) as findings:
            found = list(islice(findings, limit_findings))
        bar.erase()
        summary = {
            "intents": Intent.objects.count(),
            "events": bar.done,
            "seconds": round(monotonic() - begun, 2),
            "complete": len(found) < limit_findings,
        }
        if json:
            listed = [{"intent_id": finding.intent_id, "problem": finding.problem} for finding in found]
            self.stdout.write(orjson.dumps({**summary, "findings": listed}).decode())
        else:
            self._tell(found, summary)
        if found:
            sys.exit(1)

    def _tell(self, found: list[Any], summary: dict[str, Any]) -> None:
        for finding in found:
            self.stdout.write(str(finding))
        read = "{intents:,} intents, {events:,} events in {seconds} s".format_map(summary)
        problems = f"{len(found)} findings" if found else "the log agrees with the tables"
        self.stdout.write(f"{read}: {problems}{'' if summary['complete'] else ', and then stopped'}.")


class Bar:
    """A line on a terminal that says how far it is; nothing where nobody looks."""

    def __init__(self, stream: Any, *, total: int) -> None:
        self.stream = stream
        self.is_watched = stream.isatty()
        self.total = total
        self.done = 0
        self.begun = self.drawn = monotonic()

    def draw(self, done: int) -> None:
        self.done = done
        now = monotonic()
        if not self.is_watched or now - self.drawn < DRAWN_EVERY:
            return
        self.drawn = now
        share = min(1.0, done / (self.total or 1))
        rate = done / (now - self.begun)
        bar = ("█" * round(share * BAR)).ljust(BAR, "·")
        self._write(f"{bar} {share:4.0%}  {done:,} of {self.total:,} events  {rate:,.0f}/s")

    def erase(self) -> None:
        if self.is_watched:
            self._write("")

    def _write(self, line: str) -> None:
        self.stream.write(f"\r\033[K{line}", ending="")
        self.stream.flush()
