"""A walk of one device: its objects with names and values, and which module takes which column."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promsnmp.errors import PromSnmpError, UnknownDevice
from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import effective_modules
from promsnmp.polling.explain.unclaimed import group_by_column
from promsnmp.polling.walks.walker import MOST_ROWS, Walked
from promsnmp.snmp import ber, oid
from promsnmp.snmp.varbind_text import type_and_value
from promsnmp.web.browse.module import MOST_COLUMNS, WantedColumn
from promsnmp.web.browse.names import Names
from promsnmp.web.browse.values import ObjectRow, object_rows, value_text
from promsnmp.web.sources import Sources

MOST_TEXT = 200
DEFAULT = "system"


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column that the walk found, with the modules that take it; ``polled``: those that the device is polled for."""

    oid: str
    name: str
    count: int
    example: str
    modules: Sequence[str]
    polled: Sequence[str]
    wanted: WantedColumn


def browse_form(sources: Sources, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """The values of the page before a walk."""
    last = dict(query)
    return {
        "device_text": last.get("device", "")[:MOST_TEXT],
        "oid_text": last.get("oid", "")[:MOST_TEXT] or DEFAULT,
        "error": "",
        "device": None,
        "walked": None,
        "rows": (),
        "columns": (),
        "all_polled": False,
        "root": "",
        "most_rows": MOST_ROWS,
        "has_mibs": bool(sources.mib_folders),
        "mib_problems": (),
        "mib_problem_count": 0,
        "reads_mibs": False,
    }


async def walk_device(sources: Sources, names: Names, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """The values of the page with a walk; ``status`` is 400 when it was not possible."""
    form = {
        **browse_form(sources, query),
        "mib_problems": names.mibs.problems,
        "mib_problem_count": names.mibs.problem_count,
        "reads_mibs": names.mibs.is_reading,
    }
    try:
        device = sources.devices.find(str(form["device_text"]).strip())
        root = await asyncio.to_thread(names.find, str(form["oid_text"]))  # a wrong name is compared with all
        walked = await sources.walk(device, root)
    except (PromSnmpError, UnknownDevice, ValueError) as error:
        return {**form, "error": str(error), "status": 400}
    return {**form, "device": device, "walked": walked, "root": oid.to_text(root)}


def walk_values(sources: Sources, names: Names, form: Mapping[str, object]) -> Mapping[str, object]:
    """``form`` with the rows of its walk. Called in a thread."""
    device, walked = form["device"], form["walked"]
    if not isinstance(device, Device) or not isinstance(walked, Walked):
        return form
    rows: list[ObjectRow] = list(object_rows(walked.varbinds, names))
    polled = set(effective_modules(device, sources.modules))
    columns = _columns(walked.varbinds, names, polled)
    return {**form, "rows": rows, "columns": columns, "all_polled": all(one.polled for one in columns)}


def _columns(varbinds: Sequence[ber.VarBind], names: Names, polled: set[str]) -> list[ColumnRow]:
    found = group_by_column(varbinds, names.pairs())[:MOST_COLUMNS]
    sizes: dict[bytes, set[int]] = {oid.encode(one.oid): set() for one in found}
    for varbind in varbinds:
        for size in range(len(varbind.oid), 0, -1):
            if (key := varbind.oid[:size]) in sizes:
                rest = oid.decode_subids(varbind.oid[size:])
                sizes[key].add(0 if rest in ((0,), ()) else len(rest))
                break
    rows = []
    for one in found:
        column = names.columns.get(oid.encode(one.oid))
        lengths = sizes[oid.encode(one.oid)]
        modules = column.modules if column is not None else []
        is_text = type_and_value(one.example)[0] == "STRING"
        wanted = WantedColumn(one.oid, one.example.tag, next(iter(lengths)) if len(lengths) == 1 else -1, is_text)
        name = column.name if column is not None else ""
        example = value_text(one.example, column)
        rows.append(ColumnRow(one.oid, name, one.count, example, modules, [m for m in modules if m in polled], wanted))
    return rows
