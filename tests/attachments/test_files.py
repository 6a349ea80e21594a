"""Large files through a server process."""

import base64
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from openintent import NotFoundError, OpenIntentClient, ValidationError

from tests.attachments.conftest import digest
from tests.databases import migrated_database
from tests.servers import Server, Started

pytestmark = pytest.mark.full


MIB = 2**20
LARGEST = 25 * MIB
KEY = {"X-API-Key": "dev-user-key"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def server(vendor: str, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = migrated_database(vendor, tmp_path_factory.mktemp("files"))
    with Started(database, OPENINTENT_ATTACHMENTS_DIR=str(kept)) as server:
        yield server


def make(server: Server) -> str:
    """Return the URL of a new intent's attachments."""
    intent = requests.post(f"{server.api}/intents", json={"title": "t"}, headers=KEY, timeout=30).json()
    return f"{server.api}/intents/{intent['id']}/attachments"


def send(url: str, content: Any, **headers: str) -> Any:
    return requests.post(url, files={"file": ("big.bin", content)}, headers={**KEY, **headers}, timeout=60)


def get(server: Server, attachment: dict[str, Any], method: str = "GET", **headers: str) -> Any:
    return requests.request(method, server.url + attachment["url"], headers={**KEY, **headers}, timeout=60)


def files_of(kept: Path, content: bytes) -> list[Path]:
    return [path for path in kept.rglob("*") if path.is_file() and path.name.startswith(digest(content))]


@pytest.mark.rule("T-1", "T-2", "T-3", "T-4")
def test_largest_file_round_trips_and_equal_ones_are_stored_once(server, kept):
    content, url = os.urandom(LARGEST), make(server)

    first, second = send(url, content).json(), send(make(server), content, **{"Idempotency-Key": "k"}).json()

    got = get(server, first)
    assert (got.content == content, got.headers["Content-Length"]) == (True, str(LARGEST))
    part = get(server, second, Range="bytes=1000000-1999999")
    assert (part.status_code, part.content == content[1_000_000:2_000_000]) == (206, True)
    assert part.headers["Content-Length"] == "1000000"
    assert [path.relative_to(kept).as_posix() for path in files_of(kept, content)] == [f"{digest(content)[:2]}/{digest(content)}"]
    for attachment in (first, second):
        assert files_of(kept, content) != []
        assert (
            requests.delete(server.url + attachment["url"].removesuffix("/content"), headers=KEY, timeout=30).status_code == 204
        )
    assert files_of(kept, content) == []


@pytest.mark.rule("T-1")
def test_head_and_not_modified_have_correct_lengths(server):
    attachment = send(make(server), b"0123456789").json()

    head = get(server, attachment, "HEAD")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "10")
    known = get(server, attachment, **{"If-None-Match": head.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert "Content-Length" not in known.headers


def test_file_of_one_byte_above_the_limit_is_refused(server, kept):
    url = make(server)

    as_form = send(url, b"\0" * (LARGEST + 1))
    as_json = requests.post(
        url, json={"filename": "a", "content_base64": base64.b64encode(bytes(LARGEST + 3)).decode()}, headers=KEY, timeout=60
    )
    far_more = send(url, b"\0" * (LARGEST + 20 * MIB))

    assert [(answer.status_code, answer.json()["code"]) for answer in (as_form, as_json, far_more)] == [(413, "too_large")] * 3
    assert [answer.json()["limit"] for answer in (as_form, as_json)] == [LARGEST] * 2
    assert requests.get(url, headers=KEY, timeout=30).json()["attachments"] == []
    assert files_of(kept, bytes(LARGEST + 1)) == []


def test_other_paths_keep_their_limit(server):
    body = {"title": "t", "description": "x" * 11 * MIB}

    answer = requests.post(f"{server.api}/intents", json=body, headers=KEY, timeout=60)

    assert (answer.status_code, answer.json()["limit"]) == (413, 10 * MIB)


def test_memory_stays_flat_with_many_large_files(server, record_property):
    process = psutil.Process(server.process.pid)

    def round_trip() -> None:
        content = os.urandom(LARGEST)
        attachment = send(make(server), content).json()
        with requests.get(server.url + attachment["url"], headers=KEY, stream=True, timeout=60) as response:
            assert sum(len(chunk) for chunk in response.iter_content(MIB)) == LARGEST

    round_trip()
    before = process.memory_info().rss
    peaks = []
    for _ in range(5):
        round_trip()
        peaks.append(process.memory_info().rss)

    grown = (max(peaks) - before) / MIB
    record_property("grown_mib", grown)
    print(f"RSS {before / MIB:.1f} MiB, grown by {grown:.1f} MiB")  # noqa: T201
    assert grown < 10


@pytest.mark.rule("T-1", "T-4")
def test_concurrent_equal_uploads_and_removals_lose_no_bytes(server, kept):
    content = b"the same for everybody"
    urls = [make(server) for _ in range(6)]

    def come_and_go(url: str) -> int:
        for _ in range(15):
            path = send(url, content).json()["url"].removesuffix("/content")
            assert requests.delete(server.url + path, headers=KEY, timeout=30).status_code == 204
        return send(url, content).status_code

    with ThreadPoolExecutor(len(urls)) as pool:
        assert list(pool.map(come_and_go, urls)) == [201] * len(urls)

    for url in urls:
        (attachment,) = requests.get(url, headers=KEY, timeout=30).json()["attachments"]
        assert get(server, attachment).content == content
    assert len(files_of(kept, content)) == 1


@pytest.mark.rule("T-1")
def test_sdk_attaches_lists_fetches_and_removes(server, tmp_path):
    content = os.urandom(12 * MIB)
    with OpenIntentClient(server.url, api_key="dev-user-key") as client:
        intent = client.create_intent(title="t")
        attachment = client.add_attachment(intent.id, "quarterly.pdf", content=content, metadata={"pages": 3})
        other = client.add_attachment(intent.id, filename="m", storage_url="gs://bucket/m", size=7)

        assert (attachment.content_type, attachment.size, attachment.metadata) == ("application/pdf", len(content), {"pages": 3})
        assert client.get_attachments(intent.id) == [attachment, other]
        assert client.get_attachment_content(intent.id, attachment.id) == content
        with pytest.raises(NotFoundError, match="gs://bucket/m"):
            client.get_attachment_content(intent.id, other.id)
        with pytest.raises(ValidationError) as refused:
            client.add_attachment(intent.id, "a", content=bytes(LARGEST + 1))
        assert (refused.value.code, refused.value.response["limit"]) == ("too_large", LARGEST)
        client.delete_attachment(intent.id, attachment.id)
        client.delete_attachment(intent.id, attachment.id)
        assert client.get_attachments(intent.id) == [other]
