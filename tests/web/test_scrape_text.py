"""Samples read back from the text of a page."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.labels import label_text
from promsnmp.web.scrape_text import MOST_LINE, Sample, blocks, matching, samples

PAGE = """# HELP sysUpTime Since when.
# TYPE sysUpTime gauge
sysUpTime 4711
ifInOctets{ifDescr="a \\"b\\"\\\\ \\n c",ifIndex="1"} 12
ifHighSpeed{ifIndex="1"} NaN
other{x="}"} 1
"""


def test_samples_of_wanted_names_have_their_labels_unescaped() -> None:
    found = list(samples([PAGE], ("if",)))
    assert found[0] == Sample(
        "ifInOctets",
        '{ifDescr="a \\"b\\"\\\\ \\n c",ifIndex="1"}',
        {"ifDescr": 'a "b"\\ \n c', "ifIndex": "1"},
        12.0,
    )
    assert [one.name for one in found] == ["ifInOctets", "ifHighSpeed"]
    assert [one.value for one in samples([PAGE], ("sys", "other"))] == [4711.0, 1.0]


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_every_label_comes_back_as_it_was(value: str) -> None:
    line = f"some{label_text({'first': value, 'second': '1'}).decode().rstrip()} 5\n"
    (found,) = samples([line], ("some",))
    assert found.labels == {"first": value, "second": "1"}


def test_lines_are_found_whatever_their_case_and_counted() -> None:
    lines, count = matching(PAGE.splitlines(keepends=True), "IFINDEX", 1)
    assert lines == ['ifInOctets{ifDescr="a \\"b\\"\\\\ \\n c",ifIndex="1"} 12']
    assert count == 2
    assert matching([PAGE], "", 100)[1] == 6
    assert matching([], "", 100) == ([], 0)
    assert matching(["x" * 9 * MOST_LINE], "", 1) == (["x" * MOST_LINE], 1)


@given(st.binary(max_size=60), st.integers(1, 9))
def test_a_page_in_pieces_has_all_its_lines(page: bytes, size: int) -> None:
    pieces = list(blocks(page[at : at + size] for at in range(0, len(page), size)))
    assert all(piece.endswith("\n") for piece in pieces[:-1])
    assert "".join(pieces) == page.decode(errors="replace")
