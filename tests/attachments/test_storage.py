"""Storage of bytes through crashes, races and losses (rules T-2 to T-4)."""

import os
import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.db import transaction

from attachments import blob_store, services
from attachments.blob_store import Upload
from attachments.models import Attachment, Blob
from attachments.storage import FolderStorage
from core import env
from tests.attachments.conftest import PDF, digest, get_content, stored_files

NAME = f"{digest(PDF)[:2]}/{digest(PDF)}"
LONG_AGO = time.time() - 2 * 24 * 3600


def age(path: Path) -> None:
    os.utime(path, (LONG_AGO, LONG_AGO))


def everything_forgotten() -> int:
    return services.delete_orphans(blob_store.FOLDERS)


@pytest.mark.rule("T-3")
def test_bytes_without_a_row_are_deleted_after_a_day(db, folder):
    blob_store.store(Upload.from_file(ContentFile(PDF)))
    assert (everything_forgotten(), stored_files(folder)) == (0, [digest(PDF)])

    age(folder / NAME)

    assert (everything_forgotten(), stored_files(folder)) == (1, [])


def test_bytes_with_a_row_are_kept_at_any_age(attach, make_intent, folder):
    attach(make_intent())
    age(folder / NAME)

    assert (everything_forgotten(), stored_files(folder)) == (0, [digest(PDF)])


def test_partial_files_are_deleted_after_a_day(db, folder):
    half = folder / f"{NAME}.0011223344556677.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"ha")
    everything_forgotten()
    assert half.exists()

    age(half)
    everything_forgotten()

    assert not half.exists()


def test_housekeeping_reads_some_folders_per_run(db, folder, monkeypatch):
    seen = []
    monkeypatch.setattr(FolderStorage, "listdir", lambda self, path: seen.append(path) or ([], []))

    services.delete_orphans()

    assert len(set(seen)) == blob_store.FOLDERS_PER_RUN


def test_interrupted_upload_leaves_no_file(folder):
    class Broken(ContentFile):
        def chunks(self, chunk_size=None):
            yield b"half"
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        blob_store.storage().save(NAME, Broken(PDF))

    assert stored_files(folder) == []


def test_bytes_deleted_between_upload_and_row_are_stored_again(api, attach, make_intent, folder, monkeypatch):
    lock = services._lock

    def someone_removes_them_first(name):
        if path := [path for path in folder.rglob(name) if not Blob.objects.exists()]:
            path[0].unlink()
        lock(name)

    monkeypatch.setattr(services, "_lock", someone_removes_them_first)

    attachment = attach(make_intent()).json()

    assert get_content(api, attachment).body == PDF


def test_bytes_attached_again_before_deletion_are_kept(api, attach, make_intent, folder, django_capture_on_commit_callbacks):
    intent = make_intent()
    attachment = attach(intent).json()
    with django_capture_on_commit_callbacks() as callbacks:
        api.delete(f"/intents/{intent['id']}/attachments/{attachment['id']}")
    again = attach(intent).json()

    for callback in callbacks:
        callback()

    assert get_content(api, again).body == PDF


def test_attachment_is_removed_even_if_its_bytes_cannot_be_deleted(
    api, attach, make_intent, folder, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    intent = make_intent()
    attachment = attach(intent).json()

    def refuses(self, name):
        raise OSError("read-only")

    monkeypatch.setattr(FolderStorage, "delete", refuses)
    with django_capture_on_commit_callbacks(execute=True):
        answer = api.delete(f"/intents/{intent['id']}/attachments/{attachment['id']}")

    assert answer.status_code == 204
    assert "read-only" in caplog.text
    transaction.set_rollback(False)  # What failed was a transaction of its own, but for this test's being one around it.
    assert not Attachment.objects.exists()
    monkeypatch.undo()
    assert stored_files(folder) == [digest(PDF)]


@pytest.mark.rule("T-3")
def test_storage_is_configured_by_the_environment(monkeypatch, tmp_path):
    sqlite = {"ENGINE": "core.db.backends.sqlite", "NAME": f"{tmp_path}/a.db"}
    postgresql = {"ENGINE": "core.db.backends.postgresql", "NAME": "openintent"}
    monkeypatch.chdir(tmp_path)

    assert env.attachments(sqlite)["OPTIONS"]["location"] == tmp_path / "a.db.attachments"
    assert env.attachments(postgresql)["OPTIONS"]["location"] == tmp_path / "openintent.attachments"
    monkeypatch.setenv("OPENINTENT_ATTACHMENTS_DIR", str(tmp_path / "files"))
    assert env.attachments(postgresql)["OPTIONS"]["location"] == tmp_path / "files"
    (tmp_path / "files").write_text("")
    with pytest.raises(ImproperlyConfigured, match="is a file"):
        env.attachments(sqlite)

    monkeypatch.setenv("OPENINTENT_ATTACHMENTS_S3_BUCKET", "ours")
    monkeypatch.setenv("OPENINTENT_ATTACHMENTS_S3_REGION", "eu-west-1")
    assert env.attachments(sqlite) == {
        "BACKEND": "attachments.storage.BucketStorage",
        "OPTIONS": {"bucket_name": "ours", "region_name": "eu-west-1"},
    }
