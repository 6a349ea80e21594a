"""Storage in S3, which moto simulates over HTTP (rule T-3)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from moto.server import ThreadedMotoServer

from attachments import blob_store, services
from attachments.blob_store import Upload
from core import env
from tests.attachments.conftest import PDF, digest, get_content, upload

NAME = f"{digest(PDF)[:2]}/{digest(PDF)}"

pytestmark = [pytest.mark.rule("T-3"), pytest.mark.full]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(endpoint: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "BUCKET": "ours",
        "ENDPOINT": endpoint,
        "REGION": "us-east-1",
        "ACCESS_KEY": "a",
        "SECRET_KEY": "b",
    }.items():
        monkeypatch.setenv(f"OPENINTENT_ATTACHMENTS_S3_{name}", value)
    settings.STORAGES = {**settings.STORAGES, "attachments": env.attachments({})}
    there = boto3.resource(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    ).Bucket("ours")
    there.create()
    yield there
    there.objects.all().delete()
    there.delete()


def keys(bucket: Any) -> list[str]:
    return [each.key for each in bucket.objects.all()]


@pytest.mark.rule("T-1", "T-2", "T-4")
def test_bucket_stores_returns_and_deletes_bytes(api, attach, make_intent, bucket, django_capture_on_commit_callbacks):
    intent = make_intent()
    first, second = attach(intent).json(), attach(intent).json()

    assert keys(bucket) == [NAME]
    assert get_content(api, first).body == PDF
    part = get_content(api, second, Range="bytes=5-7")
    assert (part.status_code, part.body) == (206, PDF[5:8])
    for attachment in (first, second):
        assert keys(bucket) == [NAME]
        with django_capture_on_commit_callbacks(execute=True):
            api.delete(f"/intents/{intent['id']}/attachments/{attachment['id']}")
    assert keys(bucket) == []


def test_large_form_with_a_key_is_stored_in_the_bucket(api, make_intent, bucket):
    content = bytes(range(256)) * 4 * 10_000  # More than one part of S3's.

    response = upload(api, make_intent(), {"file": SimpleUploadedFile("a", content)}, **{"Idempotency-Key": "k"})

    assert response.status_code == 201, response.json()
    assert get_content(api, response.json()).body == content


def test_bucket_handles_empty_and_missing_files(api, attach, make_intent, bucket):
    intent = make_intent()
    empty, lost = attach(intent, b"").json(), attach(intent).json()
    bucket.Object(NAME).delete()

    assert get_content(api, empty).body == b""
    assert get_content(api, lost).status_code == 404


def test_orphans_are_found_in_the_bucket(db, bucket, monkeypatch):
    blob_store.store(Upload.from_file(ContentFile(PDF)))
    assert (services.delete_orphans([*blob_store.FOLDERS[:1], NAME[:2]]), keys(bucket)) == (0, [NAME])

    monkeypatch.setattr(blob_store, "GRACE_PERIOD", timedelta(seconds=-60))

    assert (services.delete_orphans([NAME[:2]]), keys(bucket)) == (1, [])


def test_unreachable_store_raises_os_errors(bucket, settings, monkeypatch):
    bucket.put_object(Key=NAME, Body=PDF)
    assert blob_store.exists(digest(PDF))
    assert not blob_store.exists(digest(b"another"))

    monkeypatch.setenv("OPENINTENT_ATTACHMENTS_S3_BUCKET", "nobodys bucket")
    settings.STORAGES = {**settings.STORAGES, "attachments": env.attachments({})}
    for ask in (lambda: blob_store.exists(digest(PDF)), lambda: blob_store.open_range(digest(PDF), 0, 1)):
        with pytest.raises(OSError, match="attachment store"):
            ask()
