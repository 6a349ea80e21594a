"""Lists that are sorted by a click on the heading of a column: intents and agents (D-302)."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from intents.models import Intent
from tests.conftest import set_status

pytestmark = pytest.mark.case("console L20")

INTENTS, AGENTS = "intents/intent/", "agents/"


def rows(person, path, **query):
    return re.findall(r'oi-row-title" href="[^"]*">([^<]*)<', person.get(path, query).text)


def headings(page):
    """Return the headings of the columns: the title, `aria-sort`, and where a click leads."""
    found = re.findall(r'<th scope="col"([^>]*)>(?:<a [^>]*href="\?([^"]*)">)?([^<]*)', page)
    return {title: (re.search('aria-sort="([^"]*)', looks), unescape(url)) for looks, url, title in found}


def sorted_by(page):
    return {title: found[1] for title, (found, _) in headings(page).items() if found}


@pytest.fixture
def three(api, make_intent):
    """beta is the oldest, Alpha the next, and gamma the newest; beta has been updated last, Alpha before all."""
    made = [make_intent(title=title) for title in ("beta", "Alpha", "gamma")]
    start = Intent.objects.get(pk=made[0]["id"]).updated_at
    for number, each in zip((3, 0, 1), made, strict=True):
        Intent.objects.filter(pk=each["id"]).update(updated_at=start + timedelta(hours=number))
    return made


@pytest.mark.parametrize(
    ("ordering", "expected", "direction"),
    [
        ("", ["beta", "gamma", "Alpha"], {"Updated": "descending"}),
        ("-updated_at", ["beta", "gamma", "Alpha"], {"Updated": "descending"}),
        ("updated_at", ["Alpha", "gamma", "beta"], {"Updated": "ascending"}),
        ("-created_at", ["gamma", "Alpha", "beta"], {"Created": "descending"}),
        ("created_at", ["beta", "Alpha", "gamma"], {"Created": "ascending"}),
        ("title", ["Alpha", "beta", "gamma"], {"Title": "ascending"}),
        ("-title", ["gamma", "beta", "Alpha"], {"Title": "descending"}),
    ],
)
def test_intents_are_sorted_by_the_column_that_was_chosen(person, three, ordering, expected, direction):
    vera = person("viewer")

    assert rows(vera, INTENTS, ordering=ordering) == expected
    assert sorted_by(vera.get(INTENTS, {"ordering": ordering}).text) == direction


def test_a_heading_leads_to_its_order_and_a_second_click_reverses_it(person, three):
    vera = person("viewer")

    links = {title: url for title, (_, url) in headings(vera.get(INTENTS).text).items()}
    assert links == {"Title": "ordering=title", "Status": "", "Updated": "ordering=updated_at", "Created": "ordering=-created_at"}

    links = {title: url for title, (_, url) in headings(vera.get(INTENTS, {"ordering": "title"}).text).items()}
    assert links["Title"] == "ordering=-title"
    assert links["Updated"] == "ordering=-updated_at"


def test_the_order_goes_with_search_filters_tabs_and_pages(api, person, make_intent):
    for number in range(60):
        make_intent(title=f"Porto {number:02}", assign="ada")
    vera = person("viewer")

    page = vera.get(INTENTS, {"ordering": "title", "q": "porto", "agent": "ada", "status__exact": "draft", "p": "2"}).text

    assert rows(vera, INTENTS, ordering="title", q="porto", agent="ada", p="2") == [f"Porto {number}" for number in range(50, 60)]
    assert '<input type="hidden" name="ordering" value="title">' in page
    links = [
        unescape(each)
        for each in re.findall(r'href="\?([^"]*)" id="oi-tab-', page) + re.findall(r'rel="prev" href="\?([^"]*)', page)
    ]
    assert len(links) == 8
    for each in links:
        assert {"ordering=title", "q=porto", "agent=ada"} <= {*each.split("&")}
    for title, (_, url) in headings(page).items():
        assert title == "Status" or {"q=porto", "agent=ada", "status__exact=draft"} <= {*url.split("&")}
        assert "p=2" not in url
    assert "panels" not in "".join(url for _, url in headings(vera.get(INTENTS, {"panels": "1"}).text).values())


@pytest.mark.parametrize("path", [INTENTS, AGENTS])
@pytest.mark.parametrize("ordering", ["status", "--title", "-", "title,id", "state__secret", "<b>", "no\0thing"])
def test_an_unknown_order_is_refused(person, three, path, ordering):
    response = person("viewer").get(path, {"ordering": ordering})

    assert response.status_code == 400
    assert "Unknown order" in response.text
    assert "<b>" not in response.text.partition("Unknown order")[2][:80]
    assert "Alpha" not in response.text


def test_other_lists_take_no_order(person):
    response = person("viewer").get("governance/arbitration/", {"ordering": "title"})

    assert response.status_code == 400


def test_of_a_long_list_titles_are_sorted_among_the_most_recently_updated(person, three, monkeypatch):
    monkeypatch.setattr("console.changelist.MAX_COUNT", 2)
    monkeypatch.setattr("console.intents.admin.IntentAdmin.list_per_page", 1)
    oldest = Intent.objects.values().get(title="Alpha")
    long_ago = oldest["updated_at"] - timedelta(days=1)
    Intent.objects.bulk_create(Intent(**{**oldest, "id": Intent().pk, "title": "A", "updated_at": long_ago}) for _ in range(3))
    vera = person("viewer")

    page = vera.get(INTENTS, {"ordering": "title"}).text

    assert [*rows(vera, INTENTS, ordering="title"), *rows(vera, INTENTS, ordering="title", p="2")] == ["Alpha", "beta"]
    assert "Page 1 of 2 · more than 2 total" in page
    assert "Only the 2 most recently updated are sorted by title." in page
    assert "are sorted by title" not in vera.get(INTENTS, {"ordering": "created_at"}).text


@pytest.mark.parametrize("ordering", ["-updated_at", "updated_at", "-created_at", "created_at"])
def test_an_order_by_time_is_read_from_an_index(person, three, ordering):
    vera = person("viewer")
    with CaptureQueriesContext(connection) as found:
        vera.get(INTENTS, {"ordering": ordering})
    [query] = [each["sql"] for each in found if '"version"' in each["sql"] and "ORDER BY" in each["sql"]]

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # To sort so few rows would be the shortest way.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query}")
        plan = " ".join(row[-1] for row in cursor.fetchall())

    assert re.search(r"(USING INDEX|Index Scan (Backward )?using) \"?intent_by_", plan), plan
    assert not re.search("TEMP B-TREE|Sort", plan), plan


def test_an_order_costs_no_more_queries_than_another(person, three):
    vera = person("viewer")

    assert len({vera.queries(f"{INTENTS}?ordering={each}") for each in ("-updated_at", "created_at")}) == 1


@pytest.fixture
def agents(api, agent, make_intent):
    """Zoe has acted last and works on nothing, ada on one open intent of two, bob on two; carl has never acted."""
    for title, names, status in (
        ("First", ["ada", "bob"], "active"),
        ("Second", ["bob", "carl"], "active"),
        ("Third", ["ada"], "completed"),
    ):
        intent = make_intent(title=title, assign=names)
        set_status(api, intent, status)
    for name in ("bob", "ada", "Zoe"):
        agent(name).post("/intents", {"title": f"By {name}"})


@pytest.mark.parametrize(
    ("ordering", "expected", "direction"),
    [
        ("", ["Zoe", "ada", "bob", "carl"], {"Last active": "descending"}),
        ("-seen_at", ["Zoe", "ada", "bob", "carl"], {"Last active": "descending"}),
        ("seen_at", ["bob", "ada", "Zoe", "carl"], {"Last active": "ascending"}),
        ("id", ["ada", "bob", "carl", "Zoe"], {"Agent": "ascending"}),
        ("-id", ["Zoe", "carl", "bob", "ada"], {"Agent": "descending"}),
        ("-open", ["bob", "ada", "carl", "Zoe"], {"Open intents": "descending"}),
        ("open", ["Zoe", "ada", "carl", "bob"], {"Open intents": "ascending"}),
    ],
)
def test_agents_are_sorted_by_the_column_that_was_chosen(person, agents, ordering, expected, direction):
    vera = person("viewer")

    assert [each for each in rows(vera, AGENTS, ordering=ordering) if each != "dev-user"] == expected
    assert sorted_by(vera.get(AGENTS, {"ordering": ordering}).text) == direction


def test_the_order_of_agents_goes_with_search_and_pages(person, agents, monkeypatch):
    monkeypatch.setattr("console.agents.pages.PAGE_SIZE", 1)
    vera = person("viewer")

    page = vera.get(AGENTS, {"ordering": "-id", "q": "a"}).text

    assert rows(vera, AGENTS, ordering="-id", q="a", p="2") == ["ada"]
    assert '<input type="hidden" name="ordering" value="-id">' in page
    assert {*unescape(re.search(r'rel="next" href="\?([^"]*)', page)[1]).split("&")} == {"ordering=-id", "q=a", "p=2"}
    assert headings(page)["Open intents"][1] == "q=a&ordering=-open"
