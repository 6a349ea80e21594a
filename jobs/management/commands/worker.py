import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from intents.positions import Sequencer
from jobs.worker import Worker, run_due_tasks
from subscriptions.streams.redis_wakeups import RedisWakeups
from subscriptions.webhooks.delivery_worker import DeliveryWorker, deliver_all_due


class Command(BaseCommand):
    help = "Do what is due: expire leases and questions, start retries, send webhooks. Any number of workers may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            self.stdout.write(f"{run_due_tasks() + deliver_all_due()} done.")
            return
        worker, courier, sequencer, exchange = Worker(), DeliveryWorker(), Sequencer(), RedisWakeups()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: worker.stop())
        sequencer.start()
        exchange.start()
        courier.start()
        self.stderr.write("The worker works. Stop it with Ctrl-C.")
        worker.run()
        courier.stop()
        sequencer.stop()
        exchange.stop()
