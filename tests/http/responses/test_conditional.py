from __future__ import annotations

import pytest
from fastapi import Request

from promsnmp.errors import DeviceChanged
from promsnmp.http.responses.conditional import precondition_check


def holds(present: str | None, *headers: tuple[str, str]) -> bool:
    """Whether the headers of a request allow a change of a resource with the ETag ``present``."""
    raw = [(name.encode(), value.encode()) for name, value in headers]
    check = precondition_check(Request({"type": "http", "headers": raw}), lambda tag: str(tag))
    try:
        check(present)
    except DeviceChanged:
        return False
    return True


@pytest.mark.parametrize(
    ("header", "present", "expected"),
    [('"a"', '"a"', True), ('"b"', '"a"', False), ('"b", "a"', '"a"', True), ("*", '"a"', True), ("*", None, False),
     ('W/"a"', '"a"', False), ('"a"', None, False), ("", '"a"', False), ("a", '"a"', False), ('"x,"a""', '"a"', False)],
)  # fmt: skip
def test_if_match_compares_strongly(header: str, present: str | None, expected: bool) -> None:
    assert holds(present, ("if-match", header)) is expected


@pytest.mark.parametrize(
    ("header", "present", "expected"),
    [("*", None, True), ("*", '"a"', False), ('"a"', '"a"', False), ('W/"a"', '"a"', False), ('"b"', '"a"', True)],
)
def test_if_none_match_allows_another_version_or_none(header: str, present: str | None, expected: bool) -> None:
    assert holds(present, ("if-none-match", header)) is expected


def test_without_headers_every_change_is_allowed_and_repeated_headers_are_one_list() -> None:
    assert holds('"a"')
    assert holds(None)
    assert holds('"a"', ("if-match", '"b"'), ("if-match", '"a"'))
    assert not holds('"a"', ("if-match", '"a"'), ("if-none-match", "*"))
