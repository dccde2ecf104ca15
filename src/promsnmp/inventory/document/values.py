"""Reads the values that devices and seeds of a document share: ids, labels, module names."""

from __future__ import annotations

import re
import uuid

from promsnmp.inventory.document.fields import Fields

_USUAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
"""A UUID in its canonical spelling."""
_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MODULE_NAME = re.compile(r"[^\s,]+\Z")


def read_id(fields: Fields) -> str:
    """The UUID under ``id``; empty when absent."""
    return fields.convert("id", _uuid) or ""


def _uuid(text: str) -> str:
    if _USUAL.match(text):
        return text
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise ValueError("is not a UUID; leave it out to get one") from None


def new_id() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


def read_modules(fields: Fields, key: str) -> tuple[str, ...]:
    """Module names, in order, without duplicates."""
    modules = fields.texts(key)
    for name in modules:
        if not _MODULE_NAME.match(name):
            fields.problem(key, f"{name[:40]!r} is not a module name")
    return modules


def read_labels(fields: Fields) -> tuple[tuple[str, str], ...]:
    """The pairs of ``labels``; names must be valid in Prometheus (prometheus.io, data model)."""
    value = fields.values.get("labels")
    if value is None:
        return ()
    inner = Fields(value, fields.at("labels"), fields.problems)
    for name in inner.values:
        if not _LABEL_NAME.match(name):
            shown = name if name.isprintable() else ascii(name)
            inner.problem(shown[:80], "is not a label name: use letters, digits and _, and do not begin with a digit")
    return tuple((name, inner.text(name)) for name in inner.values)
