"""Invalid requests of attachments, which store nothing."""

import base64
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from attachments.models import Attachment, Blob
from tests.attachments.conftest import get_content, upload
from tests.conftest import Caller, log

URL = "https://files.example.com/a"
GOOD = {"filename": "a.txt", "content_base64": "YWJj"}
REFERENCE = {"filename": "a.txt", "storage_url": URL, "size": 3}

BAD = {
    "no name": ({"content_base64": "YWJj"}, "filename"),
    "an empty name": ({**GOOD, "filename": ""}, "filename"),
    "a long name": ({**GOOD, "filename": "a" * 256}, "filename"),
    "a name with a newline": ({**GOOD, "filename": "a\r\nX-Evil: 1"}, "filename"),
    "a name that is a number": ({**GOOD, "filename": 7}, "filename"),
    "nothing attached": ({"filename": "a.txt"}, "content_base64"),
    "null bytes": ({**GOOD, "content_base64": None}, "content_base64"),
    "bytes that are no text": ({**GOOD, "content_base64": [1]}, "content_base64"),
    "characters outside of base64": ({**GOOD, "content_base64": "YW*j"}, "content_base64"),
    "base64 of URLs": ({**GOOD, "content_base64": "_-_-"}, "content_base64"),
    "base64 with newlines": ({**GOOD, "content_base64": "YWJj\nYWJj"}, "content_base64"),
    "base64 with letters of another alphabet": ({**GOOD, "content_base64": "YWJé"}, "content_base64"),
    "base64 without padding": ({**GOOD, "content_base64": "YWI"}, "content_base64"),
    "base64 with too much padding": ({**GOOD, "content_base64": "YWJj===="}, "content_base64"),
    "base64 that goes on after its padding": ({**GOOD, "content_base64": "YQ==YQ=="}, "content_base64"),
    "another size": ({**GOOD, "size": 4}, "size"),
    "a size as text": ({**GOOD, "size": "3"}, "size"),
    "another digest": ({**GOOD, "sha256": "0" * 64}, "sha256"),
    "no digest": ({**GOOD, "sha256": "abc"}, "sha256"),
    "no media type": ({**GOOD, "content_type": "pdf"}, "content_type"),
    "a media type with a newline": ({**GOOD, "content_type": "a/b\r\nX: y"}, "content_type"),
    "a media type beyond ASCII": ({**GOOD, "content_type": 'a/b; name="\U00010041é"'}, "content_type"),
    "two types": ({**GOOD, "content_type": "a/b", "mime_type": "a/c"}, "mime_type"),
    "a long description": ({**GOOD, "description": "a" * 10_001}, "description"),
    "metadata that are a list": ({**GOOD, "metadata": []}, "metadata"),
    "an unknown field": ({**GOOD, "file_name": "a"}, "file_name"),
    "bytes and a URL": ({**GOOD, **REFERENCE}, "content_base64"),
    "a URL without a size": ({"filename": "a", "storage_url": URL}, "size"),
    "a negative size": ({**REFERENCE, "size": -1}, "size"),
    "a URL with a password": ({**REFERENCE, "storage_url": "https://me:secret@example.com/a"}, "storage_url"),
    "a URL of a file": ({**REFERENCE, "storage_url": "file:///etc/passwd"}, "storage_url"),
    "a URL of a script": ({**REFERENCE, "storage_url": "javascript:alert(1)"}, "storage_url"),
    "a URL without a host": ({**REFERENCE, "storage_url": "https:///a"}, "storage_url"),
    "a URL with a space": ({**REFERENCE, "storage_url": "https://example.com/a b"}, "storage_url"),
    "a URL with a newline": ({**REFERENCE, "storage_url": "https://example.com/a\n"}, "storage_url"),
    "a list": ([GOOD], ""),
}


@pytest.fixture
def intent(make_intent):
    return make_intent()


@pytest.fixture(autouse=True)
def _nothing_is_written(api, intent):
    before = log(api, intent)
    yield
    assert (Attachment.objects.count(), Blob.objects.count(), log(api, intent)) == (0, 0, before)


