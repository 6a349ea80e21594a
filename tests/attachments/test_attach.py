"""Adding, listing and removing attachments (RFC-0005)."""

import base64
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from attachments.models import Attachment, Blob
from tests.attachments.conftest import PDF, digest, get_content, stored_files, upload
from tests.conftest import fresh, log


def events(api, intent):
    return api.get(f"/intents/{intent['id']}/events").json()["events"]


@pytest.mark.rule("T-1", "T-4")
def test_base64_upload_is_an_event_and_no_new_version(api, agent, make_intent):
    intent = make_intent()
    body = {
        "filename": "quarterly_analysis.pdf",
        "mime_type": "application/pdf",
        "content_base64": base64.b64encode(PDF).decode(),
        "description": "Q4",
        "metadata": {"pages": 3},
    }

    response = agent("ada").post(f"/intents/{intent['id']}/attachments", body)

    assert response.status_code == 201
    attachment = response.json()
    assert attachment == {
        "id": attachment["id"],
        "intent_id": intent["id"],
        "filename": "quarterly_analysis.pdf",
        "content_type": "application/pdf",
        "size": len(PDF),
        "sha256": digest(PDF),
        "description": "Q4",
        "metadata": {"pages": 3},
        "url": f"/api/v1/intents/{intent['id']}/attachments/{attachment['id']}/content",
        "uploaded_by": "ada",
        "created_at": attachment["created_at"],
    }
    assert (Attachment.objects.count(), fresh(api, intent)["version"]) == (1, 1)
    event = events(api, intent)[-1]
    assert (event["event_type"], event["actor"]) == ("attachment_added", "ada")
    assert event["payload"] == {
        "attachment_id": attachment["id"],
        **{name: attachment[name] for name in ("filename", "content_type", "size", "sha256", "url")},
    }
    assert get_content(api, attachment).body == PDF


