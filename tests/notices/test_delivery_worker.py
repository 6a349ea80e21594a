"""Notice worker in servers: it sends by itself, and is killed between sending and recording."""

import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.subscriptions.test_delivery_worker import execute
from tests.system.concurrent_clients import Http, until

pytestmark = [pytest.mark.full, pytest.mark.rule("H-3")]


def ask_by(http: Http, receiver) -> str:
    """Make a channel to the receiver and ask a question. Return its id."""
    assert http.post("/channels", {"name": "Team", "kind": "webhook", "target": receiver.url}).status == 201
    answer = http.post(f"/intents/{http.create()['id']}/arbitrate", {"reason": "May I?"})
    assert answer.status == 201, answer
    return answer.body["id"]


def notice_of(http: Http, asked: str):
    [notice] = http.get(f"/arbitrations/{asked}/notices").body["notices"]
    return notice


def test_server_tells_of_a_question_by_itself(vendor, tmp_path, receiver):
    with Server(migrated_database(vendor, tmp_path)) as server, Http(server) as http:
        asked = ask_by(http, receiver)

        until(lambda: notice_of(http, asked)["status"] == "sent", "the record of the notice")
        assert receiver.ids == [notice_of(http, asked)["id"]]


def test_killed_worker_s_notice_is_sent_again_under_the_same_id(vendor, tmp_path, receiver):
    database = migrated_database(vendor, tmp_path)
    receiver.hangs.set()
    with Server(database) as server, Http(server) as http:
        asked = ask_by(http, receiver)
        until(lambda: receiver.calls, "the notice")
        server.kill()  # It was sent, and is not recorded.
    receiver.hangs.clear()
    receiver.goes_on.set()
    execute(database, "UPDATE notices_notice SET claimed_until = '2020-01-01 00:00:00+00'")
    with Server(database) as server, Http(server) as http:
        until(lambda: notice_of(http, asked)["status"] == "sent", "the record of the notice")
        assert receiver.ids == [notice_of(http, asked)["id"]] * 2
        assert http.get(f"/arbitrations/{asked}").body["status"] == "pending"
