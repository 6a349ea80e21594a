"""Form that creates an intent."""

from typing import Any

from django import forms

from console.actions import INPUT
from console.api_form import ApiForm
from console.form_fields import JSONText, LinesField, NamedField, NamedLinesField
from core.ids import parse_id
from intents.serializers import MAX_DESCRIPTION, MAX_TITLE, CreateIntent

_INPUT = {**INPUT, "autocomplete": "off"}
_ROLE = " as "


class CreateIntentForm(ApiForm):
    serializer = CreateIntent
    fields_of = {"constraints.max_cost": "max_cost", "constraints.deadline": "deadline"}

    title = forms.CharField(max_length=MAX_TITLE, widget=forms.TextInput(attrs=_INPUT))
    description = forms.CharField(required=False, max_length=MAX_DESCRIPTION, widget=forms.Textarea(attrs={**INPUT, "rows": 4}))
    assign = LinesField(
        label="Agents",
        help_text="One on each line, such as “ada”, or “ada as lead” for another role than worker. Each is notified at once.",
        rows=2,
    )
    parent_intent_id = NamedField(label="Parent")
    depends_on = NamedLinesField(label="Depends on", rows=2)
    needed_by = NamedField(
        label="Required by", help_text="An existing intent that depends on the new one. It is blocked until this one completes."
    )
    deadline = forms.DateField(
        required=False,
        help_text="Stored as the constraint deadline, which agents read.",
        widget=forms.DateInput(attrs={**INPUT, "type": "date"}),
    )
    max_cost = forms.FloatField(
        label="Budget in USD",
        required=False,
        help_text="Stored as the constraint max_cost.",
        widget=forms.TextInput(attrs={**_INPUT, "inputmode": "decimal"}),
    )
    constraints = JSONText(label="Further constraints", example='{"region": "eu"}', rows=3)
    state = JSONText(label="Initial state", example='{"flights": "open"}', rows=5)

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        body = {"title": cleaned["title"], "description": cleaned["description"] or None}
        deadline = cleaned["deadline"]
        own = {"deadline": deadline and deadline.isoformat(), "max_cost": cleaned["max_cost"]}
        constraints = {**(cleaned["constraints"] or {}), **{name: value for name, value in own.items() if value is not None}}
        agents = [_parse_assignee(line) for line in cleaned["assign"]]
        return {
            **body,
            "state": cleaned["state"] or {},
            "constraints": constraints,
            "parent_intent_id": cleaned["parent_intent_id"],
            "depends_on": cleaned["depends_on"],
            "assign": agents,
        }

    def clean(self) -> dict[str, Any]:
        """Return the values of the verb, and the id of the intent that needs the new one, if there is one."""
        needed_by = parse_id((self.cleaned_data or {}).get("needed_by") or "")
        for name in ("deadline", "max_cost"):
            if name in (self.cleaned_data.get("constraints") or {}) and self.cleaned_data.get(name) is not None:
                self.add_error("constraints", f"Has {name} as well. Give it once.")
        return {**super().clean(), "needed_by": needed_by}


def _parse_assignee(line: str) -> dict[str, str]:
    agent_id, found, role = line.rpartition(_ROLE)
    return {"agent_id": agent_id.strip(), "role": role.strip()} if found else {"agent_id": line}
