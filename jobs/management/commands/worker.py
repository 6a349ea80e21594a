import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from intents.positions import Sequencer
from jobs.worker import Worker, work


class Command(BaseCommand):
    help = "Do what is due: expire leases and questions, start retries. Any number of workers may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            self.stdout.write(f"{work()} done.")
            return
        worker, sequencer = Worker(), Sequencer()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: worker.stop())
        sequencer.start()
        self.stderr.write("The worker works. Stop it with Ctrl-C.")
        worker.run()
        sequencer.stop()
