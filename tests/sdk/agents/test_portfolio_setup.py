"""The setup of a coordinator's portfolio: one request, once, through crashes, also at servers without plans (rules K-12, G-8)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from openintent import IntentSpec, OpenIntentClient, OpenIntentError, PortfolioSpec
from openintent.agents._portfolio_setup import add_missing_members, create, find, is_built
from openintent.agents._retry import retry_until_stopped

pytestmark = [pytest.mark.rule("K-7"), pytest.mark.database("sqlite")]


class Crashed(Exception):
    """Raised in place of a crash of the process."""


class Dying(OpenIntentClient):
    """A client that crashes after so many writes."""

    writes_left = 0

    def send(self, call):
        answer = super().send(call)
        if call.method != "GET":
            self.writes_left -= 1
            if not self.writes_left:
                raise Crashed
        return answer


class Old(Dying):
    """A client of a server that does not know plans."""

    def send(self, call):
        if call.path.endswith("/intents/batch"):
            raise OpenIntentError("POST is not allowed here", status_code=405, code="method_not_allowed")
        return super().send(call)


def build(client, name, spec):
    return add_missing_members(client, find(client, name, spec) or create(client, name, spec), spec)


def portfolios(operator, name):
    return operator.list_portfolios(created_by=name)


@pytest.mark.rule("K-12", "G-8")
def test_portfolio_is_created_in_one_request(operator, server, name, spec):
    with Dying(server.url, "dev-user-key", name) as client:
        build(client, name, spec)

        assert client.writes_left == -1
    [portfolio] = portfolios(operator, name)
    assert_complete(operator, name, portfolio)


@pytest.mark.rule("K-12", "G-8")
@pytest.mark.parametrize(
    ("kind", "with_policy", "writes"),
    [("Dying", False, 1), *[("Dying", True, n) for n in range(1, 5)], *[("Old", False, n) for n in range(1, 9)]],
)
def test_crashed_coordinator_resumes_its_setup(operator, server, name, spec, kind, with_policy, writes):
    """The coordinator crashes after each of its writes in turn, also at a server that does not know plans."""
    client_class = {"Dying": Dying, "Old": Old}[kind]
    if with_policy:
        hotel, flights = spec.intents
        spec = replace(spec, intents=[hotel, replace(flights, retry_policy={"max_attempts": 3})])
    with client_class(server.url, "dev-user-key", name) as dying:
        dying.writes_left = writes
        with pytest.raises(Crashed):
            build(dying, name, spec)
    with client_class(server.url, "dev-user-key", name) as client:
        made = build(client, name, spec)

    [portfolio] = portfolios(operator, name)
    assert portfolio.id == made.id
    assert_complete(operator, name, portfolio)
    if with_policy:
        assert (
            operator.get_retry_policy(next(each.id for each in portfolio.intents if each.title == "Book flights")).max_attempts
            == 3
        )


def assert_complete(operator, name, portfolio):
    assert len(operator.list_intents(created_by=name)) == 2
    assert {each.title: [agent.agent_id for agent in each.agents] for each in portfolio.intents} == {
        "Book hotel": [f"{name}-hotels"],
        "Book flights": [f"{name}-flights"],
    }
    hotel, flights = portfolio.intents
    assert (hotel.depends_on, hotel.priority, flights.role, flights.state) == ([flights.id], 1, "primary", {"seats": 2})
    assert is_built(portfolio)


@pytest.mark.rule("K-12")
def test_two_processes_of_a_coordinator_create_one_portfolio(operator, server, name, spec):
    def start(_):
        with OpenIntentClient(server.url, "dev-user-key", name) as client:
            return retry_until_stopped(lambda: build(client, name, spec), Event()).id

    with ThreadPoolExecutor(4) as pool:
        assert len({*pool.map(start, range(4))}) == 1
    assert len(portfolios(operator, name)) == 1


@pytest.mark.rule("K-12")
def test_member_titles_may_be_long_or_look_like_ids(operator, server, name):
    titles = ["x" * 500, "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"]
    spec = PortfolioSpec(f"Odd ones of {name}", [IntentSpec(titles[0], depends_on=titles[1:]), IntentSpec(titles[1])])

    with OpenIntentClient(server.url, "dev-user-key", name) as client:
        portfolio = build(client, name, spec)

    assert {each.title: each.status for each in portfolio.intents} == {titles[0]: "blocked", titles[1]: "draft"}
