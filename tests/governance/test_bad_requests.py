"""Invalid requests of governance, which write nothing."""

import pytest

from tests.governance.conftest import LATER, database_rows, make_arbitration

NOWHERE = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"
KiB = 2**10

BODIES = {
    "no reason": ("arbitrate", {}, 400, "reason"),
    "a reason of spaces": ("arbitrate", {"reason": "  "}, 400, "reason"),
    "a reason that is no text": ("arbitrate", {"reason": 5}, 400, "reason"),
    "a reason that is too long": ("arbitrate", {"reason": "x" * 10_001}, 400, "reason"),
    "a context that is a list": ("arbitrate", {"reason": "x", "context": []}, 400, "context"),
    "options that are text": ("arbitrate", {"reason": "x", "options": "a"}, 400, "options"),
    "the same option twice": ("arbitrate", {"reason": "x", "options": ["a", {"label": "a"}]}, 400, "options"),
    "too many options": ("arbitrate", {"reason": "x", "options": [str(n) for n in range(51)]}, 400, "options"),
    "an option without a label": ("arbitrate", {"reason": "x", "options": [{"rationale": "a"}]}, 400, "options.0.label"),
    "an option that is null": ("arbitrate", {"reason": "x", "options": [None]}, 400, "options.0"),
    "an option with an unknown field": (
        "arbitrate",
        {"reason": "x", "options": [{"label": "a", "lable": 1}]},
        400,
        "options.0.lable",
    ),
    "blocking as text": ("arbitrate", {"reason": "x", "blocking": "true"}, 400, "blocking"),
    "an end in the past": ("arbitrate", {"reason": "x", "expires_at": "2020-01-01T00:00:00Z"}, 400, "expires_at"),
    "an end that is no time": ("arbitrate", {"reason": "x", "expires_at": "tomorrow"}, 400, "expires_at"),
    "an unknown field": ("arbitrate", {"reason": "x", "blockin": True}, 400, "blockin"),
    "too much context": ("arbitrate", {"reason": "x", "context": {"a": "x" * 300 * KiB}}, 413, None),
    "no decision": ("decisions", {"rationale": "x"}, 400, "decision"),
    "a decision that is no text": ("decisions", {"decision": True}, 400, "decision"),
    "two names that disagree": ("decisions", {"decision": "a", "outcome": "b"}, 400, "outcome"),
    "evidence without a source": ("decisions", {"decision": "a", "evidence": [{"summary": "x"}]}, 400, "evidence.0.source"),
    "too much evidence": ("decisions", {"decision": "a", "evidence": [{"source": "x"}] * 101}, 400, "evidence"),
    "an arbitration nobody knows": ("decisions", {"decision": "a", "arbitration_id": NOWHERE}, 400, "arbitration_id"),
    "an arbitration that is no id": ("decisions", {"decision": "a", "arbitration_id": "x"}, 400, "arbitration_id"),
    "too much to tell": (
        "decisions",
        {"decision": "a", "evidence": [{"source": "x", "summary": "€" * 2_000}] * 100},
        413,
        None,
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_invalid_body_is_refused_and_writes_nothing(api, ada, intent, case):
    path, body, status, about = BODIES[case]
    make_arbitration(ada, intent)
    before = database_rows()

    refused = api.post(f"/intents/{intent['id']}/{path}", body)

    assert (refused.status_code, refused.json()["code"]) == (status, "invalid" if status == 400 else "too_large")
    if about:
        assert refused.json()["errors"][0]["field"] == about
    assert database_rows() == before


DELEGATIONS = {
    "no delegate": ({}, "delegate"),
    "an empty delegate": ({"delegate": ""}, "delegate"),
    "a scope that is a list": ({"delegate": "bob", "scope": []}, "scope"),
    "an unknown intent": ({"delegate": "bob", "scope": {"intents": [NOWHERE]}}, "scope.intents"),
    "an unknown portfolio": ({"delegate": "bob", "scope": {"portfolios": [NOWHERE]}}, "scope.portfolios"),
    "an intent that is no id": ({"delegate": "bob", "scope": {"intents": ["x"]}}, "scope.intents.0"),
    "an unknown part of a scope": ({"delegate": "bob", "scope": {"agents": []}}, "scope.agents"),
    "an end in the past": ({"delegate": "bob", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
}


@pytest.mark.parametrize("case", DELEGATIONS)
def test_invalid_delegation_is_refused_and_writes_nothing(api, case):
    body, about = DELEGATIONS[case]
    before = database_rows()

    refused = api.post("/delegations", body)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert refused.json()["errors"][0]["field"].startswith(about)
    assert database_rows() == before


@pytest.mark.parametrize("pk", [NOWHERE, "nonsense"])
def test_unknown_objects_are_not_found(api, db, pk):
    for method, path, body in (
        ("POST", f"/intents/{pk}/arbitrate", {"reason": "x"}),
        ("GET", f"/intents/{pk}/arbitrations", None),
        ("POST", f"/intents/{pk}/decisions", {"decision": "x"}),
        ("GET", f"/intents/{pk}/decisions", None),
        ("GET", f"/arbitrations/{pk}", None),
        ("GET", f"/arbitrations/{pk}?wait=30", None),
        ("POST", f"/arbitrations/{pk}/withdraw", {}),
        ("DELETE", f"/delegations/{pk}", None),
    ):
        refused = api.send(method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), path
    assert database_rows() == [[], [], [], [], []]


@pytest.mark.parametrize("wait", ["61", "-1", "1.5", "soon", ""])
def test_wait_is_a_number_of_seconds_up_to_60(api, ada, intent, wait):
    refused = api.get(f"/arbitrations/{make_arbitration(ada, intent)['id']}", wait=wait)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "wait")


def test_filters_are_strict(api, db):
    for path, query in (
        ("/arbitrations", {"status": "open"}),
        ("/arbitrations", {"state": "pending"}),
        ("/delegations", {"delegat": "bob"}),
        ("/delegations", {"delegate": ""}),
    ):
        assert api.get(path, **query).status_code == 400, (path, query)


def test_arbitration_of_another_intent_is_not_decided(api, ada, make_intent):
    one, other = make_intent(), make_intent()
    arbitration = make_arbitration(ada, one, expires_at=LATER)
    before = database_rows()

    refused = api.post(f"/intents/{other['id']}/decisions", {"decision": "a", "arbitration_id": arbitration["id"]})

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unknown_id")
    assert database_rows() == before


@pytest.mark.parametrize("path", ["arbitrate", "decisions"])
def test_write_with_a_lost_token_is_refused(api, ada, intent, path):
    before = database_rows()

    refused = ada.post(
        f"/intents/{intent['id']}/{path}", {"reason": "x"} if path == "arbitrate" else {"decision": "x"}, x_fencing_token="7"
    )

    assert (refused.status_code, refused.json()["code"]) == (409, "lease_lost")
    assert database_rows() == before