@pytest.mark.parametrize("what", BAD)
def test_invalid_json_body_is_refused(api, intent, what):
    body, field = BAD[what]

    response = api.post(f"/intents/{intent['id']}/attachments", body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert field in [error["field"] for error in response.json()["errors"]]
    assert "secret" not in response.content.decode()


FORMS = {
    "no file": ({"filename": "a"}, "file"),
    "a file that is text": ({"file": "abc", "filename": "a"}, "file"),
    "two files": ({"file": [SimpleUploadedFile("a", b"1"), SimpleUploadedFile("b", b"2")]}, "file"),
    "metadata that are no JSON": ({"file": SimpleUploadedFile("a", b"1"), "metadata": "{"}, "metadata"),
    "metadata that are a list": ({"file": SimpleUploadedFile("a", b"1"), "metadata": "[]"}, "metadata"),
    "metadata that are a file": ({"file": SimpleUploadedFile("a", b"1"), "metadata": SimpleUploadedFile("m", b"{}")}, "metadata"),
    "a size that is no number": ({"file": SimpleUploadedFile("a", b"1"), "size": "one"}, "size"),
    "another size": ({"file": SimpleUploadedFile("a", b"1"), "size": "2"}, "size"),
    "an unknown field": ({"file": SimpleUploadedFile("a", b"1"), "colour": "red"}, "colour"),
    "a name with a NUL": ({"file": SimpleUploadedFile("a", b"1"), "filename": "a\0b"}, "filename"),
    "a type that is none": ({"file": SimpleUploadedFile("a", b"1", "nonsense")}, "content_type"),
}


@pytest.mark.parametrize("what", FORMS)
def test_invalid_form_is_refused(api, intent, what):
    form, field = FORMS[what]
    for value in [part for each in form.values() for part in (each if isinstance(each, list) else [each])]:
        if hasattr(value, "seek"):
            value.seek(0)

    response = upload(api, intent, form)

    assert (response.status_code, response.json()["code"]) == (400, "invalid"), response.json()
    assert field in [error["field"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("text", "content_type", "status"),
    [
        (b"", "multipart/form-data", 400),
        (b"nonsense", "multipart/form-data; boundary=x", 400),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"abc", "application/octet-stream", 415),
        (b"{", "application/json", 400),
    ],
)
def test_unreadable_body_is_refused(api, intent, text, content_type, status):
    path = f"/api/v1/intents/{intent['id']}/attachments"

    assert api.client.generic("POST", path, text, content_type, headers=api.headers).status_code == status


def test_too_many_files_are_refused(api, intent):
    many = {f"file{number}": SimpleUploadedFile("a", b"1") for number in range(101)}

    assert upload(api, intent, many).status_code == 400


def test_file_above_the_limit_names_the_limit(api, intent, settings, folder):
    settings.MAX_ATTACHMENT = 1000
    path = f"/intents/{intent['id']}/attachments"

    answers = [
        api.post(path, {"filename": "a", "content_base64": base64.b64encode(b"x" * 1001).decode()}),
        api.post(path, {"filename": "a", "content_base64": base64.b64encode(b"x" * 5000).decode()}),
        upload(api, intent, {"file": SimpleUploadedFile("a", b"x" * 1001)}),
    ]

    assert [(answer.status_code, answer.json()["code"], answer.json()["limit"]) for answer in answers] == [
        (413, "too_large", 1000)
    ] * 3
    assert not folder.exists()


def test_metadata_has_its_own_limit(api, intent, settings):
    response = api.post(f"/intents/{intent['id']}/attachments", {**GOOD, "metadata": {"a": "x" * settings.MAX_EVENT_PAYLOAD}})

    assert (response.status_code, response.json()["limit"]) == (413, settings.MAX_EVENT_PAYLOAD)


@pytest.mark.parametrize("intent_id", [str(UUID(int=0)), "nothing"])
def test_unknown_intent_accepts_no_attachment(api, intent_id, folder):
    path = f"/intents/{intent_id}/attachments"

    assert api.post(path, GOOD).status_code == 404
    assert api.get(path).status_code == 404
    assert api.delete(f"{path}/{uuid4()}").status_code == 404
    assert api.get(f"{path}/{uuid4()}/content").status_code == 404
    assert not folder.exists()


def test_malformed_ids_are_not_found(api, intent):
    assert api.delete(f"/intents/{intent['id']}/attachments/nothing").status_code == 404
    assert api.get(f"/intents/{intent['id']}/attachments/nothing/content").status_code == 404


def test_observer_reads_and_attaches_nothing(api, intent, folder):
    observer = Caller(api.post("/keys", {"name": "watcher", "role": "observer"}).json()["key"])
    path = f"/intents/{intent['id']}/attachments"

    assert observer.post(path, GOOD).json()["code"] == "forbidden"
    assert observer.delete(f"{path}/{uuid4()}").json()["code"] == "forbidden"
    assert observer.get(path).json() == {"attachments": [], "next": None}
    assert not folder.exists()


def test_request_without_a_key_gets_nothing(api, intent):
    path = f"/api/v1/intents/{intent['id']}/attachments/{uuid4()}/content"

    assert api.client.get(path).status_code == 401
    assert get_content(api, {"url": f"{path}?download=1"}).json()["errors"][0]["code"] == "unknown_parameter"
