"""Encodings of a device's texts: only those of characters, and none that breaks a page."""

from __future__ import annotations

import codecs
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.snmp.text_encodings import ENCODINGS, LONGEST_TEXT, decode, line_of, read_encoding


@given(octets=st.binary(max_size=60), encoding=st.sampled_from(ENCODINGS))
def test_whatever_a_device_sends_can_be_written_as_utf_8(octets: bytes, encoding: str) -> None:
    assert decode(octets, encoding).encode() is not None


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("gbk", "机房"), ("latin-1", "Zürich"), ("utf-16", "Łódź"), ("utf-16-be", "Łódź"), ("cp1251", "Москва")],
)
def test_texts_are_decoded(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding), encoding) == text


def test_octets_of_another_encoding_give_the_replacement_character() -> None:
    assert decode(b"a\xff\xff", "gbk") == "a\ufffd\ufffd"
    assert decode(b"\x98", "cp1251") == "\ufffd"


def test_other_names_mean_the_same_encodings_as_in_python() -> None:
    accepted = {}
    for alias in aliases:
        try:
            accepted[alias] = read_encoding(alias)
        except ValueError:
            continue
    assert len(accepted) > 200
    assert all(codecs.lookup(alias).name == codecs.lookup(name).name for alias, name in accepted.items())


@pytest.mark.parametrize("name", ["rot13", "hex", "base64", "utf-7", "punycode", "idna", "unicode_escape", "x" * 1000])
def test_what_does_not_encode_characters_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="use one of: ascii"):
        read_encoding(name)


@given(octets=st.binary(max_size=2000), encoding=st.sampled_from(("", *ENCODINGS)))
def test_a_line_is_short_and_printable_in_every_encoding(octets: bytes, encoding: str) -> None:
    line = line_of(octets, encoding)
    assert len(line) <= LONGEST_TEXT
    assert not line or line.isprintable()


def test_a_line_has_no_breaks_and_no_control_characters() -> None:
    assert line_of(" 机房\r\n7\0 ".encode("gbk"), "gbk") == "机房 7"
    assert line_of(b"a\xff") == "a\ufffd"