@pytest.mark.rule("T-1")
@pytest.mark.parametrize("size", [0, 1, 100_000, 3 * 2**20])
def test_form_upload_is_stored(api, make_intent, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    form = {"file": SimpleUploadedFile("data.bin", content, "application/x-data"), "metadata": '{"a": [1]}', "size": str(size)}

    response = upload(api, make_intent(), form)

    attachment = response.json()
    assert response.status_code == 201, attachment
    assert (attachment["filename"], attachment["content_type"]) == ("data.bin", "application/x-data")
    assert (attachment["size"], attachment["sha256"], attachment["metadata"]) == (size, digest(content), {"a": [1]})
    assert get_content(api, attachment).body == content


def test_form_fields_override_the_filename_and_type(api, make_intent):
    form = {"file": SimpleUploadedFile("upload.tmp", b"a,b", "text/plain"), "filename": "table.csv", "mime_type": "text/csv"}

    attachment = upload(api, make_intent(), form).json()

    assert (attachment["filename"], attachment["content_type"]) == ("table.csv", "text/csv")


def test_form_without_a_type_defaults_to_octet_stream(api, make_intent):
    attachment = upload(api, make_intent(), {"file": SimpleUploadedFile("x", b"a", "")}).json()

    assert attachment["content_type"] == "application/octet-stream"


def test_empty_file_is_attached(api, attach, make_intent):
    attachment = attach(make_intent(), b"").json()

    assert attachment["size"] == 0
    assert get_content(api, attachment).body == b""


def test_file_stored_elsewhere_is_not_copied(api, make_intent, folder):
    intent = make_intent()
    body = {"filename": "model.bin", "storage_url": "s3://bucket/models/1?x=y", "size": 5_000_000_000}

    attachment = api.post(f"/intents/{intent['id']}/attachments", body).json()

    assert (attachment["url"], attachment["size"], attachment["sha256"]) == (body["storage_url"], body["size"], None)
    response = api.get(f"/intents/{intent['id']}/attachments/{attachment['id']}/content")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert body["storage_url"] in response.json()["detail"]
    assert api.delete(f"/intents/{intent['id']}/attachments/{attachment['id']}").status_code == 204
    assert stored_files(folder) == []


def test_list_is_paged_and_limited_to_the_intent(api, attach, make_intent):
    intent = make_intent()
    mine = [attach(intent, filename=f"{number}").json() for number in range(3)]
    attach(make_intent())

    first = api.get(f"/intents/{intent['id']}/attachments", limit=2).json()
    second = api.get(f"/intents/{intent['id']}/attachments", limit=2, cursor=first["next"]).json()

    assert [*first["attachments"], *second["attachments"]] == mine
    assert second["next"] is None


@pytest.mark.rule("T-4")
def test_removal_is_an_event_and_idempotent(api, attach, make_intent):
    intent = make_intent()
    attachment = attach(intent).json()

    answers = [api.delete(f"/intents/{intent['id']}/attachments/{attachment['id']}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert [kind for kind, _ in log(api, intent)].count("attachment_removed") == 1
    assert events(api, intent)[-1]["payload"] == {"attachment_id": attachment["id"], "filename": "report.pdf"}
    assert (Attachment.objects.count(), Blob.objects.count()) == (0, 0)
    assert get_content(api, attachment).status_code == 404


@pytest.mark.rule("T-1", "T-4")
def test_equal_bytes_are_stored_once_and_deleted_with_the_last_attachment(
    api, attach, make_intent, folder, django_capture_on_commit_callbacks
):
    intent, other = make_intent(), make_intent()
    first, second = attach(intent).json(), attach(other, filename="copy.pdf").json()
    assert stored_files(folder) == [digest(PDF)]

    with django_capture_on_commit_callbacks(execute=True):
        api.delete(f"/intents/{intent['id']}/attachments/{first['id']}")
    assert stored_files(folder) == [digest(PDF)]
    assert get_content(api, second).body == PDF

    with django_capture_on_commit_callbacks(execute=True):
        api.delete(f"/intents/{other['id']}/attachments/{second['id']}")
    assert stored_files(folder) == []


@pytest.mark.rule("T-2")
@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", "/etc/passwd", "a\\b", 'say "hi".txt', "Übersicht 📊.pdf", "a" * 255, " ", "CON", "%2e%2e"]
)
def test_filename_is_data_and_the_stored_name_is_the_digest(api, attach, make_intent, folder, name):
    attachment = attach(make_intent(), filename=name).json()

    assert attachment["filename"] == name
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()] == [
        f"{digest(PDF)[:2]}/{digest(PDF)}"
    ]
    assert not set('/\\"\r\n') & set(get_content(api, attachment)["Content-Disposition"].partition("filename*=")[2])


def test_idempotency_key_attaches_once_in_json_and_in_a_form(api, make_intent):
    intent = make_intent()
    path = f"/intents/{intent['id']}/attachments"
    body = {"filename": "a", "content_base64": "YWJj"}
    json = [api.post(path, body, idempotency_key="k1") for _ in range(2)]
    forms = [
        api.client.generic(
            "POST",
            f"/api/v1{path}",
            f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc{extra}\r\n--{line}--\r\n'.encode(),
            f"multipart/form-data; boundary={line}",
            headers={**api.headers, "Idempotency-Key": "k2"},
        )
        for line, extra in (("one", ""), ("two", ""), ("three", "d"))
    ]

    assert [answer.status_code for answer in (*json, *forms)] == [201, 201, 201, 201, 422]
    assert json[0].content == json[1].content
    assert forms[0].content == forms[1].content
    assert forms[1]["Idempotency-Replayed"] == "true"
    assert Attachment.objects.count() == 2


def test_lost_lease_prevents_attaching_and_removing(api, attach, make_intent):
    intent = make_intent()
    attachment = attach(intent).json()
    path = f"/intents/{intent['id']}/attachments"
    before = log(api, intent)

    added = api.post(path, {"filename": "a", "content_base64": ""}, x_fencing_token="7")
    removed = api.delete(f"{path}/{attachment['id']}", x_fencing_token="7")

    assert [answer.json()["code"] for answer in (added, removed)] == ["lease_lost"] * 2
    assert (Attachment.objects.count(), log(api, intent)) == (1, before)


def test_upload_of_any_file_object_works(api, make_intent):
    assert upload(api, make_intent(), {"file": io.BytesIO(b"abc"), "filename": "x"}).status_code == 201


def test_console_removes_attachments(api, attach, make_intent, admin_client):
    intent = make_intent()
    attachment = attach(intent).json()

    chosen = {"action": "remove", "confirmed": "yes", "_selected_action": [attachment["id"]]}
    admin_client.post("/admin/attachments/attachment/", chosen)

    assert log(api, intent)[-1] == ("attachment_removed", "user:admin")
    assert not Attachment.objects.exists()
