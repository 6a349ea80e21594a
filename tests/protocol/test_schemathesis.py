"""Schemathesis reads the exact description of the API and tries the server with all its checks, in all its phases.

The published description has one form of each value (core.openapi_simple_forms), and the server accepts others.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.run import PhaseName
from schemathesis.openapi.checks import RejectedPositiveData

from tests.databases import migrated_database
from tests.exact_openapi import exact_description
from tests.servers import Server
from tests.system.concurrent_clients import rounds

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]


UNSAYABLE = {
    "alias_differs",
    "below_base_delay",
    "callback_not_allowed",
    "dependency_cycle",
    "duplicate_label",
    "duplicate_primary",
    "duplicate_ref",
    "empty_group",
    "file_path",
    "grants",
    "idempotency_key_reused",
    "illegal_transition",
    "in_the_past",
    "inexact_number",
    "invalid_patch",
    "invisible_character",
    "may_not_decide",
    "never",
    "no_action",
    "no_decision",
    "no_fallback",
    "no_person",
    "no_portfolio",
    "no_schema",
    "no_such_option",
    "no_time",
    "no_version",
    "not_decided",
    "nul_character",
    "one_place",
    "quorum",
    "quorum_impossible",
    "range_not_satisfiable",
    "several_pending",
    "sha256_differs",
    "size_differs",
    "target_of_kind",
    "too_deep",
    "two_topics",
    "unknown_group",
    "unknown_id",
    "unknown_person",
    "unknown_ref",
    "unknown_time_zone",
    "unreadable_limit",
    "unsafe_integer",
}
"""Codes of refusals that no schema can tell of beforehand: the reason is what the server holds, is how two fields compare, or lies deep in free JSON."""


def configuration(server: Server) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "base-url": server.url,
            "headers": {"X-API-Key": "dev-user-key"},
            "generation": {"deterministic": True, "max-examples": rounds(4, 2)},
            # The missing header is If-Match, and 428 is what RFC 6585 has for it.
            "checks": {"missing_required_header": {"expected-statuses": [400, 422, 428]}},
        }
    )


@pytest.fixture(scope="module")
def server(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without a worker, which would call what Schemathesis makes up for callbacks."""
    with Server(migrated_database(vendor, tmp_path_factory.mktemp("schemathesis")), OPENINTENT_WORKER="false") as running:
        yield running


@pytest.fixture
def schema(server: Server) -> Any:
    # A cursor is the server's own; the one that can be made up begins a list.
    schemathesis.openapi.format("cursor", st.just(""))
    schema = schemathesis.openapi.from_dict(exact_description(), config=configuration(server))
    schema = schema.exclude(path_regex="/subscribe$")  # Streams do not end; tests/subscriptions reads them.

    @schemathesis.hook  # It knows this hook for all schemas only.
    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        if case.operation.definition.raw.get("operationId") == "get_arbitration" and is_long(case.query.get("wait")):
            case.query["wait"] = 0

    @schema.hook
    def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
        return not (isinstance(failure, RejectedPositiveData) and codes(response.json()) <= UNSAYABLE)

    return schema


def is_long(wait: Any) -> bool:
    """Whether the server would rightly keep the answer back for longer than Schemathesis waits for it."""
    return str(wait).isdecimal() and int(wait) <= 60


def codes(problem: dict[str, Any]) -> set[str]:
    """The problem's code; of an `invalid` one, those of its errors."""
    return {error["code"] for error in problem["errors"]} if problem["code"] == "invalid" else {problem["code"]}


def failures(run: Iterable[Any]) -> list[str]:
    found = []
    for event in run:
        if isinstance(event, events.NonFatalError):
            found.append(str(event.info))
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished) and event.status == Status.FAILURE:
            for case_id, nodes in event.recorder.checks.items():
                found += [
                    described(event.label, node, event.recorder.interactions[case_id])
                    for node in nodes
                    if node.status == Status.FAILURE
                ]
    return found


def described(label: str, node: Any, interaction: Any) -> str:
    answer = interaction.response.text if interaction.response else "no answer"
    return f"{label}: {node.name}: {node.failure_info.failure.message}\n{node.failure_info.code_sample}\n{answer}"


def test_the_server_does_what_its_schema_says(schema):
    run = list(from_schema(schema).execute())

    found = failures(run)
    assert not found, f"{len(found)} failures:\n" + "\n\n".join(dict.fromkeys(found))
    tried = {
        (event.phase, event.label)
        for event in run
        if isinstance(event, events.ScenarioFinished) and event.status == Status.SUCCESS
    }
    labels = {operation.ok().label for operation in schema.get_all_operations()}
    assert {label for phase, label in tried if phase == PhaseName.COVERAGE} == labels
    assert {label for phase, label in tried if phase == PhaseName.FUZZING} == labels
    assert PhaseName.STATEFUL_TESTING in {phase for phase, _ in tried}
