"""Arbitration, decisions and delegations (RFC-0004)."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from .._call import Call, call_builder, list_call, no_content
from .._parameters import Id, Ids, Instant, as_ids, as_optional_id, path, to_rfc3339, without_none
from .._wait_for_decision import answer_flow, decision_flow
from ..enums import ArbitrationStatus, FallbackKind, Urgency
from ..models import Arbitration, Decision, Delegation, RecordedVote
from ..validation import (
    validate_arbitration_request,
    validate_assignee,
    validate_decision,
    validate_delegation,
    validate_information,
    validate_question,
    validate_terms,
    validate_whole_number,
    validate_withdrawal,
)
from ._transport import Transport

MAX_WAIT = 60
"""Seconds for which the server holds its response at most."""


class NewOption(TypedDict):
    """An option of an arbitration."""

    label: str
    rationale: NotRequired[str | None]


class NewEvidence(TypedDict):
    """Evidence for a decision."""

    source: str
    summary: NotRequired[str | None]


class NewAction(TypedDict):
    """An act, for which a permit is asked or on which one is spent."""

    verb: str
    target: str
    params: NotRequired[Mapping[str, Any]]
    effect_key: NotRequired[str | None]


class NewEscalation(TypedDict):
    """A step of an escalation: who joins the audience of a question, and when."""

    after_seconds: int
    to: str


class NewFallback(TypedDict):
    """Effect of the end of a question that nobody has answered."""

    do: FallbackKind | str
    decision: NotRequired[str | None]
    answer: NotRequired[Mapping[str, Any] | None]


def _decision_or_vote(data: Mapping[str, Any]) -> Decision:
    return RecordedVote.from_arbitration(data) if "votes" in data else Decision.from_json(data)


class GovernanceResource(Transport):
    """/intents/{id}/arbitrate, …/arbitrations, …/decisions, /arbitrations and /delegations (RFC-0004)."""

    def request_arbitration(
        self,
        intent_id: Id,
        reason: str,
        context: Mapping[str, Any] | None = None,
        *,
        options: Sequence[str | NewOption] | None = None,
        blocking: bool | None = None,
        expires_at: Instant | None = None,
        action: NewAction | None = None,
        bind_version: bool | None = None,
        bind_paths: Sequence[str] | None = None,
        grants: Sequence[str] | None = None,
        permit_seconds: int | None = None,
        quorum: int | None = None,
        response_schema: Mapping[str, Any] | None = None,
        audience: Sequence[str] | None = None,
        urgency: Urgency | str | None = None,
        remind_after_seconds: Sequence[int] | None = None,
        escalation: Sequence[NewEscalation] | None = None,
        fallback: NewFallback | None = None,
        idempotency_key: str | None = None,
    ) -> Arbitration:
        """Request a decision by a person or an arbiter.

        With `options`, labels or `{"label", "rationale"}`, the decision is one of the labels. With `blocking` the intent
        is `blocked` until there is a decision, and then returns to its status (A-2). After `expires_at` it cannot be decided.
        With an `action`, a decision among `grants` makes a permit for it, once, for `permit_seconds`, while the intent's version
        (`bind_version`) and values under `bind_paths` stay (A-8, A-11). With a `quorum`, so many principals must grant (A-13).

        With a `response_schema`, a flat object schema, the decision has an `answer` that is valid against it (H-1). The `audience`,
        such as "user:grace" or "group:billing", may answer beside arbiters and operators (H-5). It is told again after
        `remind_after_seconds`; `escalation` adds to it; at `expires_at` comes the `fallback` (H-2).

        Raises InputValidationError, NotFoundError, ConflictError (`intent_closed`, `effect_taken`), ValidationError (also
        `quorum_impossible`).
        """
        validate_arbitration_request(reason, context=context, options=options)
        validate_terms(action, permit_seconds=permit_seconds, quorum=quorum)
        validate_question(
            response_schema, audience=audience, urgency=urgency, remind_after_seconds=remind_after_seconds, escalation=escalation
        )
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "arbitrate"),
                Arbitration.from_json,
                json=without_none(
                    reason=reason,
                    context=context,
                    options=options,
                    blocking=blocking,
                    expires_at=to_rfc3339(expires_at, "expires_at"),
                    action=action,
                    bind_version=bind_version,
                    bind_paths=bind_paths,
                    grants=grants,
                    permit_seconds=permit_seconds,
                    quorum=quorum,
                    response_schema=response_schema,
                    audience=audience,
                    urgency=urgency,
                    remind_after_seconds=remind_after_seconds,
                    escalation=escalation,
                    fallback=fallback,
                ),
                idempotency_key=idempotency_key,
            )
        )

    def get_arbitrations(
        self,
        intent_id: Id,
        *,
        status: ArbitrationStatus | str | None = None,
        assignee: str | None = None,
        limit: int | None = None,
    ) -> list[Arbitration]:
        """Return the intent's arbitrations, or those with a status or an assignee. Raises NotFoundError."""
        found = path("intents", intent_id, "arbitrations")
        return self.send(list_call(found, "arbitrations", Arbitration, limit=limit, status=status, assignee=assignee))

    def list_arbitrations(
        self, *, status: ArbitrationStatus | str | None = None, assignee: str | None = None, limit: int | None = None
    ) -> list[Arbitration]:
        """Return the arbitrations of all intents; with the status pending, those that await a decision.

        `assignee` is a person to whom they are assigned, like "user:grace".
        """
        found = path("arbitrations")
        return self.send(list_call(found, "arbitrations", Arbitration, limit=limit, status=status, assignee=assignee))

    def get_arbitration(self, arbitration_id: Id, *, wait: int | None = None) -> Arbitration:
        """Return an arbitration. With `wait`, the server holds its response until it is no longer pending, for so many seconds at most (60).

        Raises InputValidationError, NotFoundError.
        """
        if wait is not None:
            validate_whole_number(wait, "wait", 0, MAX_WAIT)
        return self.send(
            Call(
                "GET",
                path("arbitrations", arbitration_id),
                Arbitration.from_json,
                params=without_none(wait=wait),
                extra_timeout=wait or 0,
            )
        )

    def wait_for_decision(self, intent_id: Id, arbitration_id: Id, timeout: float | None = None) -> Arbitration:
        """Wait until an arbitration is decided, and return it with its `decision` (protocol A-6). Transient errors are retried.

        `timeout` is in seconds, None waits without limit; a request that hangs fails only after the client's own timeout.

        Raises UndecidedError if it is withdrawn or expires, DecisionTimeoutError, also a TimeoutError, if it is still pending after
        `timeout`; InputValidationError, NotFoundError, AuthenticationError, PermissionDeniedError.
        """

        def read(wait: int) -> Call[Arbitration]:
            return call_builder(GovernanceResource.get_arbitration)(arbitration_id, wait=wait)

        return self._run(decision_flow(read, intent_id, timeout, self._server))

    def ask(
        self,
        intent_id: Id,
        question: str,
        *,
        schema: Mapping[str, Any] | None = None,
        to: Sequence[str] | None = None,
        urgency: Urgency | str | None = None,
        remind: Sequence[int] | None = None,
        escalation: Sequence[NewEscalation] | None = None,
        fallback: NewFallback | None = None,
        options: Sequence[str | NewOption] | None = None,
        context: Mapping[str, Any] | None = None,
        blocking: bool | None = None,
        expires_at: Instant | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Ask people, wait, and return the answer: an object that is valid against `schema`, or without one the decision's text.

        `to` is the audience, `remind` the seconds after which it is told again; the rest is as in `request_arbitration`, and the
        waiting, at most `timeout` seconds, as in `wait_for_decision`. In a handler that may be killed while it waits, use the
        assignment's `request_arbitration`, whose question a later attempt finds.

        Raises what both raise; the question stays open after a DecisionTimeoutError.
        """
        request = call_builder(GovernanceResource.request_arbitration)(
            intent_id,
            question,
            context=context,
            options=options,
            blocking=blocking,
            expires_at=expires_at,
            response_schema=schema,
            audience=to,
            urgency=urgency,
            remind_after_seconds=remind,
            escalation=escalation,
            fallback=fallback,
            idempotency_key=idempotency_key,
        )
        read = call_builder(GovernanceResource.get_arbitration)
        return self._run(answer_flow(request, read, timeout, self._server))

    request_input = ask

    def remind_arbitration(self, arbitration_id: Id) -> Arbitration:
        """Tell the audience of a pending arbitration again, as far as the question has reached it.

        For its requester, arbiters and operators, once a minute.

        Raises NotFoundError, PermissionDeniedError, ConflictError `arbitration_resolved`, RateLimitError.
        """
        return self.send(Call("POST", path("arbitrations", arbitration_id, "remind"), Arbitration.from_json, json={}))

    def assign_arbitration(self, arbitration_id: Id, assignee: str | None) -> Arbitration:
        """Assign a pending arbitration to a person, like "user:grace", or with None to nobody (H-8). Idempotent.

        The person hears of it and looks after it; others may decide it all the same. For arbiters, operators and its audience.

        Raises InputValidationError, NotFoundError, PermissionDeniedError, ConflictError `arbitration_resolved`, ValidationError
        for a person who may not decide it.
        """
        validate_assignee(assignee)
        json = {"assignee": assignee}
        return self.send(Call("POST", path("arbitrations", arbitration_id, "assign"), Arbitration.from_json, json=json))

    def request_information(self, arbitration_id: Id, question: str, *, idempotency_key: str | None = None) -> Arbitration:
        """Send a pending arbitration back to the agent that requested it, without deciding it (H-9). Its deadline stays.

        The agent gets the event `information_requested`, and answers by `provide_information`. For those who may decide it.

        Raises InputValidationError, NotFoundError, PermissionDeniedError (`self_decision`), ConflictError
        (`arbitration_resolved`, `information_requested` while another question is open).
        """
        validate_information(question, "question")
        to, json = path("arbitrations", arbitration_id, "request-information"), {"question": question}
        return self.send(Call("POST", to, Arbitration.from_json, json=json, idempotency_key=idempotency_key))

    def provide_information(self, arbitration_id: Id, answer: str, *, idempotency_key: str | None = None) -> Arbitration:
        """Answer the open question of `information` about an arbitration that this caller requested (H-9).

        Raises InputValidationError, NotFoundError, PermissionDeniedError, ConflictError (`arbitration_resolved`,
        `no_information_requested`).
        """
        validate_information(answer, "answer")
        to, json = path("arbitrations", arbitration_id, "information"), {"answer": answer}
        return self.send(Call("POST", to, Arbitration.from_json, json=json, idempotency_key=idempotency_key))

    def withdraw_arbitration(self, arbitration_id: Id, reason: str | None = None) -> Arbitration:
        """Withdraw an arbitration. Idempotent. For its requester, arbiters and operators.

        Raises InputValidationError, NotFoundError, PermissionDeniedError, ConflictError `arbitration_resolved`.
        """
        validate_withdrawal(reason)
        return self.send(
            Call(
                "POST", path("arbitrations", arbitration_id, "withdraw"), Arbitration.from_json, json=without_none(reason=reason)
            )
        )

    def record_decision(
        self,
        intent_id: Id,
        decision: str | None = None,
        rationale: str | None = None,
        *,
        answer: Mapping[str, Any] | None = None,
        arbitration_id: Id | None = None,
        decision_type: str | None = None,
        evidence: Sequence[NewEvidence] | None = None,
        rebind: bool | None = None,
        seen_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Decision:
        """Decide the arbitration `arbitration_id` (A-3). Without it the only pending one is decided, which may not be the one you have read.

        On an intent without arbitrations, or with a `decision_type` of its own, the decision stands alone. It is
        permanent. For operators, arbiters (except on their own requests), and agents with a bound key and a delegation.

        A question with a `response_schema` needs an `answer`, with which the `decision` may be left out: "answered" (H-1).
        Under a quorum it is a vote: the result is a `RecordedVote` until the quorum is complete (A-13). If the intent has changed
        since the request of an act, `rebind` grants it for the `seen_version` (A-11).

        Raises InputValidationError, NotFoundError, PermissionDeniedError (`self_decision`), ConflictError
        (`arbitration_resolved`, `arbitration_stale`, `already_voted`, `effect_taken`), ValidationError if it is not one of the options.
        """
        validate_decision(decision, rationale, answer=answer, decision_type=decision_type, evidence=evidence)
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "decisions"),
                _decision_or_vote,
                json=without_none(
                    decision=decision,
                    answer=answer,
                    rationale=rationale,
                    arbitration_id=as_optional_id(arbitration_id),
                    decision_type=decision_type,
                    evidence=evidence,
                    rebind=rebind,
                    seen_version=seen_version,
                ),
                idempotency_key=idempotency_key,
            )
        )

    def get_decisions(self, intent_id: Id, *, limit: int | None = None) -> list[Decision]:
        """Return the decisions on the intent, the oldest first. Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "decisions"), "decisions", Decision, limit=limit))

    def create_delegation(
        self,
        delegate: str,
        *,
        intents: Ids = (),
        portfolios: Ids = (),
        actions: Sequence[str] = (),
        constraints: Mapping[str, Any] | None = None,
        expires_at: Instant | None = None,
        idempotency_key: str | None = None,
    ) -> Delegation:
        """Delegate to an agent, on these intents and the members of these portfolios; without any, on all intents.

        The action "decide" allows it to record decisions; without `actions` all are allowed. For arbiters and operators.

        Raises InputValidationError, PermissionDeniedError, ValidationError for an unknown intent or portfolio.
        """
        validate_delegation(delegate, actions=actions, constraints=constraints)
        scope = {"intents": as_ids(intents), "portfolios": as_ids(portfolios), "actions": list(actions)}
        return self.send(
            Call(
                "POST",
                path("delegations"),
                Delegation.from_json,
                json=without_none(
                    delegate=delegate, scope=scope, constraints=constraints, expires_at=to_rfc3339(expires_at, "expires_at")
                ),
                idempotency_key=idempotency_key,
            )
        )

    def list_delegations(
        self, *, delegate: str | None = None, delegator: str | None = None, limit: int | None = None
    ) -> list[Delegation]:
        """Return all delegations, or those of a delegate or delegator, including ended ones."""
        return self.send(
            list_call(path("delegations"), "delegations", Delegation, limit=limit, delegate=delegate, delegator=delegator)
        )

    def revoke_delegation(self, delegation_id: Id) -> None:
        """Revoke a delegation at once (A-7). Idempotent. For its delegator and operators.

        Raises NotFoundError, PermissionDeniedError.
        """
        return self.send(Call("DELETE", path("delegations", delegation_id), no_content))
