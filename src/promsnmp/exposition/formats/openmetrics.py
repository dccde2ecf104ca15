"""Writes OpenMetrics 1.0: only headers, histogram bounds and the end differ from text format 0.0.4.

OpenMetrics requires that a counter's samples end in ``_total``. Names that come from MIBs do not, and a series must
have the same name whichever format Prometheus asks for; so such a counter is of type ``unknown`` here (OpenMetrics 1.0,
section "Unknown"), which allows every name. ``rate()`` and everything else work on it as before.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import lru_cache

from promsnmp.exposition.utilization.histogram import OPENMETRICS_BOUNDS

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
END = b"# EOF\n"
_FAMILY_NAME = re.compile(rb"^# HELP (\S+)", re.MULTILINE)
_ESCAPED = re.compile(r"\\[\\n]")
_QUOTED = re.compile(r'\\["\\n]')
_BOUND = re.compile(r'([{,])le="(\d+)"} ')
_EXACT_BOUND = re.compile(r'([{,])le="(\d+)\.0"} ')


@lru_cache(maxsize=4096)
def header(name: str, kind: str, help_text: str) -> bytes:
    """TYPE and HELP lines of a family, without the newline at the end; ``kind`` is an ``openmetrics_type``."""
    family = name.removesuffix("_total") if kind == "counter" else name
    escaped = help_text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f"# TYPE {family} {kind}\n# HELP {family} {escaped}".encode()


def openmetrics_type(name: str, kind: str, names: Container[str]) -> str:
    """The type of a family; ``names`` are those of all families: without ``_total`` two may have the same name."""
    return "unknown" if kind == "counter" and name.removesuffix("_total") in names else kind


def sample_parts(kind: str, parts: list[bytes]) -> list[bytes]:
    """The pieces of a family's samples, with bounds as OpenMetrics writes them."""
    if kind != "histogram":
        return parts
    return [OPENMETRICS_BOUNDS.get(part, part) for part in parts]


def from_text(page: bytes) -> Iterator[bytes]:
    """The OpenMetrics form of a page that was rendered in text format 0.0.4, in parts."""
    names = {found[1].decode() for found in _FAMILY_NAME.finditer(page)}
    for block in _split(page, b"# HELP "):
        yield _family(block.decode(), names)
    yield END


def _split(page: bytes, mark: bytes) -> Iterator[bytes]:
    """The blocks of a page whose first lines begin with ``mark``, without it and without the newline at their end.

    One copy at a time, for the page may be large.
    """
    start = len(mark) if page.startswith(mark) else 0
    while start:
        at = page.find(b"\n" + mark, start)
        yield page[start:at] if at >= 0 else page[start:].removesuffix(b"\n")
        start = at + 1 + len(mark) if at >= 0 else 0


def _family(block: str, names: Container[str]) -> bytes:
    help_line, type_line, samples = block.split("\n", 2)
    name, _, help_text = help_line.partition(" ")
    kind = openmetrics_type(name, type_line.rsplit(" ", 1)[1], names)
    if kind == "histogram":
        samples = _BOUND.sub(r'\1le="\2.0"} ', samples)
    unescaped = _ESCAPED.sub(lambda found: "\n" if found[0] == "\\n" else "\\", help_text)
    return b"%b\n%b\n" % (header(name, kind, unescaped), samples.encode())


def to_text(page: bytes) -> Iterator[bytes]:
    """The text format of a page that PromSNMP rendered in OpenMetrics, in parts: the reverse of ``from_text``."""
    for block in _split(page.removesuffix(END), b"# TYPE "):
        yield _text_family(block.decode())


def _text_family(block: str) -> bytes:
    type_line, help_line, samples = block.split("\n", 2)
    name, kind = type_line.split(" ")
    if kind == "histogram":
        samples = _EXACT_BOUND.sub(r'\1le="\2"} ', samples)
    if kind == "counter":
        name = f"{name}_total"
    plain_kind = (
        "counter" if kind == "unknown" else kind
    )  # of PromSNMP's types only a counter without _total is unknown
    help_text = _QUOTED.sub(lambda found: '"' if found[0] == '\\"' else found[0], help_line.split(" ", 3)[3])
    return f"# HELP {name} {help_text}\n# TYPE {name} {plain_kind}\n{samples}\n".encode()
