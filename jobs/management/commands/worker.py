"""Command `worker`: run due tasks, send webhooks and notices."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from intents.positions import Sequencer
from jobs.worker import Worker, run_due_tasks
from notices.delivery_worker import NoticeWorker, send_all_due
from subscriptions.streams.redis_wakeups import RedisWakeups
from subscriptions.webhooks.delivery_worker import DeliveryWorker, deliver_all_due


class Command(BaseCommand):
    help = (
        "Run due jobs: expire leases and arbitrations, start retries, send webhooks and notices. Any number of workers may run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="process the jobs that are due now, then exit")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            self.stdout.write(f"Processed {run_due_tasks() + deliver_all_due() + send_all_due()} jobs.")
            return
        worker, delivery_worker, notice_worker = Worker(), DeliveryWorker(), NoticeWorker()
        sequencer, redis_wakeups = Sequencer(), RedisWakeups()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: worker.stop())
        sequencer.start()
        redis_wakeups.start()
        delivery_worker.start()
        notice_worker.start()
        self.stderr.write("Worker started; press Ctrl-C to stop.")
        worker.run()
        delivery_worker.stop()
        notice_worker.stop()
        sequencer.stop()
        redis_wakeups.stop()
