"""Reads samples back from the text of a page, as far as the page of a device shows them.

The text is PromSNMP's own, in the text format of Prometheus (version 0.0.4) or in OpenMetrics: labels are escaped, one
sample a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

MOST_LINE = 1_000
"""Characters of a line that is found."""
MOST_LABELS = 10_000
"""Texts of labels that are remembered: the columns of a table have them in common."""
_LINE = re.compile(r"^([A-Za-z_:][\w:]*)(\{.*\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n"}


class Sample(NamedTuple):
    """One sample; ``key`` is the text of its labels, braces included."""

    name: str
    key: str
    labels: dict[str, str]
    value: float


def blocks(parts: Iterable[bytes]) -> Iterator[str]:
    """A page in pieces of whole lines: a large one is never there as a whole."""
    rest = b""
    for part in parts:
        end = part.rfind(b"\n") + 1
        if end:
            yield (rest + part[:end]).decode(errors="replace")
        rest = part[end:] if end else rest + part
    if rest:
        yield rest.decode(errors="replace")


def samples(text: Iterable[str], prefixes: tuple[str, ...]) -> Iterator[Sample]:
    """The samples whose lines begin with one of ``prefixes``, in order; ``text`` in pieces of whole lines. Samples with
    the same text of labels, as the columns of a table have, share the labels."""
    read: dict[str, dict[str, str]] = {}
    for line in chain.from_iterable(map(_lines, text)):
        if line.startswith(prefixes) and (match := _LINE.match(line)) is not None:
            key = match[2] or ""
            try:
                value = float(match[3])
            except ValueError:
                continue
            labels = read.get(key)
            if labels is None:
                if len(read) == MOST_LABELS:
                    read.clear()
                labels = read[key] = {name: _unescaped(label) for name, label in _LABEL.findall(key)}
            yield Sample(match[1], key, labels, value)


def matching(text: Iterable[str], wanted: str, most: int) -> tuple[list[str], int]:
    """The first ``most`` lines that contain ``wanted``, whatever the case, cut to MOST_LINE, and how many there are;
    ``text`` in pieces of whole lines."""
    folded = wanted.casefold()
    found: list[str] = []
    count = 0
    for piece in text:
        for line in _lines(piece):
            if not folded or folded in line.casefold():
                count += 1
                if len(found) < most:
                    found.append(line[:MOST_LINE])
    return found, count


def _lines(text: str) -> list[str]:
    """Lines end with a newline only: other characters that ``splitlines`` knows may be in labels."""
    return text.rstrip("\n").split("\n") if text else []


def _unescaped(label: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), label) if "\\" in label else label
