"""Display hints of RFC 2579 section 3.1: octets and whole numbers as text."""

from __future__ import annotations

import pytest

from promsnmp.modules.display_hint import MAX_TEXT, integer_by_hint, is_octet_hint, is_valid_hint, octets_by_hint


@pytest.mark.parametrize(
    ("hint", "octets", "text"),
    [
        ("1d.1d.1d.1d", b"\xc0\xa8\x01\x01", b"192.168.1.1"),
        ("1x:", bytes.fromhex("001a2b3c4d5e"), b"00:1A:2B:3C:4D:5E"),
        ("255a", b"Hello", b"Hello"),
        ("255t", "\u00fc".encode(), "\u00fc".encode()),
        ("2d-1d-1d,1d:1d:1d.1d,1a1d:1d", bytes.fromhex("07c8051a0d1e0f022d0400"), b"1992-5-26,13:30:15.2,-4:0"),
        ("2d-1d-1d,1d:1d:1d.1d,1a1d:1d", bytes.fromhex("07c8051a0d1e0f02"), b"1992-5-26,13:30:15.2"),
        ("4d", b"\0\0\1\0", b"256"),
        ("4d", b"\1\0", b"256"),
        ("2o ", b"\0\x08\0\x09", b"10 11"),
        ("16d", b"\1" + bytes(15), str(256**15).encode()),
        ("2x:", b"abcde", b"6162:6364:65"),
        ("1x:1d", b"abc", b"61:9899"),
        ("*1x:/1d.", b"\x02\x0a\x0b\x05\x06", b"0A:0B/5.6"),
        ("*1d.", b"\x02\x0a\x0b\x01\x07", b"10.11.7"),
        ("*1x:/1d", b"\x00\x05", b"/5"),
        ("*2d,", b"\xff\0\1", b"1"),
        ("0a[1d.1d]", b"\1\2\3", b"[1.2]3"),
        ("0aw0ax1d", b"\7", b"wx7"),
        ("1a", b"\0", b"\0"),
        ("1d\u00b0", b"\1\2", "1\u00b02".encode()),
        ("1x:zz", b"a", b"61"),
        ("255a", b"", None),
        ("1x:zz", b"ab", None),
        ("0a.", b"ab", None),
        ("", b"ab", None),
        ("x", b"ab", None),
        ("1", b"ab", None),
        ("d-2", b"ab", None),
        ("200d", bytes(200), None),
    ],
)
def test_octets_are_shown_by_their_octet_formats(hint: str, octets: bytes, text: bytes | None) -> None:
    assert octets_by_hint(hint, octets) == text


def test_the_text_of_a_hint_is_bounded() -> None:
    assert octets_by_hint("*0a-", b"\xff" * 65_000) is None
    longest = octets_by_hint("*0a-", b"\xff" * 1000)
    assert longest is not None
    assert len(longest) < MAX_TEXT


@pytest.mark.parametrize(
    ("hint", "number", "text"),
    [
        ("d", -3, "-3"),
        ("d-2", 1234, "12.34"),
        ("d-2", 5, "0.05"),
        ("d-2", -1234, "-12.34"),
        ("d-0", 7, "7"),
        ("x", 255, "FF"),
        ("x", -255, "-FF"),
        ("o", 8, "10"),
        ("b", 5, "101"),
        ("1x:", 5, None),
        ("d-999", 5, None),
        ("", 5, None),
    ],
)
def test_a_whole_number_is_shown_by_an_integer_format(hint: str, number: int, text: str | None) -> None:
    assert integer_by_hint(hint, number) == text


def test_the_form_of_a_hint_is_known() -> None:
    assert [is_octet_hint(hint) for hint in ("1x:", "d-2", "1x:zz", "")] == [True, False, False, False]
    assert [is_valid_hint(hint) for hint in ("1x:", "d-2", "1x:zz", "")] == [True, True, False, False]
