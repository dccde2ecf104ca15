"""Rows that were asked for after a trap, on pages of polls: what is replaced, what is not, and for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.observe.counts import PollCounts
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.cache import PageCache
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.pages.row_updates import (
    MAX_NAMES,
    MAX_TARGETS,
    RowUpdate,
    RowUpdates,
    names_on_page,
    row_lines,
    updated_page,
)
from promsnmp.polling.pages.service import PageService
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import VarBind
from tests.support.agents.polled_devices import collector, mib, target_of
from tests.support.exposition.client_model import by_name, start_of

OPER_2 = "1.3.6.1.2.1.2.2.1.8.2"
FAMILIES = [("snmp_trap_total", "counter", "Traps.", [({"trap": "linkDown"}, 3.0)])]
TRAPS = RowUpdate(0.0, {}, FAMILIES, frozenset({"snmp_trap_total"}))


def device_mib(status: int, octets: int = 1000) -> Mib:
    states = {f"1.3.6.1.2.1.2.2.1.8.{port}": ber.encode_integer(1 if port != 2 else status) for port in (1, 2, 12)}
    return Mib.of({**mib(12, lambda port: port * octets).objects, **Mib.of(states).objects})


def answer(value: int, name: str = OPER_2) -> VarBind:
    return VarBind(oid.encode(name), ber.INTEGER, bytes((value,)))


def lines_of(collector: Collector, target: Target, *answers: VarBind) -> Mapping[bytes, Mapping[bytes, bytes]]:
    plan, state = collector.known_plan(target), collector.states.find(target)
    assert plan is not None
    assert state is not None
    return row_lines(plan, state.render_state, answers)


async def page_of(made: Collector, target: Target) -> RenderedPage:
    page, problem = await made.collect(target, deadline=asyncio.get_running_loop().time() + 5)
    assert problem is None
    return page


def differing(before: bytes, after: bytes) -> tuple[set[bytes], set[bytes]]:
    old, new = set(before.splitlines()), set(after.splitlines())
    return old - new, new - old


@pytest.mark.parametrize("body_format", [Format.TEXT, Format.OPENMETRICS])
async def test_one_line_of_the_page_changes_and_the_families_of_traps(body_format: Format) -> None:
    agent, made = SimulatedAgent(device_mib(1)), collector()
    async with agent:
        target = target_of(agent, managed=True)
        page = await page_of(made, target)
        page.gzipped(body_format)
        for other in set(Format) - {body_format}:
            page.compressed.pop(other, None)
        update = replace(TRAPS, lines=lines_of(made, target, answer(2)))
        once = updated_page(page, update)
        twice = updated_page(once, replace(update, families=[]))
    gone, new = differing(page.plain(body_format), once.plain(body_format))
    assert {line.split(b"{")[0] for line in gone} == {b"ifOperStatus"}
    assert len(gone) == 1
    assert [line.rpartition(b" ")[2] for line in new if line.startswith(b"ifOperStatus{")] == [b"2"]
    assert b'snmp_trap_total{trap="linkDown"} 3' in new
    assert differing(once.plain(body_format), twice.plain(body_format))[1] == set()
    assert differing(page.plain(body_format), twice.plain(body_format))[0] == gone
    assert once.plain(body_format).endswith(b"\n# EOF\n" if body_format is Format.OPENMETRICS else b"\n")
    assert b"\n\n" not in once.plain(body_format)
    assert (once.taken_at, once.valid_from) == (page.taken_at, page.valid_from)


async def test_a_page_in_protobuf_gets_the_update_and_keeps_its_starts() -> None:
    agent = SimulatedAgent(device_mib(1))
    made = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions(start_times=True))
    async with agent:
        target = target_of(agent, managed=True)
        page = await page_of(made, target)
        before = by_name(page.plain(Format.PROTOBUF))
        once = updated_page(page, replace(TRAPS, lines=lines_of(made, target, answer(2))))
    assert set(once.compressed) == set(page.compressed)
    after = by_name(once.plain(Format.PROTOBUF))
    assert 2.0 in [metric.gauge.value for metric in after["ifOperStatus"].metric]
    starts = [start_of(metric) for metric in before["ifInOctets"].metric]
    assert [start_of(metric) for metric in after["ifInOctets"].metric] == starts
    assert None not in starts


async def test_counters_unknown_rows_and_rows_with_the_same_labels_stay() -> None:
    agent, made = SimulatedAgent(device_mib(1)), collector()
    async with agent:
        target = target_of(agent, managed=True)
        await page_of(made, target)
        in_octets = VarBind(oid.encode("1.3.6.1.2.1.2.2.1.10.2"), ber.COUNTER32, b"\x7f")
        text = VarBind(oid.encode(OPER_2), ber.OCTET_STRING, b"down")
        assert (
            lines_of(made, target, in_octets, text, answer(2, "1.3.6.1.2.1.2.2.1.8.99"), answer(1, "1.3.6.1.9.1")) == {}
        )
        state = made.states.find(target)
        assert state is not None
        for table in state.render_state.tables.values():
            for known in list(table._by_index):
                table._by_index[known].repeated = (1,)
        assert lines_of(made, target, answer(2)) == {}
        plan = made.known_plan(target)
        assert plan is not None
        names = names_on_page(plan, [oid.encode(OPER_2)])
        assert oid.encode("1.3.6.1.2.1.2.2.1.7.2") in names
        assert oid.encode("1.3.6.1.2.1.2.2.1.10.2") not in names
        many = [oid.encode(f"1.3.6.1.2.1.2.2.1.8.{row}") for row in range(1, 200)]
        assert names_on_page(plan, many)[: len(many)] == many
        assert len(names_on_page(plan, many)) == MAX_NAMES


def page_service(made: Collector) -> PageService:
    return PageService(made, PageCache(10, 60.0, time.monotonic), PollCounts(), poll_timeout=5.0)


def status_of(page: object) -> str:
    assert isinstance(page, RenderedPage)
    lines = page.plain(Format.TEXT).decode().splitlines()
    return next(one for one in lines if one.startswith("ifOperStatus{") and 'ifIndex="2"' in one).rpartition(" ")[2]


async def test_a_poll_that_began_before_the_answer_does_not_bring_the_older_value_back() -> None:
    agent, made = SimulatedAgent(device_mib(1)), collector()
    async with agent:
        target, service = target_of(agent, managed=True), page_service(made)
        assert status_of(await service.poll(target)) == "1"
        agent.delay = 0.02
        running = asyncio.create_task(service.poll(target))
        while agent.requests < 8 or not service.active:
            await asyncio.sleep(0)
        update = RowUpdate(time.monotonic(), lines_of(made, target, answer(2)))
        assert await service.update_rows(target, update)
        assert status_of(service.cached_page(target, Format.TEXT)) == "2"
        assert status_of(await running) == "2"  # it has read 1
        assert status_of(service.cached_page(target, Format.TEXT)) == "2"
        agent.delay = 0.0
        assert status_of(await service.poll(target)) == "1"  # what a later poll reads counts
        assert not await service.update_rows(target, update)
        assert status_of(service.cached_page(target, Format.TEXT)) == "1"


async def test_without_a_page_or_after_the_handover_nothing_is_updated() -> None:
    agent, made = SimulatedAgent(device_mib(1)), collector()
    async with agent:
        target, service = target_of(agent, managed=True), page_service(made)
        assert not await service.update_rows(target, RowUpdate(time.monotonic(), {}))
        await service.poll(target)
        service.freeze()
        assert not await service.update_rows(target, RowUpdate(time.monotonic(), lines_of(made, target, answer(2))))
        assert status_of(service.cached_page(target, Format.TEXT)) == "1"


def test_updates_of_one_page_are_merged_and_bounded() -> None:
    updates = RowUpdates()
    first = RowUpdate(1.0, {b"a": {b"\na ": b"1", b"\nb ": b"1"}}, FAMILIES, frozenset({"x"}))
    assert updates.add("one", first)
    assert updates.add("one", RowUpdate(2.0, {b"a": {b"\na ": b"2"}}, (), frozenset({"y"})))
    merged = updates.for_poll("one", 1.5)
    assert merged is not None
    assert merged.lines == {b"a": {b"\na ": b"2", b"\nb ": b"1"}}
    assert merged.names == frozenset({"x", "y"})
    assert not merged.families
    assert updates.for_poll("one", 2.0) is None
    assert updates.for_poll("one", 1.5) is None
    for number in range(MAX_TARGETS):
        assert updates.add(number, first)
    assert not updates.add("more", first)
    updates.discard(0)
    assert updates.add("more", first)
