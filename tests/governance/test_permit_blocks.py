"""Permits in the SDK: blocks, functions under a permit, and what is recorded of the act (rules A-8 to A-16), both clients."""

import asyncio
from threading import Thread

import pytest
from openintent import (
    AsyncOpenIntentClient,
    ConflictError,
    NotExecuted,
    OpenIntentClient,
    PermissionDeniedError,
    PermitRefusedError,
    permitted,
)

from tests.system.concurrent_clients import until

KEY = "dev-user-key"
PARAMS = {"amount": 120}


@pytest.fixture
def client(server):
    with OpenIntentClient(server.url, KEY, "ada") as client:
        yield client


@pytest.fixture
def intent(client):
    return client.create_intent("Refund the order")


@pytest.fixture
def decide(server, intent):
    """`decide("approve")`: whatever is asked next is decided so, in a thread."""
    threads = []

    def decide(*decisions):
        def work():
            with OpenIntentClient(server.url, KEY, "judy") as judy:
                for decision in decisions:
                    [asked] = until(lambda: judy.get_arbitrations(intent.id, status="pending"), "request")
                    judy.record_decision(intent.id, decision, arbitration_id=asked.id)

        threads.append(Thread(target=work))
        threads[-1].start()

    yield decide
    for thread in threads:
        thread.join()


@pytest.fixture(params=["sync", "async"])
def act(request, server, client, intent):
    """`act(lambda permit: …)`: the act under a permit, by either client."""

    about = {"reason": "May I?", "timeout": 30}

    async def act_async(does, **more):
        async with AsyncOpenIntentClient(server.url, KEY, "ada") as other:
            block = other.permit(intent.id, "payments.refund", "order-1", PARAMS, **about, **more)
            async with block as permit:
                return does(permit)

    def act(does, **more):
        if request.param == "async":
            return asyncio.run(act_async(does, **more))
        with client.permit(intent.id, "payments.refund", "order-1", PARAMS, **about, **more) as permit:
            return does(permit)

    return act


def only_permit(client, intent):
    [permit] = client.get_permits(intent.id)
    return permit


@pytest.mark.rule("A-8", "A-9", "A-15")
def test_block_asks_spends_and_records_the_outcome(client, intent, decide, act):
    decide("approve")

    seen = act(lambda permit: (permit.status, client.get_permit(permit.id).outcome))

    assert seen == ("spent", None)
    permit = only_permit(client, intent)
    assert (permit.status, permit.outcome, permit.verb, permit.target) == ("spent", "succeeded", "payments.refund", "order-1")
    with pytest.raises(ConflictError) as refused:
        client.spend_permit(permit.id, {"verb": permit.verb, "target": permit.target, "params": PARAMS})
    assert refused.value.code == "permit_spent"


@pytest.mark.rule("A-8")
def test_refused_act_does_not_begin(client, intent, decide, act):
    decide("refuse")
    begun = []

    with pytest.raises(PermitRefusedError) as refused:
        act(begun.append)

    assert isinstance(refused.value, PermissionDeniedError)
    assert refused.value.arbitration.decision.decision == "refuse"
    assert (begun, client.get_permits(intent.id)) == ([], [])


@pytest.mark.rule("A-15")
@pytest.mark.parametrize(
    ("error", "outcome"), [(NotExecuted("the bank is closed"), "failed"), (RuntimeError("no answer"), "unknown")]
)
def test_block_that_raises_records_what_is_known(client, intent, decide, act, error, outcome):
    decide("approve")

    def fail(permit):
        raise error

    with pytest.raises(type(error)):
        act(fail)

    permit = only_permit(client, intent)
    assert (permit.outcome, permit.outcome_note) == (outcome, f"{type(error).__name__}: {error}")


@pytest.mark.rule("A-16")
def test_effect_is_done_once_though_it_is_asked_twice(intent, decide, act):
    decide("approve")
    act(lambda permit: None, effect_key=f"refund:{intent.id}")

    with pytest.raises(ConflictError) as refused:
        act(lambda permit: None, effect_key=f"refund:{intent.id}")

    assert refused.value.code == "effect_taken"


@pytest.mark.rule("A-14")
def test_holder_of_a_lease_spends_with_its_token(client, intent, decide):
    decide("approve")

    with client.lease(intent.id, "order"), client.permit(intent.id, "ship", "order-1", reason="May I?", timeout=30):
        pass

    assert only_permit(client, intent).outcome == "succeeded"


@pytest.mark.rule("A-9", "A-10")
def test_each_call_of_a_permitted_function_is_one_act(client, intent, decide):
    done = []

    @permitted("payments.refund", target="order", reason="Refund {amount} for {order}?", effect_key="refund:{order}", timeout=30)
    def refund(client, intent, order, amount, currency="EUR"):
        done.append((order, amount))
        return "refunded"

    first, second = f"order-1-{intent.id}", f"order-2-{intent.id}"
    decide("approve", "refuse")
    assert refund(client, intent, first, amount=5) == "refunded"
    with pytest.raises(PermitRefusedError) as refused:
        refund(client, intent, second, 7)

    assert done == [(first, 5)]
    asked = refused.value.arbitration
    assert (asked.reason, asked.action.target, asked.action.params) == (
        f"Refund 7 for {second}?",
        second,
        {"amount": 7, "currency": "EUR"},
    )
    assert asked.action.effect_key == f"refund:{second}"


def test_permitted_coroutine_function_of_an_agent(server, client, intent, decide):
    class Agent:
        async_client: AsyncOpenIntentClient

        @permitted("deploy", target="service", timeout=30)
        async def deploy(self, intent_id, service):
            return f"{service} is deployed"

    async def run():
        async with AsyncOpenIntentClient(server.url, KEY, "ada") as connected:
            agent = Agent()
            agent.async_client = connected
            return await agent.deploy(intent.id, "shop")

    decide("approve")
    assert asyncio.run(run()) == "shop is deployed"
    assert only_permit(client, intent).target == "shop"


@pytest.mark.parametrize(
    "function", [lambda client, order: None, lambda intent, target: None, lambda client, intent, order: None]
)
def test_function_that_cannot_ask_is_refused_at_once(function):
    with pytest.raises(TypeError, match="needs the parameters"):
        permitted("deploy")(function)
