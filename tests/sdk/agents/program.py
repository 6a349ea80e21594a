"""`python -m tests.sdk.agents.program ID`: an agent that says on stdout what it is at."""

import sys
import threading

from openintent import Agent, BaseAgent, Intent, on_assignment

from tests.system.concurrent_clients import until


@Agent()
class Program(BaseAgent):
    """Ends the handler of a short intent when it is to stop, and that of an endless one never."""

    @on_assignment
    def work(self, intent: Intent) -> None:
        say(intent.title)
        until(lambda: self.is_stopping, "the end")
        say("is to stop")
        if intent.title == "endless":
            threading.Event().wait()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Program.run(agent_id=sys.argv[1])
