"""Detection of the modules that suit a device, and what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from promsnmp.errors import SnmpTimeout
from promsnmp.modules.catalogue import Catalogue, CatalogueStore, builtin_catalogue
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.collector import Collector
from promsnmp.polling.detection.schedule import RECHECK_SECONDS
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.behaviours import silent_after, status
from tests.support.agents.hostile import Behaviour, HostileAgent, Reply, Request, after
from tests.support.agents.polled_devices import collector, target_of

PROBE_PACKETS = 5
"""At most, for a device that answers everything: its system group, and its tables in a few requests."""
UPS = {
    "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"a UPS"),
    "1.3.6.1.2.1.1.2.0": ber.tlv(ber.OBJECT_IDENTIFIER, oid.encode("1.3.6.1.4.1.534.1")),
    "1.3.6.1.2.1.1.3.0": ber.encode_integer(500_000_000, ber.TIME_TICKS),
    "1.3.6.1.2.1.33.1.2.4.0": ber.encode_integer(97),
}
SWITCH = {
    "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"a switch"),
    "1.3.6.1.2.1.1.3.0": ber.encode_integer(500_000_100, ber.TIME_TICKS),
    "1.3.6.1.2.1.2.2.1.1.1": ber.encode_integer(1),
    "1.3.6.1.2.1.2.2.1.10.1": ber.encode_integer(5, ber.COUNTER32),
}


async def poll(one: Collector, target: Target, *, seconds: float = 5.0) -> RenderedPage:
    page, _ = await one.collect(target, deadline=asyncio.get_running_loop().time() + seconds)
    return page


def modules_of(page: RenderedPage) -> set[str]:
    """The modules on a page."""
    lines = page.plain(Format.TEXT).decode().splitlines()
    return {line.split('"')[1] for line in lines if line.startswith("promsnmp_module_up{")}


def agent_of(objects: Mapping[str, bytes]) -> SimulatedAgent:
    return SimulatedAgent(Mib.of(objects))


async def test_a_device_is_polled_for_suitable_modules_from_the_first_poll_on() -> None:
    one = collector()
    async with agent_of(UPS) as agent:
        page = await poll(one, target_of(agent, "auto"))
    assert modules_of(page) == {"system", "ups"}
    assert "\nupsEstimatedChargeRemaining 97\n" in page.plain(Format.TEXT).decode()


async def test_detection_costs_a_few_packets_once_and_none_at_later_polls() -> None:
    one = collector()
    async with agent_of(UPS) as agent:
        await poll(one, target_of(agent, "system", "ups"))
        usual = agent.requests
        await poll(one, target_of(agent, "auto"))
        first = agent.requests - usual
        for _ in range(5):
            await poll(one, target_of(agent, "auto"))
        assert first - usual <= PROBE_PACKETS
        assert agent.requests == usual + first + 5 * usual


async def test_a_device_with_stored_modules_is_not_detected_again() -> None:
    one = collector()
    async with agent_of(UPS) as agent:
        await poll(one, target_of(agent, "system", "ups"))
        usual = agent.requests
        page = await poll(one, replace(target_of(agent, "auto"), detected=("system", "ups")))
        assert agent.requests == 2 * usual
    assert modules_of(page) == {"system", "ups"}


async def test_modules_that_have_gone_from_the_catalogue_are_left_out() -> None:
    async with agent_of(UPS) as agent:
        page = await poll(collector(), replace(target_of(agent, "auto"), detected=("system", "gone")))
    assert modules_of(page) == {"system"}


async def test_auto_can_be_combined_with_other_modules() -> None:
    async with agent_of(UPS) as agent:
        page = await poll(collector(), target_of(agent, "printer", "auto"))
    assert modules_of(page) == {"printer", "system", "ups"}


@pytest.mark.parametrize("objects", [SWITCH, SWITCH | {"1.3.6.1.2.1.1.3.0": ber.encode_integer(1, ber.TIME_TICKS)}])
async def test_a_replaced_device_is_detected_again(objects: dict[str, bytes]) -> None:
    one = collector()
    async with agent_of(UPS) as agent:
        target = target_of(agent, "auto")
        assert modules_of(await poll(one, target)) == {"system", "ups"}
        agent.mib = Mib.of(objects)
        await poll(one, target)  # it notices the change
        one.states.of(target).detection._due -= RECHECK_SECONDS  # the minimum interval between two detections
        page = await poll(one, target)
        asked = agent.requests
        assert modules_of(page) == {"system", "if_mib"}
        assert "ifInOctets{" in page.plain(Format.TEXT).decode()
        await poll(one, target)
        assert agent.requests - asked < PROBE_PACKETS + 3


async def hostile(behaviour: Behaviour) -> RenderedPage:
    async with HostileAgent(behaviour) as agent:
        target = Target("k", "n", SnmpEndpoint(agent.address, agent.port), Community(), ("auto",), 0.1, 0)
        return await poll(collector(), target)


async def test_an_agent_that_refuses_to_be_probed_is_polled_as_usual() -> None:
    def answer(request: Request) -> list[Reply | bytes]:
        return [request.response(request.echo, status=2, index=1)] if len(request.requested) > 1 else [request.honest]

    page = await hostile(Behaviour("one_at_a_time", answer))
    assert {"system", "if_mib"} <= modules_of(page)
    assert "ifInOctets{" in page.plain(Format.TEXT).decode()


async def test_an_agent_that_hides_its_tables_from_the_probe_is_polled_as_usual() -> None:
    def answer(request: Request) -> list[Reply | bytes]:
        is_probe = request.pdu.type == ber.GET_NEXT or len(request.requested) > 1
        return [request.response(request.echo, status=2, index=1)] if is_probe else [request.honest]

    page = await hostile(Behaviour("hides", answer))
    assert modules_of(page) == {"system", "if_mib"}
    assert "ifInOctets{" in page.plain(Format.TEXT).decode()


async def test_an_agent_that_never_answers_the_probe_costs_one_poll() -> None:
    def answer(request: Request) -> list[Reply | bytes]:
        return [] if request.pdu.type == ber.GET else [request.honest]

    behaviour = Behaviour("no_get", answer)
    with pytest.raises(SnmpTimeout):
        await hostile(behaviour)
    one = collector()
    async with HostileAgent(behaviour) as agent:
        target = Target("k", "n", SnmpEndpoint(agent.address, agent.port), Community(), ("auto",), 0.1, 0)
        with pytest.raises(SnmpTimeout):
            await poll(one, target)
        page = await poll(one, target)
        assert modules_of(page) == {"system", "if_mib"}
        one.states.of(target).detection._due = 0.0
        page = await poll(one, target)  # it has answered before, so it is polled although it cannot be identified
    assert "ifInOctets{" in page.plain(Format.TEXT).decode()


async def test_a_silent_device_fails_as_soon_as_without_auto() -> None:
    one = collector()
    async with HostileAgent(silent_after(0)) as agent:
        target = Target("k", "n", SnmpEndpoint(agent.address, agent.port), Community(), ("auto",), 0.1, 1)
        for _ in range(3):
            with pytest.raises(SnmpTimeout):
                await poll(one, target)
        assert len(agent.requests) == 3 * 2


async def test_detection_leaves_most_of_the_time_to_the_poll() -> None:
    async with HostileAgent(after(1, Behaviour("no_next", _ignores_probes))) as agent:
        target = Target("k", "n", SnmpEndpoint(agent.address, agent.port), Community(), ("auto",), 30, 5)
        page = await poll(collector(), target, seconds=3.0)
    assert "ifInOctets{" in page.plain(Format.TEXT).decode()


def _ignores_probes(request: Request) -> list[Reply | bytes]:
    return [] if request.pdu.type == ber.GET_NEXT else [request.honest]


async def test_a_device_with_tables_of_several_vendors_is_polled_with_all_of_them() -> None:
    objects = UPS | {
        "1.3.6.1.4.1.318.1.1.1.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"Smart-UPS"),
        "1.3.6.1.4.1.2021.4.5.0": ber.encode_integer(1000),
    }
    async with agent_of(objects) as agent:
        page = await poll(collector(), target_of(agent, "auto"))
    assert modules_of(page) == {"system", "ups", "apc", "ucd_snmp"}


async def test_a_module_named_auto_in_a_file_is_used_as_such() -> None:
    mine = read_text(
        b"modules: {auto: {walk: [1.3.6.1.2.1.1.3], metrics: [{name: up, oid: 1.3.6.1.2.1.1.3, type: gauge}]}}",
        source="mine.yml",
    )
    builtin = builtin_catalogue()
    one = Collector(CatalogueStore(Catalogue({**builtin.modules, **mine.modules}, builtin.auths)), CollectorOptions())
    async with agent_of(UPS) as agent:
        assert modules_of(await poll(one, target_of(agent, "auto"))) == {"auto"}


async def test_an_error_status_during_detection_does_not_fail_the_poll() -> None:
    page = await hostile(after(1, Behaviour("gen_err_to_next", _refuses_probes)))
    assert modules_of(page) == {"system", "if_mib"}


def _refuses_probes(request: Request) -> list[Reply | bytes]:
    is_probe = request.pdu.type == ber.GET_NEXT
    return list(status(5).answer(request)) if is_probe else [request.honest]
