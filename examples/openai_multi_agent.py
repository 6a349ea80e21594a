"""Two agents with OpenAI models write one text in turn: the holder of the lease on the draft works on it.

    make run                              # or openintent-server, in another terminal
    python examples/openai_multi_agent.py

With OPENAI_API_KEY it uses OpenAI (the model: OPENAI_MODEL); without, it starts examples/fake_provider.py. For a server that is not
local, set OPENINTENT_URL and OPENINTENT_API_KEY. It needs the extra `openai`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from fake_provider import FakeProvider
from openai import OpenAI
from openintent import Agent, BaseAgent, Done, Intent, OpenIntentClient, on_assignment
from openintent.adapters import OpenAIAdapter

URL = os.environ.get("OPENINTENT_URL", "http://localhost:8000")
KEY = os.environ.get("OPENINTENT_API_KEY", "dev-user-key")
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")


class ModelAgent(BaseAgent):
    """An agent that uses a model. Each request and response is in the intent's log, with its cost."""

    def __init__(self, openai: OpenAI) -> None:
        self.openai = openai

    def ask(self, intent: Intent, prompt: str) -> str:
        model = OpenAIAdapter(self.openai, self.client, intent_id=intent.id)
        answer = model.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])
        model.flush()  # So that the log has the request before the result.
        return answer.choices[0].message.content or ""


# Both hold the scope "draft" while they work: no other agent can write to that part of the state, and they work in turn.
@Agent("agent:author", lease_scope="draft")
class Author(ModelAgent):
    @on_assignment
    def write(self, intent: Intent) -> Done:
        draft = self.ask(intent, f"Write a paragraph: {intent.title}")
        # The editor can start only when our lease is released, which is after our draft is written.
        self.client.assign_agent(intent.id, "agent:editor", role="editor")
        return Done({"draft": draft}, complete=False, reason="It is to be edited")


@Agent("agent:editor", lease_scope="draft")
class Editor(ModelAgent):
    @on_assignment
    def edit(self, intent: Intent) -> dict[str, str]:
        return {"draft": self.ask(intent, f"Make this shorter: {intent.state['draft']}"), "first_draft": intent.state["draft"]}


def main() -> None:
    with provider() as openai, OpenIntentClient(URL, api_key=KEY, agent_id="grace") as client:
        with Author(openai).start(URL, KEY), Editor(openai).start(URL, KEY):
            intent = client.create_intent(title="Why bees dance", assign="agent:author")
            # A busy model is retried; after three failures a person takes over.
            client.set_retry_policy(intent.id, strategy="exponential", max_attempts=3, base_delay_seconds=1)
            intent = completed(client, intent)

        print(f"first draft  {intent.state['first_draft']}")
        print(f"edited       {intent.state['draft']}")
        print(f"cost         {client.get_cost_summary(intent.id)['by_agent']}")


@contextmanager
def provider() -> Iterator[OpenAI]:
    """Return the client of OpenAI, or of the fake provider."""
    if "OPENAI_API_KEY" in os.environ:
        with OpenAI() as openai:
            yield openai
        return
    print("There is no OPENAI_API_KEY: a fake provider answers.")
    with FakeProvider() as fake, OpenAI(base_url=f"{fake.url}/v1", api_key="fake") as openai:
        yield openai


def completed(client: OpenIntentClient, intent: Intent) -> Intent:
    """Print events until the intent is completed, and return it. A blocked one has failed permanently."""
    for event in client.stream(intent_id=intent.id, after=0):
        print(f"  {event.actor:<13} {event.event_type}")
        match event.payload.get("to"):
            case "completed":
                return client.get_intent(intent.id)
            case "blocked":
                raise RuntimeError(f"it failed: {client.get_failures(intent.id)[-1].error_message}")
    raise RuntimeError("the stream has ended")


if __name__ == "__main__":
    main()
