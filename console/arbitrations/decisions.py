"""Decisions of people: the answer to one question on its page, or to several selected ones at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest

from access.roles import actor_from_user
from console.actions import ActionForm, Confirmation, Declined, OptionalText
from console.arbitrations import pages
from console.arbitrations.answer_fields import PREFIX, answer_fields, answer_from, field_of
from console.arbitrations.pages import EVIDENCE
from console.event_text import display_name
from console.templatetags.console import format_duration
from core.db import database_now
from core.ids import parse_id
from governance import services
from governance.answer_schemas import answer_problems
from governance.errors import ArbitrationResolved
from governance.models import Arbitration, Decision, Status, Vote
from governance.question_terms import ANSWERED, needs_answer
from governance.serializers import MAX_NOTE, MAX_SOURCE, MAX_TEXT

ANSWER_PREFIX = "answer-"
RECENT = timedelta(minutes=2)


class DecisionForm(ActionForm):
    """An option, the fields of a typed answer, or a free-text answer where there is neither, with a rationale and evidence."""

    rationale = forms.CharField(max_length=MAX_TEXT, required=False)

    def __init__(self, data: Any = None, *, obj: Arbitration) -> None:
        super().__init__(data, obj=obj)
        self.labels = _labels(obj)
        self.schema = obj.response_schema
        required = "Choose an option." if self.labels else "Enter an answer."
        self.fields["decision"] = forms.CharField(
            max_length=MAX_TEXT,
            strip=not self.labels,
            required=bool(self.labels) or self.schema is None,
            error_messages={"required": required},
        )
        if self.schema:
            self.fields |= answer_fields(self.schema)
        for number in EVIDENCE:
            self.fields[f"source_{number}"] = forms.CharField(max_length=MAX_SOURCE, required=False)
            self.fields[f"summary_{number}"] = forms.CharField(max_length=MAX_NOTE, required=False)

    def clean_decision(self) -> str:
        given = _unix_lines(self.cleaned_data["decision"])
        if self.schema and not self.labels:
            return ANSWERED
        if self.labels and given not in self.labels:
            raise forms.ValidationError("Choose one of the options offered.")
        return self.labels.get(given, given)

    def clean(self) -> dict[str, Any]:
        """Return the arguments of the verb: decision, answer, rationale, evidence."""
        cleaned = super().clean() or self.cleaned_data
        answer = self._clean_answer(cleaned)
        evidence = []
        for number in EVIDENCE:
            source, summary = cleaned.get(f"source_{number}"), cleaned.get(f"summary_{number}")
            if summary and not source:
                self.add_error(f"source_{number}", f"Enter a source for evidence {number}.")
            elif source:
                evidence.append({"source": source, "summary": _unix_lines(summary or "") or None})
        rationale = _unix_lines(cleaned.get("rationale") or "") or None
        return {"decision": cleaned.get("decision"), "answer": answer, "rationale": rationale, "evidence": evidence}

    def _clean_answer(self, cleaned: Mapping[str, Any]) -> dict[str, Any] | None:
        if not self.schema:
            return None
        answer = answer_from(self.schema, cleaned)
        if not answer and not needs_answer(self.obj, cleaned.get("decision") or ""):
            return None
        for name, message, _ in answer_problems(self.schema, answer):
            field = field_of(self.schema, name)
            label = self.fields[field].label if field else name
            self.add_error(field, f"{label}: {message}.")
        return answer

    @property
    def answer_fields(self) -> list[Any]:
        """The bound fields of the typed answer."""
        return [self[name] for name in self.fields if name.startswith(PREFIX)]

    @property
    def written(self) -> list[tuple[str, str]]:
        """The evidence as it was sent, to be shown again."""
        return [(self.data.get(f"source_{number}", ""), self.data.get(f"summary_{number}", "")) for number in EVIDENCE]


class RationaleForm(ActionForm):
    """The rationale that several decisions share."""

    rationale = OptionalText(required=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a question that was settled before the person's own answer."""

    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.title}. {self.text}"


def record_decision(request: HttpRequest, asked: Arbitration, **given: Any) -> Decision | Vote:
    return services.record_decision(
        intent_id=asked.intent_id,
        arbitration_id=asked.pk,
        actor=actor_from_user(request),
        **given,
    )


