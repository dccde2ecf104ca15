"""Text for a terminal: control characters, length, plurals."""

from __future__ import annotations

from promsnmp.cli.output.text import counted, printable


def test_control_characters_are_escaped() -> None:
    assert printable("é\u202e\n\x1b[2J") == "é\\x202e\\x0a\\x1b[2J"


def test_long_text_is_cut_off() -> None:
    assert printable("x" * 200, longest=200) == "x" * 200
    assert printable("é\u202e\n" + "x" * 500, longest=200) == "é\\x202e\\x0a" + "x" * 189 + "..."


def test_nouns_are_singular_or_plural() -> None:
    assert [counted(number, "packet") for number in (0, 1, 1000)] == ["0 packets", "1 packet", "1,000 packets"]
