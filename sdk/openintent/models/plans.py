"""Plans: intents that were created together (protocol G-8)."""

from dataclasses import dataclass, field

from ._model import Model, decode_list
from .intents import Intent
from .portfolios import Portfolio


@dataclass(frozen=True, kw_only=True)
class Plan(Model):
    """A created plan: its intents in the order in which they were given, the id of each ref, and the portfolio if there is one.

    `plan["build"]` is the intent with the ref `build`.
    """

    intents: list[Intent] = field(metadata={"decode": decode_list(Intent)})
    refs: dict[str, str] = field(default_factory=dict)
    portfolio: Portfolio | None = field(default=None, metadata={"decode": Portfolio.from_json})

    def __getitem__(self, ref: str) -> Intent:
        intent_id = self.refs[ref]
        return next(each for each in self.intents if each.id == intent_id)
