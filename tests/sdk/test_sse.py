"""Server-Sent Events are read as the WHATWG's text says, wherever the network cuts them (protocol S-1)."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openintent import _sse
from openintent._sse import Frame, FrameTooLong, Parser

pytestmark = pytest.mark.rule("S-1")


def parsed(*chunks):
    parser = Parser()
    return [frame for chunk in chunks for frame in parser.feed(chunk)]


def test_a_frame_as_the_server_writes_it():
    assert parsed(b'id: 7\nevent: comment\ndata: {"a": 1}\n\n') == [Frame("7", "comment", '{"a": 1}')]


def test_opening_frame_sets_the_retry_delay():
    opening = b'retry: 2000\nid: 3\nevent: connected\ndata: {"position":3}\n\n'

    assert parsed(opening) == [Frame("3", "connected", '{"position":3}', retry=2000)]


def test_heartbeat_advances_the_id_without_data():
    assert parsed(b": nothing new\nid: 12\n\n") == [Frame("12")]


@pytest.mark.parametrize("quiet", [b": a comment\n\n", b"\n\n\r\n\r", b"unknown: field\n\n", b":\n\n"])
def test_comments_and_empty_blocks_are_no_frames(quiet):
    assert parsed(quiet, b"data: x\n\n") == [Frame(data="x")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_with_lf_crlf_or_cr(end):
    assert parsed(end.join([b"id: 1", b"data: a", b"data: b", b"", b"data: c", b"", b""])) == [
        Frame("1", data="a\nb"),
        Frame(data="c"),
    ]


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_no_other_character_ends_a_line(character):
    text = json.dumps({"text": f"one{character}two"}, ensure_ascii=False)

    assert parsed(f"data: {text}\n\n".encode()) == [Frame(data=text)]


def test_frame_ending_in_cr_is_returned_at_once():
    parser = Parser()

    assert parser.feed(b"data: a\r\n\r") == [Frame(data="a")]
    assert parser.feed(b"\ndata: b\r\n\r\n") == [Frame(data="b")]


def test_byte_order_mark_is_skipped_only_at_the_start():
    assert parsed(b"\xef", b"\xbb", b"\xbfdata: a\n\n") == [Frame(data="a")]
    assert parsed(b"\xefx: 1\ndata: a\n\n") == [Frame(data="a")]
    assert parsed(b"data: a\n\n\xef\xbb\xbfdata: b\n\n") == [Frame(data="a")]


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        (b"data:a", Frame(data="a")),
        (b"data:  a", Frame(data=" a")),
        (b"data", Frame(data="")),
        (b"data: a: b", Frame(data="a: b")),
        (b"data: \xff", Frame(data="\ufffd")),
        (b"id: 1\nid: 2\x00", Frame("1")),
        (b"id", Frame("")),
        (b"retry: 1.5\ndata: a", Frame(data="a")),
        (b"retry: \xc2\xb2\ndata: a", Frame(data="a")),
        (b"event:\ndata: a", Frame(data="a")),
    ],
)
def test_frame_fields_are_parsed_by_the_standard(line, frame):
    assert parsed(line + b"\n\n") == [frame]


def test_incomplete_frame_is_discarded():
    assert parsed(b"data: a\n\nid: 2\ndata: b\n") == [Frame(data="a")]


@pytest.mark.parametrize("endless", [b"x", b"data: more\n"])
def test_frame_without_end_is_rejected_at_the_size_limit(endless, monkeypatch):
    monkeypatch.setattr(_sse, "MAX_FRAME_SIZE", 2**16)
    parser = Parser()

    for _ in range(10):
        assert parser.feed(endless * (2**16 // 10 // len(endless))) == []

    with pytest.raises(FrameTooLong):
        parser.feed(endless * 2 * (2**16 // 10 // len(endless)))


LINES = st.sampled_from(
    [
        b"data: a",
        b"data",
        b"data: \xe2\x82\xac",
        b"id: 5",
        b"id: 6",
        b"event: x",
        b": hm",
        b"retry: 9",
        b"",
        b"",
        b"junk",
        b"\xef\xbb\xbf",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=25), st.lists(st.integers(0, 300)), st.booleans())
def test_chunk_boundaries_do_not_matter(lines, cuts, mark):
    stream = (b"\xef\xbb\xbf" if mark else b"") + b"".join(line + end for line, end in lines)
    places = sorted({cut for cut in cuts if cut < len(stream)} | {0, len(stream)})
    pieces = [stream[start:end] for start, end in pairwise(places)]

    assert parsed(*pieces) == parsed(stream) == parsed(*(bytes([byte]) for byte in stream))


@given(st.lists(st.text() | st.integers() | st.lists(st.text(), max_size=3), max_size=10))
def test_any_json_on_one_line_arrives_as_it_was(values):
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    stream = "".join(f"id: {number}\ndata: {text}\n\n" for number, text in enumerate(texts))

    frames = parsed(stream.encode())

    assert [json.loads(frame.data) for frame in frames] == values
    assert [frame.id for frame in frames] == [str(number) for number in range(len(values))]
