"""Permission prompts of a coding agent as questions with an act (protocol A-8 to A-10)."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import typer

from ...client import OpenIntentClient
from ...enums import ArbitrationStatus, PermitOutcome
from ...errors import ConflictError, NotFoundError, PermissionDeniedError
from ...models import Arbitration
from ...resources.governance import NewAction
from .payloads import ToolCall

VERB = "allow_tool_call"
KEEP = timedelta(hours=23)
"""How long a question is found again: a little less than the server keeps idempotency keys, and than the question is open."""
PERMIT_SECONDS = 600
MAX_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """State of the question: granted, refused with a reason, or, with neither, still open at the page."""

    is_granted: bool = False
    refusal: str | None = None
    page: str | None = None


def act_of(call: ToolCall) -> NewAction:
    """Return the act: the tool, its input and the folder. The description that a model adds is none of it, as it differs each time."""
    given = {name: value for name, value in call.input.items() if name != "description"}
    return {"verb": VERB, "target": call.tool, "params": {"input": given, "cwd": call.cwd}, "effect_key": None}


def ask(client: OpenIntentClient, intent_id: str, call: ToolCall, *, wait: int, keep: bool) -> Answer:
    """Ask whether the call may be made, or find the question again, and wait so many seconds for its answer.

    An approval allows the call once. With `keep` an open question stays, and the next call of this kind finds it; otherwise it is
    withdrawn, as the person at the editor answers.

    Raises OpenIntentError.
    """
    act = act_of(call)
    with _remembered(client, intent_id, act) as question:
        asked = client.request_permit(
            intent_id,
            act["verb"],
            act["target"],
            act["params"],
            reason=_reason(call),
            bind_version=False,
            permit_seconds=PERMIT_SECONDS,
            expires_at=question.expires_at,
            idempotency_key=question.key,
        )
        found = client.get_arbitration(asked.id, wait=wait)
        if found.status == ArbitrationStatus.PENDING:
            if keep:
                question.is_kept = True
                return Answer(page=f"{client.base_url}/admin/governance/arbitration/{found.id}/change/")
            found = _withdrawn(client, found)
        return _answer(client, intent_id, found, act)


def _withdrawn(client: OpenIntentClient, asked: Arbitration) -> Arbitration:
    try:
        return client.withdraw_arbitration(asked.id, "Answered at the agent's own prompt.")
    except ConflictError:  # Somebody has decided it in this moment.
        return client.get_arbitration(asked.id)


def _answer(client: OpenIntentClient, intent_id: str, found: Arbitration, act: NewAction) -> Answer:
    decision = found.decision
    if decision is None:
        return Answer()
    if decision.decision not in found.grants:
        return Answer(refusal=decision.rationale or f"{decision.decided_by} has refused it.")
    try:
        permit = client.wait_for_permit(intent_id, found.id, timeout=1)
        client.spend_permit(permit.id, act)
    except (ConflictError, NotFoundError, PermissionDeniedError) as problem:
        return Answer(refusal=f"The approval cannot be used: {problem.message}")
    client.record_outcome(permit.id, PermitOutcome.SUCCEEDED, "The tool was allowed to make the call.")
    return Answer(is_granted=True)


def _reason(call: ToolCall) -> str:
    subject = call.input.get("command") or call.input.get("file_path") or call.input.get("url") or ""
    said = " ".join(str(subject).split())
    shown = said if len(said) <= MAX_SHOWN else f"{said[:MAX_SHOWN]} …"
    return f"Allow {call.tool}: {shown}" if shown else f"Allow {call.tool}?"


@dataclass(slots=True)
class _Question:
    """A request that every run of the hook sends alike, so that the server answers it with the same question."""

    key: str
    expires_at: datetime
    is_kept: bool = False


@contextmanager
def _remembered(client: OpenIntentClient, intent_id: str, act: NewAction) -> Iterator[_Question]:
    """The question about the act, which another run of the hook may have asked. It is forgotten unless it is kept."""
    about = json.dumps([client.base_url, client.agent_id, intent_id, act], sort_keys=True)
    folder = Path(typer.get_app_dir("openintent")) / "questions"
    file = folder / hashlib.sha256(about.encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for other in folder.iterdir():
        if time.time() - other.stat().st_mtime > KEEP.total_seconds():
            other.unlink(missing_ok=True)
    if not file.exists():
        file.write_text(uuid4().hex)
    question = _Question(file.read_text(), datetime.fromtimestamp(file.stat().st_mtime, UTC) + KEEP)
    try:
        yield question
    except BaseException:
        question.is_kept = True
        raise
    finally:
        if not question.is_kept:
            file.unlink(missing_ok=True)
