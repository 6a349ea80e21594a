"""Queries of large portfolios, and of writes that close intents."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intents.models import Edge, EdgeKind, Intent
from portfolios.models import Membership, Portfolio
from tests.conftest import fresh

MEMBERS = 1_000


@pytest.fixture
def large(db):
    """A portfolio of 1,000 intents, half of which wait for another."""
    now = timezone.now()
    dates = {"created_by": "ada", "created_at": now, "updated_at": now}
    latest = {"last_event_at": now}
    intents = [
        Intent(
            title=f"Part {number}", state={"notes": ["begun"] * 20}, status=("draft", "blocked")[number % 2], **dates, **latest
        )
        for number in range(MEMBERS)
    ]
    portfolio = Portfolio.objects.create(name="Large", **dates)
    Intent.objects.bulk_create(intents)
    Edge.objects.bulk_create(
        [Edge(waiter=each, awaited=intents[0], kind=EdgeKind.DEPENDENCY) for each in intents if each.status == "blocked"]
    )
    Membership.objects.bulk_create(
        [
            Membership(portfolio=portfolio, intent=intent, priority=number % 7, added_by="ada", added_at=now)
            for number, intent in enumerate(intents)
        ]
    )
    return portfolio


def test_thousand_members_are_read_with_one_more_query(api, large, make_intent, make_portfolio):
    small = make_portfolio(make_intent())
    counts = []
    for pk in (small["id"], large.pk):
        with CaptureQueriesContext(connection) as captured:
            body = api.get(f"/portfolios/{pk}").json()
        counts.append(len(captured))

    assert counts[1] <= counts[0] + 1  # The first 128 members are measured apart.
    assert (len(body["intents"]), len(body["aggregate_status"]["blocking_intents"])) == (MEMBERS, MEMBERS // 2)
    assert len(body["aggregate_status"]["ready_intents"]) == MEMBERS // 2
    assert body["intents"] == sorted(body["intents"], key=lambda member: -member["priority"])


@pytest.mark.parametrize(("status", "expected"), [("active", 0), ("pending", 0), ("completed", 1), ("abandoned", 1)])
def test_only_a_final_status_queries_the_portfolios(api, make_intent, make_portfolio, status, expected):
    intent = make_intent()
    make_portfolio(intent)

    with CaptureQueriesContext(connection) as captured:
        response = api.post(f"/intents/{intent['id']}/status", {"status": status}, version=fresh(api, intent)["version"])

    assert response.status_code == 200
    assert len([each for each in captured if "portfolios_" in each["sql"]]) == expected
