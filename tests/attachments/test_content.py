"""The bytes of an attachment: headers, ranges, conditions (rule T-1)."""

import pytest

from attachments.models import Attachment
from tests.attachments.conftest import digest, get_content

TEN = b"0123456789"
MIDDLEWARE_HEADERS = ("X-Request-ID", "Referrer-Policy")

pytestmark = pytest.mark.rule("T-1")


@pytest.fixture
def attachment(attach, make_intent):
    return attach(make_intent(), TEN, filename="ten.html", content_type="text/html; charset=utf-8").json()


def test_content_is_downloaded_and_never_displayed(api, attachment):
    response = get_content(api, attachment)

    assert (response.status_code, response.body) == (200, TEN)
    assert {name: response[name] for name in response.headers if name not in MIDDLEWARE_HEADERS} == {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": "10",
        "Content-Disposition": "attachment; filename=\"ten.html\"; filename*=UTF-8''ten.html",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
        "ETag": f'"{digest(TEN)}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ('say "hi"; x=y', "attachment; filename=\"say _hi__ x=y\"; filename*=UTF-8''say%20%22hi%22%3B%20x%3Dy"),
        ("../../etc/passwd", "attachment; filename=\".._.._etc_passwd\"; filename*=UTF-8''.._.._etc_passwd"),
        ("..\\x", "attachment; filename=\".._x\"; filename*=UTF-8''.._x"),
        ("..", "attachment; filename=\"attachment\"; filename*=UTF-8''attachment"),
        ("é", "attachment; filename=\"_\"; filename*=UTF-8''%C3%A9"),
    ],
)
def test_hostile_filenames_make_a_safe_header(api, attach, make_intent, name, header):
    attachment = attach(make_intent(), filename=name).json()

    assert get_content(api, attachment)["Content-Disposition"] == header


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-4", 0, 5),
        ("bytes=0-0", 0, 1),
        ("bytes=9-9", 9, 10),
        ("bytes=5-", 5, 10),
        ("bytes=5-1000", 5, 10),
        ("bytes=-3", 7, 10),
        ("bytes=-1000", 0, 10),
        ("BYTES=0-4", 0, 5),
    ],
)
def test_range_request_returns_that_part(api, attachment, asked, begin, end):
    response = get_content(api, attachment, Range=asked)

    assert (response.status_code, response.body) == (206, TEN[begin:end])
    assert response["Content-Range"] == f"bytes {begin}-{end - 1}/10"
    assert response["Content-Length"] == str(end - begin)


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "bytes=4-2", "bytes=-", "bytes=a-b", "lines=0-1", "bytes 0-1", "0-1", "bytes=٣-"]
)
def test_several_or_malformed_ranges_return_the_whole(api, attachment, asked):
    response = get_content(api, attachment, Range=asked)

    assert (response.status_code, response.body) == (200, TEN)
    assert "Content-Range" not in response


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999-"])
def test_range_beyond_the_end_is_refused_with_the_size(api, attachment, asked):
    response = get_content(api, attachment, Range=asked)

    assert (response.status_code, response.json()["code"]) == (416, "range_not_satisfiable")
    assert response["Content-Range"] == "bytes */10"


def test_range_of_an_empty_file_is_refused(api, attach, make_intent):
    attachment = attach(make_intent(), b"").json()

    assert get_content(api, attachment, Range="bytes=0-").status_code == 416
    last = get_content(api, attachment, Range="bytes=-5")
    assert (last.status_code, last.body) == (200, b"")


@pytest.mark.parametrize("given", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_matching_etag_returns_not_modified(api, attachment, given):
    response = get_content(api, attachment, If_None_Match=given.format(digest(TEN)), Range="bytes=0-1")

    assert (response.status_code, response.body) == (304, b"")
    assert response["ETag"] == f'"{digest(TEN)}"'


def test_other_etag_returns_the_content(api, attachment):
    assert get_content(api, attachment, If_None_Match='"other"').status_code == 200


@pytest.mark.parametrize(
    ("given", "status"), [('"{}"', 206), ('W/"{}"', 200), ('"other"', 200), ("Mon, 23 Nov 2026 00:00:00 GMT", 200)]
)
def test_range_is_ignored_if_its_condition_fails(api, attachment, given, status):
    response = get_content(api, attachment, Range="bytes=0-1", If_Range=given.format(digest(TEN)))

    assert response.status_code == status
    assert response.body == (TEN[:2] if status == 206 else TEN)


def test_head_has_the_headers_of_get(api, attachment):
    head, got = get_content(api, attachment, "head", Range="bytes=0-1"), get_content(api, attachment)

    assert (head.status_code, head.body) == (200, b"")
    assert {**head.headers, "X-Request-ID": ""} == {**got.headers, "X-Request-ID": ""}


def test_attachment_of_another_intent_is_not_found(api, attachment, make_intent):
    path = f"/intents/{make_intent()['id']}/attachments/{attachment['id']}"

    assert api.get(f"{path}/content").status_code == 404
    assert api.delete(path).status_code == 204
    assert Attachment.objects.count() == 1


def test_missing_bytes_are_reported_and_logged(api, attachment, folder, caplog):
    for path in folder.rglob(digest(TEN)):
        path.unlink()

    response = get_content(api, attachment)

    assert response.status_code == 404
    assert "missing in the storage" in response.json()["detail"]
    assert attachment["id"] in caplog.text
