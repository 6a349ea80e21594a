"""Command `demo`: fill the database with example data, and simulate activity."""

import signal
import threading
from random import Random
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.demo import bulk, scenario
from console.demo import live as simulation
from intents.models import Event, Intent
from subscriptions.webhooks.delivery_worker import deliver_all_due


class Command(BaseCommand):
    help = (
        "Fill the database with sample data: an incident, a launch and a number of other intents. "
        "Everything is dated now, because the event log can't be backdated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--intents", type=int, default=120, metavar="N", help="number of other intents (default: %(default)s)"
        )
        parser.add_argument("--live", action="store_true", help="simulate activity until stopped")
        parser.add_argument(
            "--pace", type=float, default=1.0, metavar="SECONDS", help="seconds between two events of --live (default: 1)"
        )
        parser.add_argument("--seed", type=int, default=7, help="seed of the random data (default: %(default)s)")
        parser.add_argument("--add", "--yes", action="store_true", help="add to a non-empty database")

    def handle(self, *args: Any, intents: int, live: bool, pace: float, seed: int, add: bool, **options: Any) -> None:
        if intents < 0 or pace <= 0:
            raise CommandError("--intents must not be negative, and --pace must be greater than 0.")
        has_some = Intent.objects.exists()
        if has_some and not add and not live:
            raise CommandError(
                "The database already has intents. Use another database, or pass --add to add to it or --live to simulate activity."
            )
        random = Random(seed)
        if add or not has_some:
            self._fill(intents, random)
        if live:
            stopping = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopping.set())
            self.stdout.write("Simulating activity; press Ctrl-C to stop.")
            self.stdout.flush()
            done = simulation.run_activity(Random(), pace, stopping)
            self.stdout.write(f"Generated {done:,} events.")

    def _fill(self, intents: int, random: Random) -> None:
        begun = monotonic()

        def report_progress(made: int) -> None:
            if made // 5_000 > (made - bulk.AT_ONCE) // 5_000:
                self.stderr.write(f"{made:,} of {intents:,}")

        bulk.fill(intents, random, report_progress)
        scenario.create_scenario()
        deliver_all_due()  # What the story's receivers do not answer is tried once, and shows as failing.
        self.stdout.write(
            f"Created {Intent.objects.count():,} intents and {Event.objects.count():,} events in {monotonic() - begun:.0f} s. "
            "Open the console at /admin/."
        )
