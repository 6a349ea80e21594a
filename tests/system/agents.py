"""`python -m tests.system.agents ID`: an agent as users start it. What it is asked for is in the intent's state."""

import logging
import os
import random
import sys
import time

from openintent import Done, Intent, Worker

LEASE_SECONDS = 2


def work(intent: Intent) -> Done:
    """Leave a mark in the state, after a moment. An intent that `fails` is for the agent "backup" alone."""
    time.sleep(random.uniform(0, 0.1))
    if intent.state["fails"] and sys.argv[1] != "backup":
        raise RuntimeError("not for me")
    return Done(patches=[{"op": "append", "path": "marks", "value": os.getpid()}])


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    Worker(sys.argv[1], work, lease_seconds=LEASE_SECONDS, concurrency=2).run()
