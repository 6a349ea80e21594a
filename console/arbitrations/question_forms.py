"""Forms of a question that is not decided yet: assigning it, and sending it back (rules H-8, H-9)."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from access.roles import OPERATORS, with_roles
from console.actions import INPUT, ActionForm, Confirmation
from governance.models import Arbitration
from governance.question_terms import reached
from governance.recipients import USER, people_of
from governance.serializers import MAX_NOTE


class AssignForm(ActionForm):
    assignee = forms.ChoiceField(
        label="Person",
        required=False,
        help_text="They are told, and the question is among those assigned to them. Others can still decide it.",
        widget=forms.Select(attrs=INPUT),
    )

    def __init__(self, data: Any = None, *, obj: Arbitration) -> None:
        super().__init__(data, obj=obj)
        people = sorted(_people_who_may_decide(obj))
        self.fields["assignee"].choices = [("", "Nobody"), *((f"{USER}{name}", name) for name in people)]  # type: ignore[attr-defined]
        self.initial["assignee"] = obj.assignee

    def clean_assignee(self) -> str | None:
        return self.cleaned_data["assignee"] or None


class InformationForm(ActionForm):
    question = forms.CharField(
        label="What do you need to know?",
        max_length=MAX_NOTE,
        help_text="The agent gets it, and answers on the same question. The deadline stays as it is.",
        widget=forms.Textarea(attrs={**INPUT, "rows": 4, "maxlength": MAX_NOTE}),
    )


def confirm_assignment(form: AssignForm, _: Any) -> Confirmation:
    return Confirmation("Assign this question", "Assign", is_destructive=False, subject=form.obj.reason)


def confirm_request(form: InformationForm, _: Any) -> Confirmation:
    return Confirmation("Ask for more information", "Send to the agent", is_destructive=False, subject=form.obj.reason)


def _people_who_may_decide(asked: Arbitration) -> set[str]:
    deciders = with_roles(User.objects.filter(is_active=True)).filter(role__in=("arbiter", *OPERATORS))
    audience = people_of(reached(asked)) if asked.action is None else User.objects.none()
    return {*deciders.values_list("username", flat=True), *audience.values_list("username", flat=True)}
