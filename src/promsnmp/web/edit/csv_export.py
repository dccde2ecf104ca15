"""The devices as CSV (RFC 4180), part by part, so that many devices take no memory.

Spreadsheets run a cell that begins like a formula, and devices choose their names: such a cell gets an apostrophe in
front (OWASP, CSV Injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from promsnmp.inventory.document.parsing import VERSION_NAMES, duration_text
from promsnmp.inventory.modules import effective_modules
from promsnmp.web import text
from promsnmp.web.device_table.rows import Row
from promsnmp.web.sources import Sources

PART_ROWS = 200
"""Rows that are written at once: some two milliseconds."""
MOST_CELL = 32_000
"""Characters of a cell; spreadsheets take 32,767."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Column = Callable[[Sources, Row], str]
COLUMNS: dict[str, Column] = {
    "state": lambda _, row: row.status.state,
    "name": lambda _, row: row.device.sys_name,
    "address": lambda _, row: row.device.primary.endpoint.address if row.device.primary else "",
    "port": lambda _, row: str(row.device.primary.endpoint.port) if row.device.primary else "",
    "version": lambda _, row: VERSION_NAMES[row.device.primary.version] if row.device.primary else "",
    "vendor": lambda _, row: row.vendor,
    "model": lambda _, row: row.model,
    "modules": lambda sources, row: " ".join(effective_modules(row.device, sources.modules)),
    "labels": lambda _, row: "; ".join(f"{name}={value}" for name, value in row.device.labels),
    "location": lambda _, row: row.device.sys_location,
    "contact": lambda _, row: row.device.sys_contact,
    "description": lambda _, row: row.device.sys_descr,
    "sysObjectID": lambda _, row: row.device.sys_object_id,
    "serial numbers": lambda _, row: " ".join(row.device.identifiers.serial_numbers),
    "last poll": lambda _, row: text.timestamp(row.status.at),
    "seconds": lambda _, row: f"{row.status.seconds:.3f}" if row.status.at else "",
    "samples": lambda _, row: str(row.status.samples) if row.status.at else "",
    "interval": lambda _, row: duration_text(row.device.overrides.interval) if row.device.overrides.interval else "",
    "failed components": lambda _, row: str(row.status.health.failed),
    "degraded components": lambda _, row: str(row.status.health.degraded),
    "reason": lambda _, row: row.reason,
    "inventory status": lambda _, row: row.device.status,
    "last seen": lambda _, row: row.device.last_seen or "",
    "replica": lambda sources, row: sources.owner(row.device),
    "id": lambda _, row: row.device.id,
}
"""What the file has, in order."""


def csv_parts(sources: Sources, rows: Sequence[Row]) -> Iterator[bytes]:
    """The file, a head and then PART_ROWS rows at a time; UTF-8 with a mark by which spreadsheets know it."""
    yield b"\xef\xbb\xbf" + _written([list(COLUMNS)])
    for at in range(0, len(rows), PART_ROWS):
        part = rows[at : at + PART_ROWS]
        yield _written([[safe_cell(read(sources, row)) for read in COLUMNS.values()] for row in part])


def safe_cell(value: str) -> str:
    """A cell that no spreadsheet runs, with hidden characters as codes."""
    shown = text.visible(value, MOST_CELL)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) or shown.startswith(_FORMULA) else shown


def _written(rows: Sequence[Sequence[str]]) -> bytes:
    made = io.StringIO()
    csv.writer(made).writerows(rows)
    return made.getvalue().encode()
