"""OpenMetrics 1.0: only headers, histogram bounds and the end differ from text format 0.0.4.

OpenMetrics requires that a counter's samples end in ``_total``. Names that come from MIBs do not, and a series must
have the same name whichever format Prometheus asks for; so such a counter is of type ``unknown`` here (OpenMetrics 1.0,
section "Unknown"), which allows every name. ``rate()`` and everything else work on it as before.
"""

from __future__ import annotations

from functools import lru_cache

from promsnmp.metrics.histogram import OPENMETRICS_BOUNDS

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
END = b"# EOF\n"


@lru_cache(maxsize=4096)
def header(name: str, kind: str, help_text: str) -> bytes:
    """TYPE and HELP lines of a family, without the newline at the end."""
    family = name
    if kind == "counter":
        family = name.removesuffix("_total")
        kind = "unknown" if family == name else kind
    escaped = help_text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f"# TYPE {family} {kind}\n# HELP {family} {escaped}".encode()


def pieces(kind: str, parts: list[bytes]) -> list[bytes]:
    """The pieces of a family's samples, with bounds as OpenMetrics writes them."""
    if kind != "histogram":
        return parts
    return [OPENMETRICS_BOUNDS.get(part, part) for part in parts]


def from_text(page: bytes) -> bytes:
    """The OpenMetrics form of a page that was rendered in text format 0.0.4."""
    families = page.split(b"# HELP ")
    return b"".join((families[0], *map(_family, families[1:]), END))


def _family(block: bytes) -> bytes:
    help_line, type_line, samples = block.split(b"\n", 2)
    name, _, help_text = help_line.decode().partition(" ")
    kind = type_line.decode().rsplit(" ", 1)[1]
    if kind == "histogram":
        for plain, exact in OPENMETRICS_BOUNDS.items():
            samples = samples.replace(plain, exact)
    meant = help_text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
    return header(name, kind, meant) + b"\n" + samples
