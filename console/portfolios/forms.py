"""Forms that create and change a portfolio, and that add a member (RFC-0007)."""

from typing import Any, ClassVar

from django import forms

from console.actions import INPUT, ActionForm
from console.api_form import ApiForm
from console.form_fields import ACTIVE_PORTFOLIO, JSONText, NamedField
from core.api.serializers import StrictSerializer
from core.ids import parse_id
from intents.models import Intent
from intents.serializers import MAX_DESCRIPTION, MAX_TITLE
from portfolios.models import ROLE, Portfolio, Role
from portfolios.serializers import AddIntentToPortfolio, CreatePortfolio, UpdatePortfolio

_INPUT = {**INPUT, "autocomplete": "off"}
_RULES = ("require_all_completed", "allow_partial_completion", "auto_complete_threshold", "shared_constraints")


class CreatePortfolioForm(ApiForm):
    serializer: ClassVar[type[StrictSerializer]] = CreatePortfolio
    fields_of = {f"governance_policy.{name}": name for name in _RULES}

    name = forms.CharField(max_length=MAX_TITLE, widget=forms.TextInput(attrs=_INPUT))
    description = forms.CharField(required=False, max_length=MAX_DESCRIPTION, widget=forms.Textarea(attrs={**INPUT, "rows": 4}))
    require_all_completed = forms.BooleanField(label="Completes only when every member is completed", required=False)
    allow_partial_completion = forms.BooleanField(label="An abandoned member counts as done", required=False)
    auto_complete_threshold = forms.FloatField(
        label="Completes by itself at",
        required=False,
        help_text="Percentage of completed members. Empty: never by itself.",
        widget=forms.TextInput(attrs={**_INPUT, "inputmode": "decimal"}),
    )
    shared_constraints = JSONText(label="Shared constraints", example='{"budget": 25, "region": "eu"}')

    def __init__(self, data: Any = None, *, obj: Portfolio | None = None) -> None:
        super().__init__(data, obj=obj)
        self.policy = dict(obj.governance_policy) if obj else {}

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Return the body. Rules of the policy that the form has not stay as they are."""
        rules = {name: cleaned[name] for name in _RULES if cleaned[name] not in (None, False)}
        kept = {name: value for name, value in self.policy.items() if name not in _RULES}
        return {"name": cleaned["name"], "description": cleaned["description"] or None, "governance_policy": {**kept, **rules}}


class ChangePortfolioForm(CreatePortfolioForm):
    serializer = UpdatePortfolio

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, obj: Portfolio) -> None:
        super().__init__(data, obj=obj)
        shared = obj.governance_policy.get("shared_constraints")
        self.initial.update(
            {name: self.policy.get(name) for name in _RULES},
            name=obj.name,
            description=obj.description or "",
            version=obj.version,
            shared_constraints=JSONText.dump(shared) if shared else "",
        )

    def clean(self) -> dict[str, Any]:
        """Return the changes, and the version that the person saw as `expected_version`."""
        version = self.cleaned_data.get("version")
        return {"changes": super().clean(), "expected_version": version}


class AddMemberForm(ApiForm):
    serializer = AddIntentToPortfolio

    intent_id = NamedField(label="Intent", required=True)
    role = forms.CharField(
        max_length=ROLE,
        initial=Role.MEMBER.value,
        help_text="primary (at most one member), member, dependency, or another.",
        widget=forms.TextInput(attrs=_INPUT),
    )
    priority = forms.IntegerField(
        initial=0,
        help_text="Members with a higher priority are listed first.",
        widget=forms.NumberInput(attrs={**_INPUT, "inputmode": "numeric"}),
    )


class AddToPortfolioForm(AddMemberForm):
    """Form of a new member from the intent's side: `obj` is the intent."""

    portfolio_id = NamedField(
        ACTIVE_PORTFOLIO, label="Portfolio", required=True, help_text="Its ID, the address of its page, or its exact name."
    )
    field_order = ("portfolio_id",)

    def __init__(self, data: Any = None, *, obj: Intent) -> None:
        super().__init__(data, obj=obj)
        del self.fields["intent_id"]

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        return {"intent_id": str(self.obj.pk), "role": cleaned["role"], "priority": cleaned["priority"]}

    def clean(self) -> dict[str, Any]:
        portfolio_id = self.cleaned_data.get("portfolio_id")
        return {"portfolio_id": parse_id(portfolio_id or ""), **super().clean()}


class RemoveMemberForm(ActionForm):
    intent_id = forms.UUIDField(widget=forms.HiddenInput)
