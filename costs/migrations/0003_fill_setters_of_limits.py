"""Fill the principals of existing limits from the log: the one that set or last raised each."""

from django.db import migrations
from django.db.models import ExpressionWrapper, F, Q, TextField

CENTS = ("max_total_cents", "max_per_agent_cents", "max_per_call_cents")
HAS_LIMITS = Q(text__contains='"budget"') | Q(text__contains='"max_cost"')


def values(constraints):
    """Return the limits as costs.budget_limits does, in their own units."""
    if not isinstance(constraints, dict):
        return {}
    budget = constraints.get("budget")
    budget = budget if isinstance(budget, dict) else {}
    given = {"max_cost": constraints.get("max_cost"), **{kind: budget.get(kind) for kind in CENTS}}
    found = {kind: value for kind, value in given.items() if _is_limit(value)}
    threshold = budget.get("alert_threshold_percent")
    if found:
        found["alert_threshold_percent"] = threshold if _is_limit(threshold) and 0 < threshold <= 100 else 80
    return found


def _is_limit(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def fill(apps, schema_editor):
    setters = apps.get_model("costs", "LimitSetter").objects
    events = apps.get_model("intents", "Event").objects.filter(event_type__in=["intent_created", "intent_updated"])
    intents = apps.get_model("intents", "Intent").objects.annotate(text=ExpressionWrapper(F("constraints"), TextField()))
    for pk, constraints in intents.filter(HAS_LIMITS).values_list("pk", "constraints").iterator():
        now = values(constraints)
        found, before = {}, {}
        for key_id, actor, payload in events.filter(intent=pk).order_by("sequence").values_list("key_id", "actor", "payload"):
            changed = payload if "constraints" in payload else payload.get("changes", {})
            if "constraints" in changed:
                after = values(changed["constraints"])
                principal = f"key:{key_id}" if key_id else actor
                raised = {kind for kind, value in after.items() if kind not in before or value > before[kind]}
                found, before = {kind: principal if kind in raised else found[kind] for kind in after}, after
        setters.bulk_create(
            setters.model(intent_id=pk, limit_kind=kind, principal=principal) for kind, principal in found.items() if kind in now
        )


class Migration(migrations.Migration):
    dependencies = [("costs", "0002_setters_of_limits")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
