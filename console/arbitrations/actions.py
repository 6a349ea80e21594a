"""How people decide: one question on its page, or several alike at once. What is refused is told so that it can be understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest

from access.models import Role
from access.roles import actor_from_user, role_of
from console.arbitrations import pages
from console.arbitrations.pages import EVIDENCE
from console.event_text import person
from console.templatetags.console import in_short
from core.db import database_now
from core.errors import ProtocolError
from governance import services
from governance.errors import ArbitrationResolved
from governance.models import Arbitration, Decision, Status
from governance.representation import status_at
from governance.serializers import MAX_NOTE, MAX_SOURCE, MAX_TEXT

CHOSEN = "answer-"
JUST_NOW = timedelta(minutes=2)


class AnswerForm(forms.Form):
    """An answer among the options, or in words where there are none; why; and what speaks for it."""

    rationale = forms.CharField(max_length=MAX_TEXT, required=False)

    def __init__(self, asked: Arbitration, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels = {_as_sent(option["label"]): option["label"] for option in asked.options}
        said = "Choose an option." if self.labels else "Enter an answer."
        self.fields["decision"] = forms.CharField(max_length=MAX_TEXT, strip=not self.labels, error_messages={"required": said})
        for number in EVIDENCE:
            self.fields[f"source_{number}"] = forms.CharField(max_length=MAX_SOURCE, required=False)
            self.fields[f"summary_{number}"] = forms.CharField(max_length=MAX_NOTE, required=False)

    def clean_decision(self) -> str:
        given = _as_sent(self.cleaned_data["decision"])
        if self.labels and given not in self.labels:
            raise forms.ValidationError("Choose one of the options offered.")
        return self.labels.get(given, given)

    def clean_rationale(self) -> str | None:
        return _as_sent(self.cleaned_data["rationale"]) or None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for number in EVIDENCE:
            if cleaned.get(f"summary_{number}") and not cleaned.get(f"source_{number}"):
                self.add_error(f"source_{number}", f"Enter a source for evidence {number}.")
        return cleaned

    @property
    def written(self) -> list[tuple[str, str]]:
        """The evidence as it was sent, to be shown again."""
        return [(self.data.get(f"source_{number}", ""), self.data.get(f"summary_{number}", "")) for number in EVIDENCE]

    @property
    def evidence(self) -> list[dict[str, Any]]:
        given = [(self.cleaned_data.get(f"source_{n}"), self.cleaned_data.get(f"summary_{n}")) for n in EVIDENCE]
        return [{"source": source, "summary": _as_sent(summary or "") or None} for source, summary in given if source]


@dataclass(frozen=True, slots=True)
class TooLate:
    """Why an answer was not taken: what became of the question meanwhile."""

    title: str
    said: str

    def __str__(self) -> str:
        return f"{self.title}: {self.said}" if self.said else self.title


def decide(request: HttpRequest, asked: Arbitration, form: AnswerForm) -> Decision:
    """Raises ProtocolError."""
    return _record(request, asked, form.cleaned_data["decision"], form.cleaned_data["rationale"], form.evidence)


def too_late(request: HttpRequest, asked_id: UUID, decision: str) -> TooLate | None:
    """What to tell somebody whose answer came too late. None where it is his own answer that was there already."""
    asked, now = Arbitration.objects.select_related("decision").get(pk=asked_id), database_now()
    match status_at(asked, now):
        case Status.RESOLVED:
            return _decided(asked.decision, now, actor_from_user(request).id, decision)
        case Status.EXPIRED:
            return TooLate("This question expired", f"It expired {in_short(now - (asked.expires_at or now))} ago.")
        case _:
            event = pages.withdrawal(asked)
            who, why = person(event.actor) if event else "Someone", event.payload.get("reason") if event else None
            return TooLate(
                f"{who} withdrew this question", f"{_before(asked.resolved_at or now, now)}{f': {why}' if why else ''}."
            )


def _decided(made: Decision, now: datetime, me: str, decision: str) -> TooLate | None:
    if made.decided_by == me and made.decision == decision:
        return None
    who = "You" if made.decided_by == me else person(made.decided_by)
    just = " just" if now - made.created_at < JUST_NOW else ""
    return TooLate(f"{who}{just} decided: {made.decision}", f"{_before(made.created_at, now)}.")


def _before(moment: datetime, now: datetime) -> str:
    seconds = int((now - moment).total_seconds())
    return "Less than a second before you submitted" if seconds < 1 else f"{in_short(now - moment)} before you submitted"


# --- several at once -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Chosen:
    """A question with the answer that was picked for it; or why it cannot have that."""

    asked: Arbitration
    label: str
    problem: str = ""


def chosen(request: HttpRequest, sent: Mapping[str, Any], selected: list[str]) -> list[Chosen]:
    """What was picked in the inbox: an answer for a question (`answer-<id>`), or one label for all that are `selected`."""
    answers = {_id(pk): str(sent["label"]) for pk in selected if sent.get("label")}
    answers |= {_id(name.removeprefix(CHOSEN)): str(value) for name, value in sent.items() if name.startswith(CHOSEN) and value}
    known = Arbitration.objects.select_related("intent", "decision").defer("context", "intent__state", "intent__constraints")
    found, now = known.filter(pk__in=[pk for pk in answers if pk]).order_by("pk"), database_now()
    return [_judged(request, asked, answers[asked.pk], now) for asked in found]


def record_all(request: HttpRequest, picked: list[Chosen], rationale: str | None) -> list[Chosen]:
    """Record each answer that can be. Answers those that were, the others have a `problem`."""
    for each in picked:
        if each.problem:
            continue
        try:
            _record(request, each.asked, each.label, rationale, [])
        except ArbitrationResolved:
            each.problem = str(too_late(request, each.asked.pk, each.label) or "")
        except ProtocolError as refusal:
            each.problem = refusal.detail
    return [each for each in picked if not each.problem]


def _judged(request: HttpRequest, asked: Arbitration, label: str, now: datetime) -> Chosen:
    labels = {_as_sent(option["label"]): option["label"] for option in asked.options}
    given = _as_sent(label)
    if asked.status != Status.PENDING:
        return Chosen(asked, label, str(too_late(request, asked.pk, label) or "You already decided this"))
    if given not in labels:
        return Chosen(
            asked, label, f"“{label}” is not one of its options" if labels else "It needs a free-text answer: open it to reply"
        )
    problem = "You asked this question, so someone else must decide it" if pages.is_own(request, asked) else ""
    return Chosen(asked, labels[given], problem)


def _record(
    request: HttpRequest, asked: Arbitration, decision: str, rationale: str | None, evidence: list[dict[str, Any]]
) -> Decision:
    with transaction.atomic():
        return services.record_decision(
            intent_id=asked.intent_id,
            arbitration_id=asked.pk,
            actor=actor_from_user(request),
            role=role_of(request.user) or Role.OBSERVER,
            decision=decision,
            rationale=rationale,
            evidence=evidence,
        )


def _id(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def _as_sent(text: str) -> str:
    """Browsers send each end of a line as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
