# cython: language_level=3, boundscheck=True, wraparound=False
"""Writes text format 0.0.4: samples from pieces that exist already.

``samples`` is a hot loop like those of ``snmp/ber.py``, and compiled like them. A sample is three pieces, made
elsewhere and not copied until the page is joined: the family's name, the row's labels, the value's digits.
"""

from __future__ import annotations

from functools import lru_cache

try:
    import cython
except ImportError:
    from promsnmp import uncompiled as cython  # type: ignore[no-redef]  # the same names

if cython.compiled:
    from cython.cimports.libc.string import memchr  # type: ignore[import-untyped]  # Cython's own

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CONTENT_TYPE_1 = "text/plain; version=1.0.0; charset=utf-8"


def samples(parts: list[bytes], name: bytes, labels: list[bytes], values: list[bytes]) -> None:
    """Appends one sample per row to ``parts``; ``name`` starts with the newline that ends the previous line."""
    at: cython.Py_ssize_t
    count: cython.Py_ssize_t = len(values)
    if count != len(labels):
        raise ValueError("labels and values must be equally many")
    for at in range(count):
        parts.append(name)
        parts.append(labels[at])
        parts.append(values[at])


def line_count(page: bytes) -> int:
    """How many newlines a page has; ``bytes.count`` of Python 3.11 takes several times as long."""
    if not cython.compiled:
        return page.count(b"\n")
    lines: cython.Py_ssize_t = 0
    octets: cython.p_uchar = page
    end: cython.p_uchar = octets + len(page)
    found: cython.p_uchar
    while True:
        found = cython.cast(cython.p_uchar, memchr(octets, 10, end - octets))
        if not found:
            return lines
        lines += 1
        octets = found + 1


def metric_name(name: str) -> str:
    """``name`` with every character that is not allowed in a metric name replaced by ``_``."""
    out = "".join(one if one.isascii() and (one.isalnum() or one in "_:") else "_" for one in name)
    return f"_{out}" if out[:1].isdigit() else out


@lru_cache(maxsize=4096)
def sample_prefix(name: str) -> bytes:
    """The first piece of a sample: the newline that ends the previous line, and the family's name."""
    return f"\n{metric_name(name)}".encode()


def escape_help(text: str) -> str:
    """HELP text of format 0.0.4: backslash and newline are escaped."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


@lru_cache(maxsize=4096)
def header(name: str, kind: str, help_text: str) -> bytes:
    """HELP and TYPE lines of a family, without the newline at the end."""
    return f"# HELP {name} {escape_help(help_text)}\n# TYPE {name} {kind}".encode()
