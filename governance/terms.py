"""Terms of an arbitration: the act that it is about, what it is bound to, and who must grant it (protocol §9)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from governance import actions
from governance.models import Arbitration, Gate
from governance.operations import is_operation
from intents.models import Intent
from intents.models import Status as IntentStatus

DEFAULT_GRANTS = ("approve",)
PERMIT_SECONDS = 900
MAX_ACTION = 2**16  # Bytes.

TERMS = ("action", "action_sha256", "bind_version", "bind_paths", "intent_version", "grants", "permit_seconds", "quorum")
"""Names of the terms in a request, an event and a response."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of a request. `action` has all its members; what is None takes its default."""

    action: dict[str, Any] | None = None
    bind_version: bool | None = None
    bind_paths: Sequence[str] = ()
    grants: Sequence[str] = DEFAULT_GRANTS
    permit_seconds: int | None = None
    quorum: int | None = None

    def tightened(self, gates: Sequence[Gate]) -> "Terms":
        """Return the terms with those of the gates that bind the act: the larger quorum, the shorter time (rule A-12)."""
        if not gates:
            return self
        quorums = [each.quorum for each in gates] + ([self.quorum] if self.quorum else [])
        seconds = [each.permit_seconds for each in gates if each.permit_seconds]
        limit = min([*seconds, self.permit_seconds or PERMIT_SECONDS])
        return replace(self, quorum=max(quorums), permit_seconds=limit)

    def columns(self, intent: Intent, *, blocking: bool) -> dict[str, Any]:
        """Return the columns of the arbitration, bound to the intent as the request itself leaves it (rule A-11)."""
        grants = [*dict.fromkeys(self.grants)] if self.action or self.quorum else []
        if self.action is None:
            return {"quorum": self.quorum, "grants": grants}
        paths = [*dict.fromkeys(self.bind_paths)]
        return {
            "action": self.action,
            "action_sha256": actions.digest(self.action),
            "bind_version": is_operation(self.action["verb"]) if self.bind_version is None else self.bind_version,
            "bind_paths": paths,
            "bound_values": actions.bound_values(intent.state, paths),
            "intent_version": intent.version + (blocking and intent.status != IntentStatus.BLOCKED),
            "grants": grants,
            "permit_seconds": self.permit_seconds or PERMIT_SECONDS,
            "quorum": self.quorum,
        }


NO_TERMS = Terms()


def rebind(arbitration: Arbitration, intent: Intent) -> None:
    """Bind the arbitration to the intent as it is now: earlier votes were about another, and no longer count (rule A-11)."""
    arbitration.intent_version = intent.version
    arbitration.bound_values = actions.bound_values(intent.state, arbitration.bind_paths)
    arbitration.rebinds += 1
    arbitration.save(update_fields=["intent_version", "bound_values", "rebinds"])
