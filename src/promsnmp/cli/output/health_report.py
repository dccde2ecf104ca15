"""The health of a device for people: the table of ``promsnmp health``, the report of ``promsnmp explain --health``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from promsnmp.cli.output.tables import PIPE_WIDTH
from promsnmp.cli.output.text import counted, printable
from promsnmp.exposition.health.evaluate import HealthSample
from promsnmp.modules.health.families import KINDS
from promsnmp.polling.explain.health import HealthExplanation

_UNITS = {
    "celsius": "°C",
    "volts": "V",
    "amperes": "A",
    "watts": "W",
    "rpm": "rpm",
    "hertz": "Hz",
    "dbm": "dBm",
    "seconds": "s",
    "bytes": "B",
}
_COLOURS = {"ok": "green", "degraded": "yellow", "failed": "red", "unknown": "dim"}
_WORST_FIRST = ("failed", "degraded", "unknown", "ok")


def _value(family: str, value: float) -> str:
    unit = family.rpartition("_")[2]
    if unit == "ratio":
        return f"{value:.1%}"
    if unit == "bytes":
        return _size(value)
    return f"{value:,.6g} {_UNITS.get(unit, '')}".strip()


def _size(octets: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(octets) < 1024 or unit == "TiB":
            break
        octets /= 1024
    return f"{octets:.4g} {unit}"


class _Row:
    """One component and one kind of reading."""

    def __init__(self, sample: HealthSample) -> None:
        self.kind = sample.kind.key
        self.name = sample.labels.get(sample.kind.label, sample.table.name)
        self.type = sample.labels.get("hw_type", "")
        self.state = ""
        self.values: list[str] = []
        self.limits: list[str] = []

    def add(self, sample: HealthSample) -> None:
        labels = sample.labels
        if sample.kind.key == "status":
            self.state = labels["hw_state"] if sample.value else self.state
        elif "limit_type" in labels:
            self.limits.append(f"{labels['limit_type']} {_value(sample.family, sample.value)}")
        elif sample.family.endswith("_limit_bytes"):
            self.values.append(f"of {_value(sample.family, sample.value)}")
        else:
            direction = f" ({labels['direction']})" if "direction" in labels else ""
            self.values.append(f"{_value(sample.family, sample.value)}{direction}")

    @property
    def order(self) -> tuple[int, int]:
        worst = _WORST_FIRST.index(self.state) if self.state in _WORST_FIRST[:2] else len(_WORST_FIRST)
        return worst, list(KINDS).index(self.kind)


def _rows(samples: Sequence[HealthSample]) -> list[_Row]:
    rows: dict[tuple[object, ...], _Row] = {}
    for one in samples:
        key = one.kind.key, one.definition, one.table.name, one.index, one.reading.id, id(one.reading)
        rows.setdefault(key, _Row(one)).add(one)
    return sorted(rows.values(), key=lambda row: row.order)


def print_health(health: HealthExplanation) -> None:
    """Prints what the device is and a table of its components, those that failed first."""
    is_plain = "NO_COLOR" in os.environ or not sys.stdout.isatty()
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, no_color=is_plain)
    what = " ".join(health.info.get(name, "") for name in ("vendor", "model", "os", "os_version")).split()
    serial = f", serial number {health.info['serial_number']}" if "serial_number" in health.info else ""
    console.print(Text(printable(f"{health.target}: {' '.join(what) or 'unknown device'}{serial}")))
    if health.problem:
        console.print(Text(printable(f"The poll is incomplete: {health.problem}"), style="" if is_plain else "yellow"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("COMPONENT", "READING", "VALUE", "STATE", "LIMITS"):
        table.add_column(heading, overflow="fold")
    rows = _rows(health.samples)
    for row in rows:
        state = Text(row.state, style="" if is_plain else _COLOURS.get(row.state, ""))
        kind = row.type if row.kind == "status" else row.kind.replace("_", " ")
        cells = (row.name, kind, " ".join(row.values), state, ", ".join(row.limits))
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in cells))
    if rows:
        console.print(table)
    else:
        console.print("No readings; promsnmp explain --health says why.")


def report_health(health: HealthExplanation, heading: Callable[[str], str]) -> Iterator[str]:
    """The lines of the report: definitions, where each reading comes from, and why kinds are missing."""
    cost = health.cost
    yield heading(
        f"Health of {health.target}: {counted(cost.sent, 'packet')} sent, {counted(cost.varbinds, 'varbind')}, "
        f"{cost.seconds:.2f} s"
    )
    if health.problem:
        yield f"  The poll is incomplete: {printable(health.problem)}"
    yield from (f"  {name}: {printable(text)}" for name, text in health.info.items())
    yield ""
    yield heading("Definitions that suit the device")
    yield from _aligned(health.definitions) if health.definitions else ["  none"]
    yield ""
    yield heading("Readings, and where they come from")
    rows = []
    for one in health.samples:
        if one.kind.key == "status" and not one.value:
            continue
        name = printable(one.labels.get(one.kind.label, one.table.name))
        value = one.labels.get("hw_state") or _value(one.family, one.value)
        index = ".".join(map(str, one.index))
        rows.append((name, one.family, value, f"{one.definition}, {one.table.name}, row {index}"))
    yield from _aligned(rows) if rows else ["  none"]
    yield ""
    yield heading("Kinds without readings")
    yield from _aligned(list(health.missing.items())) if health.missing else ["  none"]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def health_to_json(health: HealthExplanation) -> dict[str, Any]:
    """The health as JSON values."""
    return {
        "target": health.target,
        "sysObjectID": health.object_id,
        "info": dict(health.info),
        "complete": not health.problem,
        "problem": health.problem,
        "cost": asdict(health.cost),
        "definitions": [{"name": name, "reason": reason} for name, reason in health.definitions],
        "samples": [_sample_to_json(one) for one in health.samples],
        "readings": [asdict(one) for one in health.readings],
        "missing": dict(health.missing),
    }


def _sample_to_json(sample: HealthSample) -> Mapping[str, Any]:
    return {
        "family": sample.family,
        "labels": dict(sample.labels),
        "value": sample.value,
        "kind": sample.kind.key,
        "definition": sample.definition,
        "table": sample.table.name,
        "index": ".".join(map(str, sample.index)),
    }


def echo_report(
    health: HealthExplanation, heading: Callable[[str], str], lines: Callable[[str], Sequence[str]]
) -> None:
    """Prints the report; ``lines`` breaks a line."""
    for line in report_health(health, heading):
        click.echo("\n".join(lines(line.rstrip())))
