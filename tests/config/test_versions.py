"""`ETag` on what has a version, `If-Match` on what needs one (protocol §1 "Versions")."""

import pytest

WRITES = {
    "details": ("PATCH", "", {"title": "New"}),
    "state": ("POST", "/state", {"state": {"a": 1}}),
    "status": ("POST", "/status", {"status": "active"}),
}


def test_reading_and_creating_answer_the_version(api):
    created = api.post("/intents", {"title": "Do it"})
    read = api.get(f"/intents/{created.json()['id']}")

    assert created.headers["ETag"] == read.headers["ETag"] == '"1"'
    assert created.headers["Location"] == f"/api/v1/intents/{created.json()['id']}"


@pytest.mark.rule("I-2")
@pytest.mark.parametrize("given", ["1", '"1"', " 1 ", '\t"1"'])
@pytest.mark.parametrize("write", WRITES)
def test_both_forms_are_taken_and_the_new_version_is_answered(api, make_intent, given, write):
    method, path, body = WRITES[write]

    response = api.send(method, f"/intents/{make_intent()['id']}{path}", body, if_match=given)

    assert (response.status_code, response.headers["ETag"], response.json()["version"]) == (200, '"2"', 2)


def test_dependencies_answer_the_new_version(api, make_intent):
    intent, other = make_intent(), make_intent()
    path = f"/intents/{intent['id']}/dependencies"

    added = api.post(path, {"depends_on": other["id"]}, version=1)
    removed = api.delete(f"{path}/{other['id']}", version=2)

    assert (added.status_code, added.headers["ETag"]) == (201, '"2"')
    assert (removed.status_code, removed.headers["ETag"]) == (204, '"3"')
