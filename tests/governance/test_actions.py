"""Digest of an action: the canonical JSON of RFC 8785, by the RFC's own vectors (rule A-10)."""

import hashlib
import struct

import orjson
import pytest
import rfc8785

from governance.actions import digest, first_difference

pytestmark = pytest.mark.rule("A-10")

SORTED = """{
  "\\u20ac": "Euro Sign", "\\r": "Carriage Return", "\\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
  "\\ud83d\\ude00": "Emoji: Grinning Face", "\\u0080": "Control", "\\u00f6": "Latin Small Letter O With Diaeresis"
}"""
"""RFC 8785, section 3.2.3."""

VALUES = r"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
"""RFC 8785, section 3.2.2."""

CANONICAL = (
    r'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'
    + "'"
    + r'B\"\\\\\"/"}'
)

NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555555": "333333333.3333333",
}
"""RFC 8785, appendix B."""


def test_members_are_sorted_by_their_utf16_units():
    names = [*orjson.loads(rfc8785.dumps(orjson.loads(SORTED)))]
    assert names == ["\r", "1", "\x80", "\xf6", "€", "\U0001f600", "\ufb33"]


def test_values_are_written_in_one_way():
    assert rfc8785.dumps(orjson.loads(VALUES)).decode() == CANONICAL
    assert digest(orjson.loads(VALUES)) == hashlib.sha256(CANONICAL.encode()).hexdigest()


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_those_of_ecmascript(bits, text):
    assert rfc8785.dumps(struct.unpack(">d", bytes.fromhex(bits))[0]).decode() == text


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ({"a": 1}, {"a": 1.0}, None),
        ({"a": 1}, {"a": True}, "p.a"),
        ({"a": 0}, {"a": False}, "p.a"),
        ({"a": None}, {}, "p.a"),
        ({"a": "é"}, {"a": "e\u0301"}, "p.a"),
        ({"a": []}, {"a": {}}, "p.a"),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}, None),
        ([1, 2], [2, 1], "p.0"),
        ({"a": 9007199254740991}, {"a": 9007199254740990}, "p.a"),
    ],
)
def test_first_difference_is_named(one, other, where):
    assert first_difference(one, other, "p") == where
