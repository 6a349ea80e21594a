"""`python -m tests.sdk.adapters.program WHAT URL INTENT`: a program that asks models, and ends in some way."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from openintent import OpenIntentClient
from openintent.adapters import AdapterConfig, OpenAIAdapter


def answer(model: str, stream: bool = False, **_: Any) -> Any:
    message = SimpleNamespace(content="Hello", refusal=None, tool_calls=None)
    choices = [SimpleNamespace(index=0, message=message, delta=message, finish_reason=None if stream else "stop")]
    whole = SimpleNamespace(model=model, choices=choices, usage=None)
    return _stream(whole) if stream else whole


def _stream(chunk: Any) -> Iterator[Any]:
    while True:
        yield chunk


def ends(ask: Callable[..., Any], adapter: OpenAIAdapter) -> None:
    """End at once."""
    ask("main")


def fails(ask: Callable[..., Any], adapter: OpenAIAdapter) -> None:
    """End by an uncaught error."""
    ask("main")
    raise ZeroDivisionError("on purpose")


def streams(ask: Callable[..., Any], adapter: OpenAIAdapter) -> None:
    """End while a stream is open."""
    stream = ask("main", stream=True)
    next(stream)
    globals()["kept"] = stream


def forks(ask: Callable[..., Any], adapter: OpenAIAdapter) -> None:
    """End after a forked child, which was created in the middle of logging."""
    ask("before")
    if child := os.fork():
        ask("main")
        os.waitpid(child, 0)
        return
    ask("child")
    sys.exit(0 if adapter.flush(30) else 1)


def multiprocesses(ask: Callable[..., Any], adapter: OpenAIAdapter) -> None:
    """End after a child of multiprocessing, which ends without `atexit`."""
    ask("before")
    child = multiprocessing.get_context("fork").Process(target=ask, args=("child",))
    child.start()
    child.join()
    ask("main")


def main() -> None:
    what, url, intent = sys.argv[1:]
    client = OpenIntentClient(url, "dev-user-key", "ada")
    provider = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=answer)))
    adapter = OpenAIAdapter(provider, client, intent, AdapterConfig(record_costs=False))

    def ask(model: str, **asked: Any) -> Any:
        return adapter.chat.completions.create(model=model, messages=[], **asked)

    ways = {each.__name__: each for each in (ends, fails, streams, forks, multiprocesses)}
    ways[what](ask, adapter)


if __name__ == "__main__":
    main()
