"""Intents and their state (RFC-0001)."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._call import Call, list_call
from .._parameters import (
    UNSET,
    Id,
    Ids,
    Instant,
    Unset,
    as_id,
    as_ids,
    as_optional_id,
    one_of,
    path,
    require_changes,
    to_rfc3339,
    without_none,
)
from ..enums import IntentStatus
from ..errors import InputValidationError
from ..models import Brief, Intent
from ..validation import validate_intent_create, validate_intent_update, validate_patches, validate_state, validate_status
from ._transport import Transport


class IntentResource(Transport):
    """/intents (RFC-0001)."""

    def create_intent(
        self,
        title: str,
        description: str | None = None,
        constraints: Mapping[str, Any] | Sequence[Any] | None = None,
        initial_state: Mapping[str, Any] | None = None,
        parent_intent_id: Id | None = None,
        depends_on: Ids | None = None,
        *,
        state: Mapping[str, Any] | None = None,
        confidence: int | None = None,
        assign: str | Sequence[str] | None = None,
        created_by: str | None = None,
        parent_id: Id | None = None,
        idempotency_key: str | None = None,
    ) -> Intent:
        """Create an intent: a goal with a structured state.

        It starts as `draft`; with `depends_on`, ids of intents that must complete first, as `blocked`, or as `pending` if they all
        have. A list of `constraints` becomes `{"rules": [...]}`. `confidence` is 0 to 100. `assign` names one agent or several.
        `initial_state` and `parent_id` are aliases of `state` and `parent_intent_id`. With an `idempotency_key` of your own, the
        same call after a crash returns the intent created before instead of a second one, for 24 hours.

        Raises InputValidationError, NotFoundError (a parent or dependency), ValidationError `dependency_cycle`.
        """
        given = state if initial_state is None else initial_state
        validate_intent_create(title, description, state=given, constraints=constraints, confidence=confidence, assign=assign)
        return self.send(
            Call(
                "POST",
                path("intents"),
                Intent.from_json,
                json=without_none(
                    title=title,
                    description=description,
                    state=state,
                    initial_state=initial_state,
                    constraints=constraints,
                    confidence=confidence,
                    depends_on=None if depends_on is None else as_ids(depends_on),
                    assign=assign,
                    created_by=created_by,
                    parent_intent_id=as_optional_id(parent_intent_id),
                    parent_id=as_optional_id(parent_id),
                ),
                idempotency_key=idempotency_key,
            )
        )

    def get_intent(self, intent_id: Id, *, effective: bool = False) -> Intent:
        """Return the intent; with `effective`, including its `effective_constraints` (P-3). Raises NotFoundError."""
        return self.send(
            Call(
                "GET", path("intents", intent_id), Intent.from_json, params=without_none(effective="true" if effective else None)
            )
        )

    def brief(self, intent_id: Id, *, max_chars: int | None = None, since: int | Instant | None = None) -> Brief:
        """Return a hand-over of the intent in a few lines, each with its event: `print(client.brief(intent.id))` (I-8).

        It has at most `max_chars` characters, 500 to 20,000; 4,000 by default. `since`, a `sequence` or an aware datetime, leaves
        out what is older, but for the goal, the status, open questions and leases. Raises NotFoundError, ValidationError.
        """
        newer_than = since if isinstance(since, int) else to_rfc3339(since, "since")
        return self.send(
            Call(
                "GET",
                path("intents", intent_id, "brief"),
                Brief.from_json,
                params=without_none(max_chars=max_chars, since=newer_than),
            )
        )

    def list_intents(
        self,
        status: IntentStatus | str | None = None,
        limit: int | None = None,
        *,
        created_by: str | None = None,
        agent_id: str | None = None,
        parent_intent_id: Id | None = None,
        q: str | None = None,
        updated_since: Instant | None = None,
        ordering: str | None = None,
    ) -> list[Intent]:
        """Return all intents that match, or the first `limit` of them.

        `agent_id`: assigned to that agent. `q`: with words in title or description that begin with these, or an
        id that begins so. `updated_since`: an aware datetime or RFC 3339 text. `ordering`: a field, prefixed with "-" for descending.
        """
        return self.send(
            list_call(
                path("intents"),
                "intents",
                Intent,
                limit=limit,
                status=status,
                created_by=created_by,
                agent_id=agent_id,
                parent_intent_id=parent_intent_id and as_id(parent_intent_id),
                q=q,
                updated_since=to_rfc3339(updated_since, "updated_since"),
                ordering=ordering,
            )
        )

    def update_intent(
        self,
        intent_id: Id,
        version: int,
        *,
        title: str | Unset = UNSET,
        description: str | Unset | None = UNSET,
        constraints: Mapping[str, Any] | Sequence[Any] | Unset = UNSET,
        confidence: int | Unset | None = UNSET,
    ) -> Intent:
        """Update details of the intent at `version`. Omitted arguments stay unchanged; None clears a field.

        It is not retried when the response is lost (ConnectionFailedError with `sent`): the second attempt
        could conflict with the first.

        Raises ConflictError `version_conflict`, NotFoundError.
        """
        changes = require_changes(title=title, description=description, constraints=constraints, confidence=confidence)
        validate_intent_update(**changes)
        return self.send(
            Call("PATCH", path("intents", intent_id), Intent.from_json, json=changes, version=version, retryable=False)
        )

    def update_state(
        self,
        intent_id: Id,
        version: int,
        state: Mapping[str, Any] | None = None,
        *,
        patches: Sequence[Mapping[str, Any]] | None = None,
        state_patch: Mapping[str, Any] | None = None,
    ) -> Intent:
        """Change the state of the intent at `version`, by one of

        - `state`, of which `state_patch` is an alias: each key is set to its value, other keys stay;
        - `patches`: `{"op": "set" | "append" | "remove", "path": …, "value": …}`, applied in order and
          atomically. A path is a key, or with a leading "/" a JSON Pointer (RFC 6901) into the state.

        Raises ConflictError `version_conflict`, LeaseConflictError (another agent holds a lease on a changed part),
        ValidationError `invalid_patch`, NotFoundError.
        """
        state = one_of(state, state_patch, "state_patch")
        if (state is None) == (patches is None):
            raise InputValidationError("pass either state or patches", field="state")
        body: dict[str, Any]
        if patches is not None:
            validate_patches(patches)
            body = {"patches": list(patches)}
        else:
            validate_state(state or {})
            body = {"state": state}
        return self.send(Call("POST", path("intents", intent_id, "state"), Intent.from_json, json=body, version=version))

    def set_status(
        self,
        intent_id: Id,
        version: int,
        status: IntentStatus | str,
        reason: str | None = None,
        *,
        cascade: bool = False,
    ) -> Intent:
        """Set the status of the intent at `version`. Idempotent.

        `cascade` with `abandoned` abandons its open descendants too.

        Raises InputValidationError, ConflictError `version_conflict` or `completion_gate` (`waiting_for`: the ids that are still open),
        ValidationError `illegal_transition`, NotFoundError.
        """
        validate_status(status, reason)
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "status"),
                Intent.from_json,
                json=without_none(status=status, reason=reason, cascade=cascade or None),
                version=version,
            )
        )
