"""The log: what has happened, and what happens."""

import logging
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.text import Text

from ..models import Event
from . import formatting
from .durations import parse_past
from .interrupts import Interrupts
from .json_output import dumps
from .options import MaybeIntentId, OfPortfolio, only_one
from .session import Session, session

PAGE = 1000

Types = Annotated[list[str] | None, typer.Option("--type", "-t", metavar="TYPE", help="Of this type only; may be repeated.")]


@dataclass(frozen=True)
class Topic:
    """Whose events: of an intent, a portfolio, an agent, or all. One of them at most is given."""

    intent_id: str | None
    portfolio_id: str | None
    agent_id: str | None

    @property
    def arguments(self) -> list[str]:
        """The same as arguments of the command."""
        named = {"--portfolio": self.portfolio_id, "--agent": self.agent_id}
        given = [each for name, value in named.items() if value for each in (name, value)]
        return [self.intent_id] if self.intent_id else given


def tail(
    ctx: typer.Context,
    intent: MaybeIntentId = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    portfolio: OfPortfolio = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="AGENT", help="Of the intents that this agent is assigned to.")
    ] = None,
    types: Types = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="From then on: 15m, 2h, 7d or a time as 2027-01-15T09:30.")
    ] = None,
    after: Annotated[
        int | None,
        typer.Option("--after", metavar="POSITION", min=0, help="After the event at this position; 0: from the beginning."),
    ] = None,
    count: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last, without --since and --after.")] = 10,
    payload: Annotated[bool, typer.Option("--payload", "-p", help="With the whole payload of each.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each event, as the API has it.")] = False,
) -> None:
    """Show the last events of an intent, a portfolio, an agent or the whole server; with -f, those to come as well.

    A stream that breaks goes on where it was. On Ctrl-C the position is printed from which `--after` goes on.
    """
    run = session(ctx)
    only_one(**{"INTENT": intent, "--portfolio": portfolio, "--agent": agent})
    only_one(**{"--since": since, "--after": after})
    topic = Topic(intent and run.intent_id(intent), portfolio and run.portfolio_id(portfolio), agent)
    reader = Reader(run, topic, types or [], payload=payload, as_json=as_json)
    start = after if since is None else reader.position_at(since)
    if follow:
        reader.follow(start, count)
    else:
        reader.print(reader.last(count) if start is None else reader.after(start))
        if reader.position is None:
            run.screen.note(
                "No event. -f waits for those to come." if types or start else "Nothing has happened yet. -f waits for it."
            )


class Reader:
    """Reads the events of a topic and prints them. `position` is that of the last one that was printed."""

    def __init__(self, run: Session, topic: Topic, types: list[str], *, payload: bool, as_json: bool) -> None:
        self._client, self._screen = run.client, run.screen
        self._topic, self._types = topic, types
        self._payload, self._as_json = payload, as_json
        self.position: int | None = None
        self._interrupts = Interrupts()

    def position_at(self, since: str) -> int:
        """The position after which stands what happened from then on."""
        first = self._client.list_events(since=parse_past(since), limit=1)
        newest = first or self._client.list_events(order="desc", limit=1)
        return 0 if not newest else (newest[0].position or 0) - bool(first)

    def last(self, count: int) -> list[Event]:
        return self._some(limit=count, order="desc")[::-1] if count else []

    def after(self, position: int) -> Iterator[Event]:
        """Page by page: it may be the whole log."""
        if self._topic.intent_id:
            yield from (each for each in self._some() if (each.position or 0) > position)
            return
        while page := self._some(after=position, limit=PAGE):
            yield from page
            position = page[-1].position or 0

    def _some(self, **which: Any) -> list[Event]:
        types = ",".join(self._types) or None
        if self._topic.intent_id:
            return self._client.get_events(self._topic.intent_id, event_type=types, **which)
        return self._client.list_events(
            portfolio_id=self._topic.portfolio_id, agent_id=self._topic.agent_id, event_type=types, **which
        )

    def follow(self, start: int | None, count: int) -> None:
        """Goes on until Ctrl-C."""
        stream = self._client.stream(**vars(self._topic), after=start, event_types=self._types or None)
        try:
            with self._interrupts, _told(self._screen.note), stream:
                if start is None:
                    self.print(each for each in self.last(count) if (each.position or 0) <= (stream.position or 0))
                self.print(stream)
        except KeyboardInterrupt:
            self._say_goodbye(stream.position if self.position is None else self.position)

    def print(self, events: Iterator[Event] | list[Event] | Any) -> None:
        for event in events:
            with self._interrupts.whole():  # Or what was printed would not be what is said to have been.
                self._print(event)
                self.position = event.position

    def _print(self, event: Event) -> None:
        if self._as_json:
            return self._screen.line(event)
        where = None if self._topic.intent_id or event.intent_id is None else self._screen.short(event.intent_id)
        self._screen.show(self._screen.lines([formatting.event_line(event, where)]))
        if self._payload:
            self._screen.show(Text("\n".join(f"    {each}" for each in dumps(event.payload).split("\n")), style="dim"))

    def _say_goodbye(self, position: int | None) -> None:
        if position is None:
            return
        types = [each for type in self._types for each in ("--type", type)]
        command = shlex.join(["openintent", "tail", "-f", *self._topic.arguments, *types, "--after", str(position)])
        if self._screen.err.is_terminal:
            self._screen.err.line()  # Where it says ^C.
        self._screen.note(f"Stopped at position {position}. It goes on from there with: {command}")


@contextmanager
def _told(note: Any) -> Iterator[None]:
    """What the SDK logs meanwhile is told: that a stream was cut off, and when it tries again."""

    class Teller(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(record.getMessage())

    log, teller = logging.getLogger("openintent"), Teller()
    level, log.level = log.level, logging.INFO
    log.addHandler(teller)
    try:
        yield
    finally:
        log.removeHandler(teller)
        log.setLevel(level)
