"""Agents: what each holds, does and costs."""

import re

import pytest

from console.agents import pages
from tests.conftest import set_status


@pytest.fixture
def busy(api, agent, make_intent):
    """ada holds a lease, works on two, has spent and failed, and asks."""
    ada = agent("ada")
    first, second = (make_intent(title=f"Work {number}", status="active") for number in (1, 2))
    for intent in (first, second):
        api.post(f"/intents/{intent['id']}/agents", {"agent_id": "ada"})
    ada.post(f"/intents/{first['id']}/leases", {"scope": "text"})
    ada.post(f"/intents/{first['id']}/costs", {"agent_id": "ada", "cost_type": "tokens", "amount": 0.25, "unit": "USD"})
    ada.post(f"/intents/{first['id']}/failures", {"agent_id": "ada", "error_type": "timeout", "error_message": "<i>slow</i>"})
    ada.post(f"/intents/{first['id']}/arbitrate", {"reason": "May I?"})
    set_status(api, second, "completed")
    return first


def row(page, name):
    return re.search(rf"<tr>(?:(?!</tr>).)*>{re.escape(name)}</a>.*?</tr>", page, re.DOTALL)[0]


def test_the_list_has_whoever_was_assigned_held_spent_or_acted(person, api, agent, busy, make_intent):
    api.post(f"/intents/{busy['id']}/agents", {"agent_id": "only/assigned"})
    agent("only-acted").post("/intents", {"title": "Mine"})

    page = person("viewer").get("agents/").text

    ada = row(page, "ada")
    for words in ("1 completed", "1 active", "1 active lease", "$0.25", "active <time"):
        assert words in ada
    assert "no activity yet" in row(page, "only/assigned")
    assert "no intents assigned" in row(page, "only-acted")
    assert ">system</a>" not in page
    assert "user:" not in re.sub(r"<nav.*?</nav>", "", page, flags=re.DOTALL)


def test_agents_are_searched_by_id(person, busy):
    vera = person("viewer")

    assert ">ada</a>" in vera.get("agents/", {"q": "AD"}).text
    assert "No agents match" in vera.get("agents/", {"q": "<zoe>"}).text


def test_a_page_has_what_the_agent_holds_does_asks_and_fails_at(person, busy):
    page = person("viewer").get("agents/ada/").text

    for words in ("<b>1</b> open intent", "<b>1</b> active lease", "<code>text</code>", "May I?", "timeout", "Work 1", "$0.25"):
        assert words in page
    assert "<i>slow</i>" not in page
    assert 'data-follow="/admin/follow?agent=ada"' in page


@pytest.mark.parametrize("name", ["a/b c", "tim@éàü", "<script>"])
def test_any_name_has_its_page(person, api, busy, name):
    assert api.post(f"/intents/{busy['id']}/agents", {"agent_id": name}).status_code in (200, 201)
    vera = person("viewer")
    link = re.search(r'href="(/admin/agents/(?!ada)[^"?]+)"', re.sub(r"dev-user", "ada", vera.get("agents/").text))[1]

    page = vera.client.get(link)

    assert page.status_code == 200
    assert '<h2 class="oi-head-title"><script>' not in page.text


def test_of_whom_nothing_is_known_there_is_no_page(person, busy):
    assert person("viewer").get("agents/nobody/").status_code == 404


def test_agent_pages_need_a_role(person, client, busy):
    nora = person(None, "nora")

    for path in ("agents/", "agents/ada/"):
        assert nora.get(path).status_code in (302, 403)
        assert client.get(f"/admin/{path}").status_code == 302


def test_agent_without_recent_activity_is_marked_so(person, api, busy, make_intent, monkeypatch):
    monkeypatch.setattr(pages, "RECENT_EVENTS", 3)
    for number in range(4):
        make_intent(title=f"Noise {number}")

    assert "last active over <time" in row(person("viewer").get("agents/").text, "ada")


def test_the_pages_cost_the_same_queries_whatever_there_is(person, api, agent, busy, make_intent):
    vera = person("viewer")

    def costs():
        return [vera.queries(path) for path in ("agents/", "agents/ada/")]

    before = costs()
    for number in range(8):
        intent = make_intent(title=f"More {number}", assign=["ada"])
        api.post(f"/intents/{intent['id']}/agents", {"agent_id": f"agent-{number}"})
        agent("ada").post(f"/intents/{intent['id']}/leases", {"scope": "text"})

    assert costs() == before
    assert max(before) <= 16


def test_assigned_intents_show_role_and_assigner(person, api, make_intent):
    intent = make_intent(title="Shared", assign=["bob"])
    api.post(f"/intents/{intent['id']}/agents", {"agent_id": "ada", "role": "reviewer"})

    page = person("viewer").get("agents/ada/").text

    assert re.search(r">Shared</a><p class=.oi-row-meta.>reviewer, assigned by <a [^>]*>dev-user</a>", page)
    assert "worker, assigned" not in page
    assert "/admin/intents/intent/?agent=ada" in page


@pytest.mark.parametrize("trace", ["attachments", "failures"])
def test_agent_known_only_by_old_records_has_a_page(person, agent, make_intent, monkeypatch, trace):
    body = {"attachments": {"filename": "a", "content_base64": ""}, "failures": {"error_type": "timeout"}}[trace]
    intent = make_intent()
    assert agent("ada").post(f"/intents/{intent['id']}/{trace}", body).status_code == 201
    monkeypatch.setattr(pages, "RECENT_EVENTS", 1)
    make_intent()

    assert person("viewer").get("agents/ada/").status_code == 200
    assert person("viewer", "vic").get("agents/nobody/").status_code == 404


def test_heading_of_a_page_leads_back_to_the_list(person, busy):
    heading = person("viewer").get("agents/ada/").text.partition("<h1")[2].partition("</h1>")[0]

    assert re.findall(r">([^<>]+)</(?:a|span)>", heading) == ["Agents", "chevron_right", "ada"]
