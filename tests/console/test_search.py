"""Search of the console: everything that a person may see, by words and beginnings of ids."""

import html
import re

import pytest
from django.contrib.auth.models import User

from access.services import create_key

FOUND = "search/"


def groups(person, q):
    """Return the texts of each group that the search finds."""
    response = person.get(FOUND, {"q": q})
    assert response.status_code == 200, response.text
    found = {}
    for group in re.findall(r'<div role="group".*?</div>', response.text, re.DOTALL):
        name = html.unescape(re.search(r"</span>([^<]+) <span", group)[1])
        found[name] = [html.unescape(each) for each in re.findall(r'class="oi-found-text">([^<]*)<', group)]
    return found


@pytest.fixture
def office(api, agent, make_intent, ask):
    """One of each kind that is named after Porto."""
    intent = make_intent(title="Visa for Porto", assign=["agent:porto"])
    asked = ask("Fly to Porto by night?", intent=make_intent(title="Book flights"))
    portfolio = api.post("/portfolios", {"name": "Porto office"}).json()
    key = api.post("/keys", {"name": "porto key", "role": "agent"}).json()
    hook = {"callback_url": "https://hooks.example/porto?token=s3cret", "subscriber_id": "Porto pager"}
    subscription = api.post("/subscriptions", hook)
    assert subscription.status_code == 201, subscription.json()
    return {"intent": intent, "question": asked, "portfolio": portfolio, "key": key, "webhook": subscription.json()}


def test_each_kind_is_found_by_a_word(person, office):
    assert groups(person("viewer"), "Porto") == {
        "Intents": ["Visa for Porto"],
        "Questions": ["Fly to Porto by night?"],
        "Agents": ["agent:porto"],
        "Portfolios": ["Porto office"],
        "API keys": ["porto key"],
    }


def test_a_question_is_named_without_its_markup(person, ask):
    ask("Merge the fix for `eu-west`? See the **error rate** at [the board](https://board.example)")

    assert groups(person("viewer"), "error")["Questions"] == ["Merge the fix for eu-west? See the error rate at the board"]


@pytest.mark.parametrize("kind", ["intent", "question", "portfolio", "key", "webhook"])
def test_each_kind_is_found_by_the_beginning_of_its_id_and_linked(person, office, kind):
    olga, pk = person("operator"), office[kind]["id"]
    response = olga.get(FOUND, {"q": pk[:35]})

    [url] = re.findall(r'href="(/admin/[^"]+)"', response.text)
    assert pk in url
    assert olga.client.get(url).status_code == 200


def test_pages_of_the_menu_are_found_and_shown_before_anything_is_typed(person):
    vera = person("viewer")

    assert groups(vera, "webh") == {"Pages": ["Webhooks"]}
    assert {"Home", "Webhooks", "Event log"} <= {*groups(vera, "")["Pages"]}


def test_people_are_for_operators(person):
    User.objects.create_user("petra", is_staff=True)

    assert groups(person("operator", "olga"), "petr") == {"People": ["petra"]}
    assert groups(person("viewer", "vera"), "petr") == {}
    assert "People" in groups(person("operator", "otto"), "peop")["Pages"]
    assert groups(person("arbiter", "anna"), "peop") == {}


def test_path_of_a_callback_finds_its_webhook_for_operators_alone(person, office):
    assert groups(person("operator", "olga"), "s3cret") == {"Webhooks": ["Porto pager"]}
    assert groups(person("arbiter", "anna"), "s3cret") == {}
    assert "s3cret" not in person("operator", "otto").get(FOUND, {"q": "hooks.example"}).text


def test_person_without_a_role_finds_nothing(person, office):
    nobody = person(None)
    User.objects.filter(pk=nobody.user.pk).update(is_staff=True)

    assert nobody.get(FOUND, {"q": "porto"}).status_code == 403
    assert person("viewer", "vera").client.__class__().get("/admin/search/?q=porto").status_code == 302


def test_text_of_agents_is_escaped(person, make_intent, ask):
    make_intent(title="<script>alert(1)</script> urgent", assign=['agent"><b>'])
    ask("<img src=x onerror=alert(1)> urgent?")
    body = person("viewer").get(FOUND, {"q": "urgent"}).text

    assert "&lt;script&gt;" in body
    assert "&lt;img" in body
    assert "<script" not in body
    assert "<img" not in body
    assert "<b>" not in person("viewer", "vic").get(FOUND, {"q": 'agent"><b'}).text


@pytest.mark.parametrize(
    "q", ["", " ", "a", "'", '"', "\0", "a\0b", "AND OR (", "%_", "{}", "\\", "🙂", "x" * 255, "- - -", "zz'); --"]
)
def test_hostile_search_is_no_error(person, office, q):
    assert person("viewer").get(FOUND, {"q": q}).status_code == 200


def test_too_long_search_and_unknown_parameters_are_refused(person):
    vera = person("viewer")

    assert vera.get(FOUND, {"q": "x" * 10_000}).status_code == 400
    assert vera.get(FOUND, {"text": "x"}).status_code == 400
    assert vera.post(FOUND, {"q": "x"}).status_code == 405


def test_search_without_results_says_so(person):
    assert "Nothing found for “&lt;b&gt;zebra”." in person("viewer").get(FOUND, {"q": "<b>zebra"}).text
    assert "Type one more character" in person("viewer", "vic").get(FOUND, {"q": "z"}).text


def test_groups_show_some_count_the_rest_and_link_the_list(person, make_intent):
    for number in range(8):
        make_intent(title=f"Walrus {number}")
    vera = person("viewer")
    body = vera.get(FOUND, {"q": "walr"}).text

    assert groups(vera, "walr") == {"Intents": [f"Walrus {number}" for number in (7, 6, 5, 4, 3, 2)]}
    assert 'Intents <span class="oi-quiet">8</span>' in body
    assert 'href="/admin/intents/intent/?q=walr"' in body
    assert "8" in vera.get("intents/intent/", {"q": "walr"}).text


def test_search_takes_the_same_queries_whatever_it_finds(person, office, make_intent):
    vera = person("viewer")
    few = vera.queries(FOUND, {"q": "porto"})
    for number in range(12):
        make_intent(title=f"Porto {number}", assign=[f"agent:porto-{number}"])
        create_key(name=f"porto {number}", role="agent", agent_id=None, expires_at=None, created_by="olga")

    assert vera.queries(FOUND, {"q": "porto"}) == few
    assert vera.queries(FOUND, {"q": "nothing"}) == few
