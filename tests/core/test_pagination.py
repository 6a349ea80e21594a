"""Lists: any number of pages is the whole list, whatever happens meanwhile (protocol §1 "Lists")."""

import pytest

from intents.models import Status

pytestmark = pytest.mark.database("sqlite", "postgresql")


@pytest.fixture
def world(api, make_intent):
    """A root with five children, each of which waits for the one before; five agents, keys and events more."""
    root = make_intent()
    children: list[dict] = []
    for number in range(5):
        waits = {"depends_on": [children[-1]["id"]]} if children else {}
        children.append(api.post(f"/intents/{root['id']}/children", {"title": f"Part {number}", **waits}).json())
    free = [api.post(f"/intents/{root['id']}/children", {"title": "Free"}).json() for _ in range(3)]
    hub = make_intent(depends_on=[each["id"] for each in free])
    for number in range(5):
        api.post(f"/intents/{root['id']}/agents", {"agent_id": f"agent-{number}"})
        api.post(f"/intents/{[*children, *free][number]['id']}/agents", {"agent_id": "team/bot"})
        api.post("/keys", {"name": f"key {number}", "role": "agent"})
    deep = children[-1]
    for number in range(4):
        deep = api.post(f"/intents/{deep['id']}/children", {"title": f"Below {number}"}).json()
    return {"root": root["id"], "first": children[0]["id"], "hub": hub["id"], "free": free[0]["id"], "deep": deep["id"]}


LISTS = {
    "/intents": "intents",
    "/intents?ordering=created_at": "intents",
    "/intents?ordering=-updated_at": "intents",
    "/intents?ordering=updated_at&status=draft,blocked": "intents",
    "/intents/{root}/children": "intents",
    "/intents/{root}/descendants": "intents",
    "/intents/{deep}/ancestors": "intents",
    "/intents/{hub}/dependencies": "intents",
    "/intents/{free}/dependents": "intents",
    "/intents/{root}/ready": "intents",
    "/intents/{root}/blocked": "intents",
    "/intents/{root}/agents": "agents",
    "/intents/{root}/events": "events",
    "/intents/{root}/events?order=desc": "events",
    "/events": "events",
    "/events?order=desc": "events",
    "/events?agent_id=team%2Fbot": "events",
    "/events?event_type=agent_assigned,intent_created": "events",
    "/agents/team%2Fbot/intents": "intents",
    "/keys": "keys",
}


def pages(api, path, name, limit, between=lambda: None):
    """The pages of a list, one after the other; `between` happens after each."""
    cursor = ""
    while cursor is not None:
        page = api.get(f"{path}{'&' if '?' in path else '?'}limit={limit}&cursor={cursor}").json()
        yield page[name]
        cursor = page["next"]
        between()


@pytest.mark.parametrize("path", LISTS)
def test_pages_of_any_size_are_the_whole_list(api, world, path):
    name, path = LISTS[path], path.format(**world)
    whole = api.get(path).json()
    assert whole["next"] is None

    for limit in range(1, len(whole[name]) + 2):
        walked = list(pages(api, path, name, limit))
        assert [each for page in walked for each in page] == whole[name]
        assert all(len(page) == limit for page in walked[:-1])
        assert walked[-1] or not whole[name]


@pytest.mark.parametrize("ordering", ["created_at", "-created_at"])
def test_rows_added_between_pages_are_neither_repeated_nor_hidden(api, make_intent, ordering):
    before = [make_intent()["id"] for _ in range(6)]

    walked = []
    for page in pages(api, f"/intents?ordering={ordering}", "intents", 2, make_intent):
        walked += [each["id"] for each in page]
        if len(walked) > 40:
            break  # In this direction new ones keep coming.

    assert len(walked) == len(set(walked))
    assert set(before) <= set(walked)


def test_an_offset_leaves_out_the_first(api, make_intent):
    for _ in range(5):
        make_intent()
    everything = api.get("/intents").json()["intents"]

    page = api.get("/intents", offset=2, limit=2).json()

    assert page["intents"] == everything[2:4]
    assert api.get("/intents", cursor=page["next"]).json()["intents"] == everything[4:]
    assert api.get("/intents", offset=99).json() == {"intents": [], "next": None}


def test_without_a_limit_a_page_has_a_hundred(api, make_intent):
    intent = make_intent()
    api.post(f"/intents/{intent['id']}/events/batch", {"events": [{"event_type": "comment"}] * 150})

    page = api.get(f"/intents/{intent['id']}/events").json()

    assert (len(page["events"]), page["next"] is None) == (100, False)
    assert len(api.get(f"/intents/{intent['id']}/events", limit=1000).json()["events"]) == 151


# --- filters and orders of /intents ----------------------------------------------------------------------------------


def titles(api, **query):
    return sorted(each["title"] for each in api.get("/intents", **query).json()["intents"])


@pytest.fixture
def shelf(api, agent, make_intent):
    agent("ada").post("/intents", {"title": "By Ada", "assign": ["bob"]})
    parent = make_intent(title="Active parent", status="active", assign=["bob", "eve"])
    make_intent(title="A child", parent_intent_id=parent["id"], description="Look into 100% of the ÄPFEL")
    make_intent(title="Completed", status="completed")
    return parent


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "active"}, ["Active parent"]),
        ({"status": "active,completed"}, ["Active parent", "Completed"]),
        ({"status": Status.ABANDONED}, []),
        ({"created_by": "ada"}, ["By Ada"]),
        ({"created_by": "ad"}, []),
        ({"agent_id": "bob"}, ["Active parent", "By Ada"]),
        ({"agent_id": "eve", "status": "active"}, ["Active parent"]),
        ({"agent_id": "eve", "status": "draft"}, []),
        ({"q": "parent"}, ["Active parent"]),
        ({"q": "LOOK INTO"}, ["A child"]),
        ({"q": "100%"}, ["A child"]),
        ({"q": "%"}, []),
        ({"q": "_"}, []),
        ({"q": "' OR 1=1 --"}, []),
    ],
)
def test_filters_narrow_the_list(api, shelf, query, found):
    assert titles(api, **query) == found


def test_children_are_found_by_their_parent(api, shelf):
    assert titles(api, parent_intent_id=shelf["id"]) == ["A child"]


def test_changes_are_found_by_their_time(api, shelf):
    newest = api.get("/intents", ordering="-updated_at", limit=1).json()["intents"][0]

    assert titles(api, updated_since=newest["updated_at"]) == [newest["title"]]
    assert len(titles(api, updated_since="2020-01-01T00:00:00+02:00")) == 4
    assert titles(api, updated_since="2999-01-01T00:00:00") == []


@pytest.mark.parametrize("ordering", ["created_at", "updated_at"])
def test_lists_are_ordered_in_both_directions(api, shelf, ordering):
    upwards = api.get("/intents", ordering=ordering).json()["intents"]

    assert [each[ordering] for each in upwards] == sorted(each[ordering] for each in upwards)
    assert api.get("/intents", ordering=f"-{ordering}").json()["intents"] == upwards[::-1]


def test_by_default_the_newest_comes_first(api, shelf):
    assert api.get("/intents").json() == api.get("/intents", ordering="-created_at").json()
