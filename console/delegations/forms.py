"""Form that delegates to an agent (rule A-4)."""

from typing import Any

from django import forms

from console.actions import INPUT
from console.api_form import ApiForm
from console.form_fields import PORTFOLIO, InstantField, JSONText, LinesField, NamedLinesField
from core.agent_ids import MAX_AGENT_ID
from governance.serializers import CreateDelegation

_SCOPE = ("actions", "intents", "portfolios")


class CreateDelegationForm(ApiForm):
    serializer = CreateDelegation
    fields_of = {f"scope.{name}": name for name in _SCOPE}

    delegate = forms.CharField(
        label="Agent",
        max_length=MAX_AGENT_ID,
        help_text="The agent that receives the right.",
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    actions = LinesField(label="What it may do", initial="decide", help_text="One on each line. Empty: all that you may.", rows=2)
    intents = NamedLinesField(label="On these intents", rows=2)
    portfolios = NamedLinesField(
        PORTFOLIO,
        label="On the members of these portfolios",
        help_text="One on each line: its ID or its exact name. Without intents and portfolios it holds for all intents.",
        rows=2,
    )
    expires_at = InstantField(label="Expires", help_text="In your time zone. Empty: until it is revoked.")
    constraints = JSONText(label="Constraints", example='{"max_cost": 100}', rows=2)

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        return {
            "delegate": cleaned["delegate"],
            "scope": {name: cleaned[name] for name in _SCOPE},
            "constraints": cleaned["constraints"] or {},
            "expires_at": cleaned["expires_at"],
        }
