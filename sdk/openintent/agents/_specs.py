"""Specifications of portfolios and their intents, for coordinators."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast

from ..errors import InputValidationError
from ..resources.plans import PlannedIntent
from ..validation import validate_intent_create, validate_portfolio, validate_retry_policy


@dataclass(frozen=True)
class IntentSpec:
    """The specification of an intent in a portfolio.

    title         its title, which others of the portfolio name in `depends_on`
    assign        one agent or several
    depends_on    titles of intents that must complete first
    state, constraints, confidence, description    as `create_intent` takes them; `initial_state` is an alias of `state`
    retry_policy  what `set_retry_policy` takes: `{"max_attempts": 3, "fallback_agent_id": "backup"}`
    role, priority    as `add_intent_to_portfolio` takes them
    """

    title: str
    description: str | None = None
    assign: str | Sequence[str] | None = ()
    depends_on: Sequence[str] | None = ()
    constraints: Mapping[str, Any] | Sequence[Any] | None = None
    initial_state: InitVar[Mapping[str, Any] | None] = None
    _: KW_ONLY
    state: Mapping[str, Any] | None = None
    confidence: int | None = None
    retry_policy: Mapping[str, Any] | None = None
    role: str = "member"
    priority: int = 0

    def __post_init__(self, initial_state: Mapping[str, Any] | None) -> None:
        if initial_state is not None:
            if self.state is not None:
                raise InputValidationError("pass state or initial_state, not both", field="initial_state")
            object.__setattr__(self, "state", initial_state)
        validate_intent_create(
            self.title,
            self.description,
            state=self.state,
            constraints=self.constraints,
            confidence=self.confidence,
            assign=self.assign or None,
        )
        if isinstance(self.depends_on, str):
            raise InputValidationError("depends_on is a list of titles", field="depends_on")
        if self.retry_policy is not None:
            validate_retry_policy(**self.retry_policy)

    def as_planned(self) -> PlannedIntent:
        """Return the intent for `create_intents`, with its title as its ref. Its retry policy is set afterwards."""
        planned: dict[str, Any] = {
            "ref": self.title,
            "title": self.title,
            "description": self.description,
            "state": self.state,
            "constraints": self.constraints,
            "confidence": self.confidence,
            "depends_on": [*(self.depends_on or ())],
            "assign": self.agents,
        }
        if (self.role, self.priority) != ("member", 0):
            planned |= {"role": self.role, "priority": self.priority}
        return cast(PlannedIntent, {name: value for name, value in planned.items() if value is not None})

    @property
    def agents(self) -> list[str]:
        return [self.assign] if isinstance(self.assign, str) else [*(self.assign or ())]


@dataclass(frozen=True)
class PortfolioSpec:
    """The specification of a portfolio and its intents.

    name     identifies the portfolio for its coordinator: the same name is the same portfolio, even when it is completed
    intents  in any order; no two have the same title
    description, governance_policy, metadata    as `create_portfolio` takes them

    Raises InputValidationError for unknown or duplicate titles and for circular dependencies.
    """

    name: str
    intents: Sequence[IntentSpec] = ()
    _: KW_ONLY
    description: str | None = None
    governance_policy: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.intents, str):
            raise InputValidationError("intents is a list of IntentSpec; pass description= by its name", field="intents")
        validate_portfolio(
            name=self.name,
            description=self.description,
            governance_policy=self.governance_policy or {},
            metadata=self.metadata or {},
        )
        titles = [each.title for each in self.intents]
        for title in titles:
            if titles.count(title) > 1:
                raise InputValidationError(f"{title!r} is a duplicate title", field="intents")
        for each in self.intents:
            for missing in set(each.depends_on or ()) - set(titles):
                raise InputValidationError(
                    f"{each.title!r} depends on {missing!r}, which is not in the portfolio", field="depends_on"
                )
        self.in_order()

    def in_order(self) -> list[IntentSpec]:
        """Return the intents, each after those that it depends on."""
        by_title = {each.title: each for each in self.intents}
        try:
            titles = [*TopologicalSorter({each.title: each.depends_on or () for each in self.intents}).static_order()]
        except CycleError as error:
            raise InputValidationError(f"circular dependencies: {' → '.join(error.args[1])}", field="depends_on") from None
        return [by_title[title] for title in titles]