def prior_outcome(request: HttpRequest, asked_id: UUID, decision: str) -> Outcome | None:
    """Return the outcome that came before the person's answer. None: it is their own answer, recorded already."""
    asked, now = Arbitration.objects.select_related("decision").get(pk=asked_id), database_now()
    match asked.status_at(now):
        case Status.RESOLVED:
            made, me = asked.decision, actor_from_user(request).id
            if made.decided_by == me and made.decision == decision:
                return None
            who = "You" if made.decided_by == me else display_name(made.decided_by)
            just = " just" if now - made.created_at < RECENT else ""
            return Outcome(f"{who}{just} decided: {made.decision}", f"{_how_long_before(made.created_at, now)}.")
        case Status.EXPIRED:
            return Outcome("This question expired", f"It expired {format_duration(now - (asked.expires_at or now))} ago.")
        case _:
            event = pages.withdrawal_event(asked)
            who, why = display_name(event.actor) if event else "Someone", event.payload.get("reason") if event else None
            return Outcome(
                f"{who} withdrew this question", f"{_how_long_before(asked.resolved_at or now, now)}{f': {why}' if why else ''}."
            )


def _how_long_before(moment: datetime, now: datetime) -> str:
    seconds = int((now - moment).total_seconds())
    return f"That was {'less than a second' if seconds < 1 else format_duration(now - moment)} before you submitted"


# --- several at once -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class SelectedAnswer:
    """A question with the answer selected for it; or the problem that stands against recording it."""

    asked: Arbitration
    label: str
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.asked} → {self.label}" if not self.problem else str(self.asked)


def list_selected(request: HttpRequest, sent: Mapping[str, Any], selected: list[str]) -> list[SelectedAnswer]:
    """Return the answers selected in the inbox: one for a question (`answer-<id>`), or one label for all that are `selected`."""
    answers = {parse_id(pk): str(sent["label"]) for pk in selected if sent.get("label")}
    answers |= {
        parse_id(name.removeprefix(ANSWER_PREFIX)): str(value)
        for name, value in sent.items()
        if name.startswith(ANSWER_PREFIX) and value
    }
    known = Arbitration.objects.select_related("intent", "decision").defer("context", "intent__state", "intent__constraints")
    found = []
    for asked in known.filter(pk__in=[pk for pk in answers if pk]).order_by("pk"):
        label, labels, problem = answers[asked.pk], _labels(asked), ""
        given = _unix_lines(label)
        if asked.status != Status.PENDING:
            problem = str(prior_outcome(request, asked.pk, label) or "You already decided this.")
        elif asked.response_schema is not None:
            problem = "It needs an answer in a form: open it to reply."
        elif given not in labels:
            problem = f"“{label}” is not one of its options." if labels else "It needs a free-text answer: open it to reply."
        elif asked.action is not None:
            problem = "It permits an act: open it to read all of it, and decide there."
        elif pages.is_own(request, asked):
            problem = "You asked this question, so someone else must decide it."
        found.append(SelectedAnswer(asked, labels.get(given, label), problem))
    return found


def record_selected(request: HttpRequest, answer: SelectedAnswer, rationale: str | None) -> None:
    """Record the answer. Raise Declined if it has a problem, or the question was settled meanwhile."""
    if answer.problem:
        raise Declined(answer.problem)
    try:
        with transaction.atomic():  # The outcome is read after a refusal.
            record_decision(request, answer.asked, decision=answer.label, rationale=rationale, evidence=[])
    except ArbitrationResolved:
        answer.problem = str(prior_outcome(request, answer.asked.pk, answer.label) or "You already decided this.")
        raise Declined(answer.problem) from None


def confirm_selected(_: RationaleForm, answers: Any) -> Confirmation:
    count = sum(not each.problem for each in answers)
    return Confirmation("Submit this decision?" if count == 1 else "Submit these decisions?", "Submit", count=count)


def _labels(asked: Arbitration) -> dict[str, str]:
    """Return the options' labels by the text that a browser sends for them."""
    return {_unix_lines(option["label"]): option["label"] for option in pages.offered_options(asked)}


def _unix_lines(text: str) -> str:
    """Return the text with its lines ended by one character: browsers send two."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
