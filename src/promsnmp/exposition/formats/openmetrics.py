"""Writes OpenMetrics 1.0: only headers, histogram bounds and the end differ from text format 0.0.4.

OpenMetrics requires that a counter's samples end in ``_total``. Names that come from MIBs do not, and a series must
have the same name whichever format Prometheus asks for; so such a counter is of type ``unknown`` here (OpenMetrics 1.0,
section "Unknown"), which allows every name. ``rate()`` and everything else work on it as before.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import lru_cache

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
END = b"# EOF\n"
_ESCAPED = re.compile(r"\\[\\n]")
_QUOTED = re.compile(r'\\["\\n]')
_BOUND = re.compile(rb'([{,])le="(\d+)"} ')
_FLOAT_BOUND = rb'\1le="\2.0"} '
"""OpenMetrics has bounds as floats (section 5.3.5)."""
_EXACT_BOUND = re.compile(rb'([{,])le="(\d+)\.0"} ')
LINES = 256 * 1024
"""Bytes of a histogram's samples that are converted at a time."""


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
    """The pieces of a family's samples, of a histogram each of whole lines, with bounds as OpenMetrics writes them."""
    if kind != "histogram":
        return parts
    return [_BOUND.sub(_FLOAT_BOUND, part) for part in parts]


def from_text(page: bytes) -> Iterator[bytes]:
    """The OpenMetrics form of a page that was rendered in text format 0.0.4, in parts."""
    names = {page[start : page.index(b" ", start)].decode() for start, _ in blocks(page, b"# HELP ")}
    for start, stop in blocks(page, b"# HELP "):
        yield from _family(page[start:stop], names)
    yield END


def to_text(page: bytes) -> Iterator[bytes]:
    """The text format of a page that PromSNMP rendered in OpenMetrics, in parts: the reverse of ``from_text``."""
    page = page.removesuffix(END)
    for start, stop in blocks(page, b"# TYPE "):
        yield from _text_family(page[start:stop])


def blocks(page: bytes, mark: bytes) -> Iterator[tuple[int, int]]:
    """Where the blocks of a page, whose first lines begin with ``mark``, start (behind it) and end (before a newline).

    No copies, for the page may be large.
    """
    start = len(mark) if page.startswith(mark) else 0
    while start:
        at = page.find(b"\n" + mark, start)
        yield start, at if at >= 0 else len(page) - page.endswith(b"\n")
        start = at + 1 + len(mark) if at >= 0 else 0


def head_of(block: bytes) -> tuple[str, str, int]:
    """The two header lines of a block, without what they begin with, and where its samples begin."""
    first = block.index(b"\n")
    second = block.index(b"\n", first + 1)
    return block[:first].decode(), block[first + 1 : second].decode(), second + 1


def _samples(block: bytes, start: int, pattern: re.Pattern[bytes], replacement: bytes) -> Iterator[bytes]:
    """The samples of a histogram with ``pattern`` replaced, some lines at a time; a newline follows the last."""
    while start < len(block):
        stop = block.find(b"\n", start + LINES) + 1 or len(block)
        yield pattern.sub(replacement, block[start:stop])
        start = stop
    yield b"\n"


def _family(block: bytes, names: Container[str]) -> Iterator[bytes]:
    help_line, type_line, start = head_of(block)
    name, _, help_text = help_line.partition(" ")
    kind = openmetrics_type(name, type_line.rsplit(" ", 1)[1], names)
    unescaped = _ESCAPED.sub(lambda found: "\n" if found[0] == "\\n" else "\\", help_text)
    yield b"%b\n" % header(name, kind, unescaped)
    if kind == "histogram":
        yield from _samples(block, start, _BOUND, _FLOAT_BOUND)
    else:
        yield block[start:] + b"\n"


def _text_family(block: bytes) -> Iterator[bytes]:
    type_line, help_line, start = head_of(block)
    name, kind = type_line.split(" ")
    if kind == "counter":
        name = f"{name}_total"
    # of PromSNMP's types only a counter without _total is unknown
    plain_kind = "counter" if kind == "unknown" else kind
    help_text = _QUOTED.sub(lambda found: '"' if found[0] == '\\"' else found[0], help_line.split(" ", 3)[3])
    yield f"# HELP {name} {help_text}\n# TYPE {name} {plain_kind}\n".encode()
    if kind == "histogram":
        yield from _samples(block, start, _EXACT_BOUND, rb'\1le="\2"} ')
    else:
        yield block[start:] + b"\n"
