"""Adapters that wrap clients of LLM providers and log their requests as events and costs of an intent (protocol K-6).

    from openai import OpenAI
    from openintent import OpenIntentClient
    from openintent.adapters import OpenAIAdapter

    adapter = OpenAIAdapter(OpenAI(), OpenIntentClient("http://localhost:8000", api_key="…"), intent_id=intent.id)
    adapter.chat.completions.create(model="gpt-4o", messages=[…])

An adapter is used like the client it wraps, synchronous or asynchronous, and returns the same. The OpenIntent client
may be of either kind, too. No provider's package is imported here.

Each request logs `llm_request_started`, then `llm_request_completed` or `llm_request_failed`, and a `tool_call_started` for
each tool call that the model requests. A streamed one logs `stream_started` after the first, `stream_chunk` if configured, and
`stream_completed` before `llm_request_completed`; its `stream_id` is its `request_id`. A stream that fails logs
`stream_cancelled` and `llm_request_failed`; one that is closed, left or garbage-collected before its end logs only
`stream_cancelled`. `occurred_at` in each payload is the time: events are sent in the background, by `openintent.adapters.queue`, in
order and in batches. Errors there are logged by `openintent.adapters` and passed to `AdapterConfig.on_error`, never raised to
the caller of the model.

The tokens that the provider reports become a cost in USD by a price list (`openintent.adapters.price_list`), or, without a
price, in `tokens`.
"""

from .base import Adapter
from .config import AdapterConfig
from .price_list import PRICES, PRICES_AS_OF
from .prices import Price, Prices
from .providers import AnthropicAdapter, DeepSeekAdapter, GeminiAdapter, GrokAdapter, OpenAIAdapter

__all__ = [
    "PRICES",
    "PRICES_AS_OF",
    "Adapter",
    "AdapterConfig",
    "AnthropicAdapter",
    "DeepSeekAdapter",
    "GeminiAdapter",
    "GrokAdapter",
    "OpenAIAdapter",
    "Price",
    "Prices",
]
