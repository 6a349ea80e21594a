"""List methods return the whole list, or its first `limit` items."""

from urllib.parse import parse_qs, urlsplit

import pytest
from openintent import InputValidationError, OpenIntentError

from .samples import INTENT


def pages(*sizes):
    """Pages of intents numbered through, each but the last with a cursor to the next."""
    start, answers = 0, []
    for index, size in enumerate(sizes):
        items = [{**INTENT, "id": str(start + offset)} for offset in range(size)]
        last = index == len(sizes) - 1
        answers.append({"intents": items, "next": None if last else f"cursor {index + 1}"})
        start += size
    return answers


def queries(script):
    return [parse_qs(urlsplit(seen.target).query) for seen in script.seen]


def test_all_pages_are_one_list_in_order(client, script):
    script.respond(*pages(3, 3, 1))

    intents = client.list_intents(status="draft")

    assert [intent.id for intent in intents] == list("0123456")
    assert queries(script) == [
        {"status": ["draft"], "limit": ["1000"]},
        {"status": ["draft"], "limit": ["1000"], "cursor": ["cursor 1"]},
        {"status": ["draft"], "limit": ["1000"], "cursor": ["cursor 2"]},
    ]


def test_an_empty_list_is_a_list(client, script):
    script.respond(*pages(0))

    assert client.list_intents() == []


def test_limit_bounds_the_page_size(client, script):
    script.respond(*pages(2, 5))

    assert len(client.list_intents(limit=2)) == 2
    assert queries(script) == [{"limit": ["2"]}]


def test_limit_beyond_a_page_fetches_further_pages(client, script):
    script.respond(*pages(1000, 500, 1))

    assert len(client.list_intents(limit=1500)) == 1500
    assert [query["limit"] for query in queries(script)] == [["1000"], ["500"]]


def test_items_beyond_the_limit_are_dropped(client, script):
    script.respond(*pages(5))

    assert len(client.list_intents(limit=2)) == 2


@pytest.mark.parametrize("limit", [0, -1, 1.0, True, "3"])
def test_invalid_limit_is_rejected(client, limit):
    with pytest.raises(InputValidationError) as caught:
        client.list_intents(limit=limit)

    assert caught.value.field == "limit"


@pytest.mark.parametrize("answer", [{}, {"intents": []}, [], None, {"intents": 3, "next": None}])
def test_response_without_a_page_is_a_protocol_error(client, script, answer):
    script.respond(answer)

    with pytest.raises(OpenIntentError, match="does not follow the protocol"):
        client.list_intents()
