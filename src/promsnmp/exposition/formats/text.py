# cython: language_level=3, boundscheck=True, wraparound=False
"""Exposition text: samples put together from pieces that exist already.

``samples`` is the other hot loop beside ``snmp/ber.py`` and is compiled like it. A sample is three pieces, each made
elsewhere and none of them copied until the page is joined: the family's name, the row's labels, the value's digits.
"""

from __future__ import annotations

from functools import lru_cache

try:
    import cython
except ImportError:
    from promsnmp import uncompiled as cython  # type: ignore[no-redef]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def samples(parts: list[bytes], name: bytes, labels: list[bytes], values: list[bytes]) -> None:
    """Appends one sample per row to ``parts``; ``name`` starts with the newline that ends the line before."""
    at: cython.Py_ssize_t
    count: cython.Py_ssize_t = len(values)
    if count != len(labels):
        raise ValueError("as many labels as values")
    for at in range(count):
        parts.append(name)
        parts.append(labels[at])
        parts.append(values[at])


def buckets(parts: list[bytes], name: bytes, bounds: list[bytes], counts: list[int]) -> bytes:
    """Appends one sample per bucket; returns the digits of the last, which counts all observations.

    ``name`` goes up to the label before ``le``, a bound to the blank behind it. ``counts`` are those of each bucket
    alone: the samples add them up.
    """
    at: cython.Py_ssize_t
    count: cython.Py_ssize_t = len(counts)
    some: cython.longlong
    total: cython.longlong = 0
    digits: bytes = b"0"
    if count != len(bounds):
        raise ValueError("as many bounds as counts")
    for at in range(count):
        some = counts[at]
        if some:
            total += some
            digits = b"%d" % total
        parts.append(name)
        parts.append(bounds[at])
        parts.append(digits)
    return digits


def metric_name(name: str) -> str:
    """``name`` with every character that a metric name may not have replaced by ``_``."""
    out = "".join(one if one.isascii() and (one.isalnum() or one in "_:") else "_" for one in name)
    return f"_{out}" if out[:1].isdigit() else out


@lru_cache(maxsize=4096)
def sample_prefix(name: str) -> bytes:
    """The first piece of a sample: the newline that ends the line before, and the family's name."""
    return f"\n{metric_name(name)}".encode()


def escape_help(text: str) -> str:
    """HELP text of format 0.0.4: backslash and newline are escaped."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


@lru_cache(maxsize=4096)
def header(name: str, kind: str, help_text: str) -> bytes:
    """HELP and TYPE lines of a family, without the newline at the end."""
    return f"# HELP {name} {escape_help(help_text)}\n# TYPE {name} {kind}".encode()
