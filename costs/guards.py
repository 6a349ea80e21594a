"""Budget guards of other apps' verbs: who may loosen a limit."""

from typing import Any

from access.identity import Actor
from core.errors import Forbidden
from costs import budget_limits
from costs.models import LimitSetter
from intents.models import Intent


def require_limits_kept(intent: Intent, constraints: dict[str, Any], actor: Actor) -> None:
    """Raise Forbidden if the constraints raise or remove a limit that another principal has set (rule C-5)."""
    before, after = budget_limits.limit_values(intent.constraints), budget_limits.limit_values(constraints)
    loosened = [kind for kind, value in before.items() if kind not in after or after[kind] > value]
    if not loosened:
        return
    setters = dict(LimitSetter.objects.filter(intent=intent).values_list("limit_kind", "principal"))
    if protected := [kind for kind in loosened if not actor.may_manage(setters.get(kind, ""))]:
        raise Forbidden(
            f"{', '.join(protected)} can only be raised or removed by the caller that set it, an arbiter or an operator. Lowering it is allowed."
        )
