"""Text for a terminal: control characters, length, plurals."""

from __future__ import annotations

from promsnmp.cli.output.text import counted, hanging, printable


def test_control_characters_are_escaped() -> None:
    assert printable("é\u202e\n\x1b[2J") == "é\\x202e\\x0a\\x1b[2J"


def test_long_text_is_cut_off() -> None:
    assert printable("x" * 200, longest=200) == "x" * 200
    assert printable("é\u202e\n" + "x" * 500, longest=200) == "é\\x202e\\x0a" + "x" * 189 + "..."


def test_nouns_are_singular_or_plural() -> None:
    assert [counted(number, "retry") for number in (1, 2)] == ["1 retry", "2 retries"]
    assert [counted(number, "packet") for number in (0, 1, 1000)] == ["0 packets", "1 packet", "1,000 packets"]


def test_a_long_line_has_a_hanging_indent() -> None:
    text = "  " + "one two three " * 4 + "end"
    assert hanging(text, 30) == [
        "  one two three one two three",
        "      one two three one two",
        "      three end",
    ]
    assert hanging(text, len(text)) == [text]
    assert hanging("", 30) == [""]


def test_a_long_row_of_a_table_goes_on_below_its_last_column() -> None:
    row = "  1.3.6.1   4  a sentence that is longer than the line allows"
    assert hanging(row, 40) == [
        "  1.3.6.1   4  a sentence that is longer",
        "                   than the line allows",
    ]
    assert hanging("  x" + " " * 30 + "far to the right", 40)[1].startswith("      t")


def test_a_word_that_is_longer_than_the_line_stays_whole() -> None:
    sample = 'ifHCInOctets{ifAlias="a-b/c"}'
    assert hanging(f"    {sample} 1", 20) == [f"    {sample}", "        1"]
