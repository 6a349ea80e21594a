"""Questions to people: what is asked of whom, when they are told again, and what happens if nobody answers (protocol §10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from access.models import Role
from core.errors import Invalid
from governance.answer_schemas import answer_problems
from governance.models import Arbitration, FallbackKind, Urgency, expire
from governance.question_fields import QuestionDefaults
from governance.recipients import require_recipients
from portfolios.models import Membership

QUESTION = ("response_schema", "audience", "urgency", "remind_after_seconds", "escalation", "fallback")
"""Names of the terms in a request, an event and a response."""

ANSWERED = "answered"
"""The decision of an answer that names none."""

PLAIN: dict[str, Any] = {
    "audience": [],
    "urgency": Urgency.NORMAL.value,
    "remind_after_seconds": [],
    "escalation": [],
    "fallback": expire(),
}


@dataclass(frozen=True, slots=True)
class Question:
    """Terms that a request gives its question. What is None comes from the portfolio's policy, else from the settings (§10)."""

    response_schema: dict[str, Any] | None = None
    audience: Sequence[str] | None = None
    urgency: str | None = None
    remind_after_seconds: Sequence[int] | None = None
    escalation: Sequence[Mapping[str, Any]] | None = None
    fallback: Mapping[str, Any] | None = None

    def complete(self, arbitration: Arbitration, now: datetime) -> None:
        """Set the arbitration's columns. Raise Invalid for an audience of nobody or a fallback that cannot be."""
        people = {f"audience.{index}": each for index, each in enumerate(self.audience or ())}
        people |= {f"escalation.{index}.to": step["to"] for index, step in enumerate(self.escalation or ())}
        require_recipients(people)
        given = {name: getattr(self, name) for name in PLAIN if getattr(self, name) is not None}
        given_defaults = _policy_for(arbitration) or settings.QUESTIONS
        defaults = QuestionDefaults().run_validation(given_defaults) if given_defaults else {}
        effective = {**PLAIN, **{name: value for name, value in defaults.items() if name in PLAIN}, **given}
        arbitration.response_schema = self.response_schema
        for name, value in effective.items():
            setattr(arbitration, name, value)
        if arbitration.expires_at is None and (seconds := defaults.get("expires_after_seconds")):
            arbitration.expires_at = now + timedelta(seconds=seconds)
        _require_possible_fallback(arbitration)
        arbitration.next_step_at = next_step_at(arbitration)


PLAIN_QUESTION = Question()


def question_terms(arbitration: Arbitration) -> dict[str, Any]:
    """Return the terms of the question for its event; nothing if they are what a question without any has."""
    terms = {name: getattr(arbitration, name) for name in QUESTION}
    return {} if terms == {"response_schema": None, **PLAIN} else terms


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A time at which people are told again, all of them or one more."""

    after_seconds: int
    to: str = ""

    @property
    def is_escalation(self) -> bool:
        return bool(self.to)


def schedule(arbitration: Arbitration) -> list[Step]:
    """Return the reminders and escalations in their order."""
    escalation = [Step(step["after_seconds"], step["to"]) for step in arbitration.escalation]
    return sorted([*map(Step, arbitration.remind_after_seconds), *escalation])


def next_step_at(arbitration: Arbitration) -> datetime | None:
    """Return when the next reminder or escalation is due, or None if there are no more."""
    left = schedule(arbitration)[arbitration.steps_done :]
    return arbitration.created_at + timedelta(seconds=left[0].after_seconds) if left else None


def reached(arbitration: Arbitration) -> list[str]:
    """Return the audience and its escalation so far (rule H-5)."""
    done = schedule(arbitration)[: arbitration.steps_done]
    return [*dict.fromkeys([*arbitration.audience, *(step.to for step in done if step.is_escalation)])]


def require_valid_answer(arbitration: Arbitration, decision: str, answer: dict[str, Any] | None) -> None:
    """Raise Invalid if the answer is not valid against the schema that was shown (rule H-1)."""
    schema = arbitration.response_schema
    if schema is None:
        if answer is not None:
            raise Invalid.field("answer", "the question has no response_schema", "no_schema")
        return
    if answer is not None or needs_answer(arbitration, decision):
        _require_answer("answer", schema, answer or {})


def needs_answer(arbitration: Arbitration, decision: str) -> bool:
    """Return whether the decision of a question with a schema needs an answer: all but the refusals of an act."""
    return arbitration.action is None or decision in arbitration.grants


def _require_answer(name: str, schema: Mapping[str, Any], answer: Any) -> None:
    problems = answer_problems(schema, answer)
    errors = [{"field": f"{name}.{path}" if path else name, "message": message, "code": code} for path, message, code in problems]
    if errors:
        raise Invalid.all(errors)


def _require_possible_fallback(arbitration: Arbitration) -> None:
    fallback = arbitration.fallback
    if fallback["do"] != FallbackKind.EXPIRE and arbitration.expires_at is None:
        raise Invalid.field("fallback", "needs expires_at, at which it happens", "never")
    if fallback["do"] != FallbackKind.DECIDE:
        return
    labels = [option["label"] for option in arbitration.options]
    if fallback["decision"] in arbitration.grants:
        raise Invalid.field("fallback.decision", "is one of the grants: silence never grants", "grants")
    if labels and fallback["decision"] not in labels:
        raise Invalid.field("fallback.decision", "is none of the options", "no_such_option")
    if arbitration.response_schema is not None:
        _require_answer("fallback.answer", arbitration.response_schema, fallback["answer"] or {})
    elif fallback["answer"] is not None:
        raise Invalid.field("fallback.answer", "the question has no response_schema", "no_schema")


def _policy_for(arbitration: Arbitration) -> dict[str, Any] | None:
    """Return what the intent's first portfolio with a policy of questions says about them.

    Others cannot choose who answers: its own principal, an arbiter or an operator has put the intent there.
    """
    trusted = Q(principal=arbitration.principal) | Q(by_role__in=[Role.ARBITER, Role.OPERATOR])
    members = Membership.objects.filter(trusted, intent=arbitration.intent_id).order_by("pk")
    policies = members.values_list("portfolio__governance_policy", flat=True)
    return next((policy["questions"] for policy in policies if policy.get("questions")), None)
