"""Reads the values that devices and seeds of a document share: ids, labels, module names, how devices are polled."""

from __future__ import annotations

import re
import uuid

from promsnmp.inventory.document.fields import Fields
from promsnmp.inventory.document.parsing import duration_text, read_milliseconds
from promsnmp.inventory.model import NO_OVERRIDES, PollOverrides
from promsnmp.snmp.operations.get import MAX_GET_OIDS
from promsnmp.snmp.text_encodings import read_encoding

SHORTEST_INTERVAL = 1000
LONGEST_INTERVAL = 86_400_000
"""Milliseconds."""
MAX_REPETITIONS = 10_000
"""More rows than fit into any message."""
OVERRIDE_KEYS = frozenset({"interval", "maxRepetitions", "maxVarbinds", "textEncoding", "unconnected"})

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


def read_overrides(fields: Fields) -> PollOverrides:
    """The overrides of a device or a seed; null counts as absent."""
    if fields.values.keys().isdisjoint(OVERRIDE_KEYS):  # nearly every device
        return NO_OVERRIDES
    is_given = fields.values.get("unconnected") is not None
    return PollOverrides(
        interval=fields.value("interval", read_interval) or 0,
        max_repetitions=fields.integer("maxRepetitions", default=0, low=1, high=MAX_REPETITIONS),
        max_varbinds=fields.integer("maxVarbinds", default=0, low=1, high=MAX_GET_OIDS),
        text_encoding=fields.convert("textEncoding", read_encoding) or "",
        unconnected=fields.flag("unconnected") if is_given else None,
    )


def read_interval(value: object) -> int:
    """Milliseconds of a number of milliseconds, or of text such as ``10s`` or ``5m``. Raises ValueError."""
    milliseconds = read_milliseconds(value)
    if not SHORTEST_INTERVAL <= milliseconds <= LONGEST_INTERVAL:
        shortest, longest = duration_text(SHORTEST_INTERVAL), duration_text(LONGEST_INTERVAL)
        shown = f"{value!r}"[:40]
        raise ValueError(
            f"must be between {shortest} and {longest}, not {shown}; "
            "write a duration such as 10s or 5m, or a number of milliseconds"
        )
    return milliseconds


def overrides_document(overrides: PollOverrides) -> dict[str, object]:
    """What ``read_overrides`` reads: only the keys that have a value."""
    if overrides == NO_OVERRIDES:
        return {}
    document: dict[str, object] = {
        "interval": overrides.interval,
        "maxRepetitions": overrides.max_repetitions,
        "maxVarbinds": overrides.max_varbinds,
        "textEncoding": overrides.text_encoding,
    }
    given = {key: value for key, value in document.items() if value}
    return given if overrides.unconnected is None else given | {"unconnected": overrides.unconnected}
