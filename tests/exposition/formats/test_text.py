"""Pieces of exposition text; compiled and as plain Python."""

from __future__ import annotations

from types import ModuleType

import pytest

from promsnmp.exposition.formats import text as compiled
from tests.support.tools import import_uncompiled


@pytest.fixture(params=["as installed", "plain Python"])
def text(request: pytest.FixtureRequest) -> ModuleType:
    return compiled if request.param == "as installed" else import_uncompiled("promsnmp.exposition.formats.text")


def test_a_sample_is_a_name_its_labels_and_its_value(text: ModuleType) -> None:
    parts: list[bytes] = [b"head"]
    text.samples(parts, b"\nm", [b' {a="1"} ', b" "], [b"1", b"2.5"])
    assert b"".join(parts) == b'head\nm {a="1"} 1\nm 2.5'


def test_labels_and_values_must_be_equally_many(text: ModuleType) -> None:
    with pytest.raises(ValueError, match="labels and values"):
        text.samples([], b"\nm", [b" "], [])


@pytest.mark.parametrize(("page", "lines"), [(b"", 0), (b"a", 0), (b"\n", 1), (b"a\nb\n", 2), (b"\n\n\nx", 3)])
def test_the_newlines_of_a_page_are_counted(text: ModuleType, page: bytes, lines: int) -> None:
    assert text.line_count(page) == lines


@pytest.mark.parametrize(
    ("name", "shown"), [("ifHCInOctets", "ifHCInOctets"), ("a-b.c", "a_b_c"), ("9x", "_9x"), ("a:b", "a:b"), ("é", "_")]
)
def test_a_metric_name_has_only_allowed_characters(text: ModuleType, name: str, shown: str) -> None:
    assert text.metric_name(name) == shown
    assert text.sample_prefix(name) == f"\n{shown}".encode()


def test_a_header_escapes_its_help_and_stays_on_its_lines(text: ModuleType) -> None:
    assert text.header("m", "gauge", 'a \\ "b"\nc') == b'# HELP m a \\\\ "b"\\nc\n# TYPE m gauge'
