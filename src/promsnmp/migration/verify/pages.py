"""A page in the text format 0.0.4 (prometheus.io, exposition formats) as numbers by series."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A name, and pairs of label and value, sorted."""
MAX_SERIES = 1_000_000
_TYPE = re.compile(r"# TYPE (\S+) (\S+)")
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?")
_LABEL = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(slots=True)
class Page:
    """The samples and types of one scrape."""

    samples: dict[Series, float] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def update(self, other: Page) -> None:
        """Adds the samples of another scrape of the same device."""
        self.samples.update(other.samples)
        self.types.update(other.types)


def parse_page(text: str) -> Page:
    """The samples of a page. Raises ValueError when it is not a page of metrics or has over ``MAX_SERIES`` of them."""
    page = Page()
    for line in text.split("\n"):
        if line.startswith("#") or not line:
            if match := _TYPE.fullmatch(line):
                page.types[match[1]] = match[2]
        elif match := _SAMPLE.fullmatch(line):
            labels = tuple(sorted((name, _unescaped(value)) for name, value in _LABEL.findall(match[2] or "")))
            page.samples[match[1], labels] = float(match[3])
            if len(page.samples) > MAX_SERIES:
                raise ValueError(f"the page has more than {MAX_SERIES:,} series")
        else:
            raise ValueError(f"the answer is not a page of metrics: {line[:60]!r}")
    return page


def shown(series: Series, labels: Mapping[str, str] | None = None) -> str:
    """A series as Prometheus writes it."""
    name, pairs = series
    inner = ",".join(f'{label}="{value}"' for label, value in (*pairs, *(labels or {}).items()))
    return f"{name}{{{inner}}}" if inner else name


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], value) if "\\" in value else value
