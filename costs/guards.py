"""What limits on spending ask of those who change constraints."""

from typing import Any

from access.identity import Actor
from core.errors import Forbidden
from costs import budget_limits
from costs.models import LimitSetter
from intents.models import Intent


def require_limits_kept(intent: Intent, constraints: dict[str, Any], actor: Actor) -> None:
    """Refuse to raise or remove a limit that another principal has set (rule C-5). Raises Forbidden."""
    loosened = budget_limits.loosened_limits(
        budget_limits.limit_values(intent.constraints), budget_limits.limit_values(constraints)
    )
    if not loosened:
        return
    setters = dict(LimitSetter.objects.filter(intent=intent).values_list("limit_kind", "principal"))
    if theirs := [kind for kind in loosened if not actor.may_manage(setters.get(kind, ""))]:
        raise Forbidden(
            f"{', '.join(theirs)} cannot be raised or removed by others than who set it, an arbiter or an operator. Lowering it is free."
        )
