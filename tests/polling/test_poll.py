"""A poll requests every object once, however many modules need it; the device counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from promsnmp.modules.catalogue import Catalogue, CatalogueStore
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from tests.support.agents.polled_devices import target_of

TABLE = "1.3.6.1.4.1.9999.1"
ROWS, COLUMNS = 30, 4
OBJECTS = {
    f"{TABLE}.{column}.{row}": ber.encode_integer(100 * column + row)
    for column in range(1, COLUMNS + 1)
    for row in range(1, ROWS + 1)
}
OBJECTS |= {"1.3.6.1.4.1.9999.2.1.0": ber.encode_integer(7), "1.3.6.1.4.1.9999.2.2.0": ber.encode_integer(8)}


def metric(name: str, column: int) -> str:
    return f"{{name: {name}, oid: {TABLE}.{column}, type: gauge, indexes: [{{labelname: row}}]}}"


MODULES = f"""
modules:
  whole: {{walk: [{TABLE}], metrics: [{metric("w", 1)}]}}
  again: {{walk: [{TABLE}], metrics: [{metric("a", 1)}]}}
  above: {{walk: [1.3.6.1.4.1.9999], metrics: [{metric("v", 4)}]}}
  parts: {{walk: [{TABLE}.2, {TABLE}.3], metrics: [{metric("p", 2)}, {metric("q", 3)}]}}
  row: {{walk: [{TABLE}.3.7], metrics: [{metric("r", 3)}]}}
  object: {{get: [{TABLE}.2.5], metrics: [{metric("g", 2)}]}}
  scalar: {{get: [1.3.6.1.4.1.9999.2.1.0], metrics: [{{name: s, oid: 1.3.6.1.4.1.9999.2.1, type: gauge}}]}}
  scalars:
    get: [1.3.6.1.4.1.9999.2.1.0, 1.3.6.1.4.1.9999.2.2.0]
    metrics: [{{name: t, oid: 1.3.6.1.4.1.9999.2.1, type: gauge}}]
  filtered:
    walk: [{TABLE}.2]
    filters: [{{oid: {TABLE}.1, targets: [{TABLE}.2], values: ['^10[12]$']}}]
    metrics: [{metric("f", 2)}]
  filter_walked:
    walk: [{TABLE}.1, {TABLE}.2]
    filters: [{{oid: {TABLE}.1, targets: [{TABLE}.2], values: ['^10[12]$']}}]
    metrics: [{metric("x", 1)}, {metric("f", 2)}]
"""


async def asked(*modules: str) -> tuple[int, int, str]:
    """Requests and varbinds of one poll, counted by the device, and the page."""
    catalogue = Catalogue(read_text(MODULES, source="test").modules, {})
    async with SimulatedAgent(Mib.of(OBJECTS)) as agent:
        collector = Collector(CatalogueStore(catalogue), CollectorOptions())
        deadline = asyncio.get_running_loop().time() + 20
        target = replace(target_of(agent, *modules), timeout=5.0)
        page, problem = await collector.collect(target, deadline=deadline)
        assert problem is None
        return agent.requests, agent.varbinds, page.plain(Format.TEXT).decode()


@pytest.mark.parametrize(
    ("modules", "as_much_as"),
    [
        (("whole", "again"), ("whole",)),
        (("whole", "parts"), ("whole",)),
        (("parts", "whole"), ("whole",)),
        (("parts", "row"), ("parts",)),
        (("whole", "parts", "row", "object", "above"), ("above",)),
        (("above", "scalars", "scalar"), ("above",)),
        (("object", "parts"), ("parts",)),
        (("scalar", "scalars"), ("scalars",)),
        (("filtered", "filter_walked"), ("filtered",)),
    ],
)
async def test_objects_of_several_modules_are_requested_once(
    modules: tuple[str, ...], as_much_as: tuple[str, ...]
) -> None:
    requests, varbinds, page = await asked(*modules)
    assert (requests, varbinds) == (await asked(*as_much_as))[:2]
    for name in modules:
        assert f'promsnmp_module_up{{module="{name}"}} 1' in page


async def test_every_module_has_its_samples_of_shared_objects() -> None:
    _, _, page = await asked("whole", "again", "parts", "row", "object", "scalar", "scalars")
    lines = page.splitlines()
    for name, count in (("w", 30), ("a", 30), ("p", 30), ("q", 30), ("r", 30), ("g", 30)):
        assert sum(line.startswith(f"{name}{{") for line in lines) == count, name
    assert {"s 7", "t 7"} <= set(lines)


async def test_a_filter_reads_only_matching_rows() -> None:
    _, _, page = await asked("filtered")
    assert [line for line in page.splitlines() if line.startswith("f{")] == ['f{row="1"} 201', 'f{row="2"} 202']
    whole, lean = (await asked("parts"))[1], (await asked("filtered"))[1]
    assert lean < whole
