"""Streams of a model, logged in the background: several at once, one of them cancelled.

    make run                              # or openintent-server, in another terminal
    python examples/streaming_adapter.py

With OPENAI_API_KEY it uses OpenAI (the model: OPENAI_MODEL); without, it starts examples/fake_provider.py. For a server that is not
local, set OPENINTENT_URL and OPENINTENT_API_KEY. It needs the extras `async` and `openai`.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fake_provider import FakeProvider
from openai import AsyncOpenAI
from openintent import AsyncOpenIntentClient
from openintent.adapters import AdapterConfig, OpenAIAdapter

URL = os.environ.get("OPENINTENT_URL", "http://localhost:8000")
KEY = os.environ.get("OPENINTENT_API_KEY", "dev-user-key")
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")

CONFIG = AdapterConfig(
    log_stream_chunks=True,
    chunk_log_interval=25,  # Logging every chunk would be too much: these show progress.
    on_error=lambda error, context: print(f"not logged ({context['phase']}): {error}", file=sys.stderr),
)


async def main() -> None:
    async with provider() as openai, AsyncOpenIntentClient(URL, api_key=KEY, agent_id="agent:streamer") as client:
        intent = await client.create_intent(title="Explain the weather")

        # The adapter is used like OpenAI's client. Chunks pass through at once; events are sent in the background, in batches.
        model = OpenAIAdapter(openai, client, intent_id=intent.id, config=CONFIG)
        await asyncio.gather(*(explain(model, subject) for subject in ("rain", "wind", "snow")))
        await explain(model, "everything there is", longest=5)

        # At the end of the process this happens automatically. The events are those of the protocol, whatever the provider:
        await model.aflush()
        for event in await client.get_events(intent.id):
            print(f"  {event.sequence:>3} {event.event_type:<22} {event.payload.get('stream_id', '')[-8:]}")
        summary = await client.get_cost_summary(intent.id)
        print(f"cost {summary['total']} {summary['unit']} for {summary['count']} streams")


async def explain(model: OpenAIAdapter, subject: str, longest: int | None = None) -> None:
    """Read a stream, and leave it after `longest` chunks: the provider stops, and `stream_cancelled` has the progress."""
    began, first, chunks = time.perf_counter(), None, 0
    messages = [{"role": "user", "content": f"Explain {subject} in a paragraph. " * 20}]
    async with await model.chat.completions.create(model=MODEL, messages=messages, stream=True) as stream:
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                first = first or time.perf_counter() - began
                chunks += 1
            if longest and chunks >= longest:
                break
    print(f"{subject:<20} first words after {1000 * (first or 0):.0f} ms, {chunks} chunks")


@asynccontextmanager
async def provider() -> AsyncIterator[AsyncOpenAI]:
    """Return the client of OpenAI, or of the fake provider."""
    if "OPENAI_API_KEY" in os.environ:
        async with AsyncOpenAI() as openai:
            yield openai
        return
    print("There is no OPENAI_API_KEY: a fake provider answers.")
    with FakeProvider() as fake:
        async with AsyncOpenAI(base_url=f"{fake.url}/v1", api_key="fake") as openai:
            yield openai


if __name__ == "__main__":
    asyncio.run(main())
