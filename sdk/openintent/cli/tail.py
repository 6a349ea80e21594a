"""Event log: `openintent tail` prints and follows events."""

import logging
import shlex
from collections.abc import Iterable, Iterator
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
from .options import MaybeIntentId, OfPortfolio, at_most_one
from .session import Session, get_session

PAGE = 1000

Types = Annotated[list[str] | None, typer.Option("--type", "-t", metavar="TYPE", help="Only of this type; may be repeated.")]


@dataclass(frozen=True)
class Topic:
    """The topic of the events: an intent, a portfolio or an agent; all events if none is set."""

    intent_id: str | None
    portfolio_id: str | None
    agent_id: str | None

    @property
    def arguments(self) -> list[str]:
        """The arguments of the command that select this topic."""
        named = {"--portfolio": self.portfolio_id, "--agent": self.agent_id}
        given = [each for name, value in named.items() if value for each in (name, value)]
        return [self.intent_id] if self.intent_id else given


def tail(
    ctx: typer.Context,
    intent: MaybeIntentId = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow new events until Ctrl-C.")] = False,
    portfolio: OfPortfolio = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="AGENT", help="Only of intents that this agent is assigned to.")
    ] = None,
    types: Types = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Only since then: 15m, 2h, 7d or a time such as 2027-01-15T09:30."),
    ] = None,
    after: Annotated[
        int | None,
        typer.Option("--after", metavar="POSITION", min=0, help="Only after this position; 0: from the beginning."),
    ] = None,
    count: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="Number of latest events, without --since and --after.")
    ] = 10,
    payload: Annotated[bool, typer.Option("--payload", "-p", help="Print the full payload of each event.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON, as in the API.")] = False,
) -> None:
    """Print the latest events of an intent, a portfolio, an agent or the whole server; with -f, follow new ones.

    A stream that breaks is resumed. On Ctrl-C the position is printed from which `--after` resumes.
    """
    run = get_session(ctx)
    at_most_one(**{"INTENT": intent, "--portfolio": portfolio, "--agent": agent})
    at_most_one(**{"--since": since, "--after": after})
    topic = Topic(intent and run.intent_id(intent), portfolio and run.portfolio_id(portfolio), agent)
    reader = Reader(run, topic, types or [], payload=payload, as_json=as_json)
    start = after if since is None else reader.position_at(since)
    if follow:
        reader.follow(start, count)
    else:
        reader.print(reader.last(count) if start is None else reader.after(start))
        if reader.position is None:
            run.output.print_note(
                "No events match. Follow new ones with -f." if types or start else "No events yet. Follow new ones with -f."
            )


class Reader:
    """Reads the events of a topic and prints them. `position` is that of the last one printed."""

    def __init__(self, run: Session, topic: Topic, types: list[str], *, payload: bool, as_json: bool) -> None:
        self._client, self._output = run.client, run.output
        self._topic, self._types = topic, types
        self._payload, self._as_json = payload, as_json
        self.position: int | None = None
        self._interrupts = Interrupts()

    def position_at(self, since: str) -> int:
        """Return the position after which the events since then follow."""
        first = self._client.list_events(since=parse_past(since), limit=1)
        newest = first or self._client.list_events(order="desc", limit=1)
        return 0 if not newest else (newest[0].position or 0) - bool(first)

    def last(self, count: int) -> list[Event]:
        return self._read(limit=count, order="desc")[::-1] if count else []

    def after(self, position: int) -> Iterator[Event]:
        """Yield the events page by page: it may be the whole log."""
        if self._topic.intent_id:
            yield from (each for each in self._read() if (each.position or 0) > position)
            return
        while page := self._read(after=position, limit=PAGE):
            yield from page
            position = page[-1].position or 0

    def _read(self, **which: Any) -> list[Event]:
        types = ",".join(self._types) or None
        if self._topic.intent_id:
            return self._client.get_events(self._topic.intent_id, event_type=types, **which)
        return self._client.list_events(
            portfolio_id=self._topic.portfolio_id, agent_id=self._topic.agent_id, event_type=types, **which
        )

    def follow(self, start: int | None, count: int) -> None:
        """Print new events until Ctrl-C."""
        stream = self._client.stream(**vars(self._topic), after=start, event_types=self._types or None)
        try:
            with self._interrupts, forwarded_log(self._output.print_note), stream:
                if start is None:
                    self.print(each for each in self.last(count) if (each.position or 0) <= (stream.position or 0))
                self.print(stream)
        except KeyboardInterrupt:
            position = stream.position if self.position is None else self.position
            if position is None:
                return
            types = [each for type in self._types for each in ("--type", type)]
            command = shlex.join(["openintent", "tail", "-f", *self._topic.arguments, *types, "--after", str(position)])
            if self._output.err.is_terminal:
                self._output.err.line()  # After the ^C.
            self._output.print_note(f"Stopped at position {position}. Resume with: {command}")

    def print(self, events: Iterable[Event]) -> None:
        """Print the events, and keep the position of the last one."""
        for event in events:
            with self._interrupts.deferred():  # Otherwise the printed position could be wrong.
                if self._as_json:
                    self._output.write_json(event, indent=None)
                else:
                    where = None
                    if event.intent_id and not self._topic.intent_id:
                        where = self._output.short_id(event.intent_id)
                    self._output.print(self._output.lines([formatting.event_line(event, where)]))
                    if self._payload:
                        indented = "\n".join(f"    {each}" for each in dumps(event.payload).split("\n"))
                        self._output.print(Text(indented, style="dim"))
                self.position = event.position


@contextmanager
def forwarded_log(print_note: Any) -> Iterator[None]:
    """Print what the SDK logs meanwhile: lost connections and reconnects."""

    class NoteHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print_note(record.getMessage())

    log, handler = logging.getLogger("openintent"), NoteHandler()
    level, log.level = log.level, logging.INFO
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
