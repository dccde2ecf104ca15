"""Identification of a device by its system group and tables."""

from __future__ import annotations

import asyncio

import pytest

from promsnmp.errors import SnmpTimeout
from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.polling.detection.identify import DeviceIdentity, identify
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import adhoc_target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.security import CommunityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.behaviours import silent_after, status
from tests.support.agents.hostile import Behaviour, HostileAgent, Reply, Request, after
from tests.support.agents.polled_devices import collector
from tests.support.tools import require_shared

CATALOGUE = builtin_catalogue()
SWITCH = {
    "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"RouterOS\r\n CRS326"),
    "1.3.6.1.2.1.1.2.0": ber.tlv(ber.OBJECT_IDENTIFIER, oid.encode("1.3.6.1.4.1.14988.1")),
    "1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, b"core"),
    "1.3.6.1.2.1.2.2.1.1.1": ber.encode_integer(1),
    "1.3.6.1.4.1.14988.1.1.3.10.0": ber.encode_integer(330),
}
EXPECTED = {
    "aos6": ("Alcatel-Lucent Enterprise", "OS6350-P24", "if_mib ip_mib tcp_udp entity bridge lldp"),
    "arista_eos_vrf": (
        "Arista",
        "DCS-7150S-24",
        "if_mib tcp_udp host_resources entity entity_sensor bridge lldp ucd_snmp arista",
    ),
    "arubaos-cx": ("Aruba", "JL635A 8325", "if_mib ip_mib host_resources entity entity_sensor bridge lldp"),
    "audiocodes_mp118": ("AudioCodes", "GW 8 FXS", "if_mib ip_mib tcp_udp host_resources entity"),
    "comware_a5500": ("HPE", "A5500-24G EI", "if_mib ip_mib tcp_udp entity bridge"),
    "cumulus_cumulus": (
        "NVIDIA",
        "Cumulus Linux",
        "if_mib ip_mib tcp_udp host_resources entity entity_sensor ucd_snmp",
    ),
    "dell-os10": ("Dell", "OS10", "if_mib ip_mib host_resources entity bridge lldp ucd_snmp"),
    "eatonupsm2_9px": ("Eaton", "9PX", "if_mib ip_mib tcp_udp ups"),
    "edgeswitch_10xp": ("Ubiquiti", "EdgeSwitch", "if_mib ip_mib tcp_udp entity bridge"),
    "fortigate": ("Fortinet", "FortiGate", "if_mib ip_mib tcp_udp entity fortinet"),
    "ftd_4115": ("Cisco", "Firepower Threat Defense", "if_mib cisco"),
    "ironware": ("Extreme Networks", "CER", "if_mib ip_mib tcp_udp entity bgp4 bridge"),
    "junos_qfx5100": ("Juniper", "qfx5100-48s-6q", "if_mib host_resources bridge lldp juniper juniper_optics"),
    "liebert_mph2rg": ("Vertiv", "Liebert", "if_mib ip_mib tcp_udp ucd_snmp"),
    "netonix_wispswitch": ("Netonix", "WS-12-250-AC", "if_mib host_resources bridge ucd_snmp"),
    "panos": ("Palo Alto Networks", "PA-3000", "if_mib host_resources entity paloalto"),
    "poweralert_ups": ("Tripp Lite", "PowerAlert", "if_mib ip_mib host_resources ups"),
    "procurve_e2910": (
        "HP",
        "J9146A E2910al-24G-PoE",
        "if_mib ip_mib tcp_udp entity entity_sensor bridge lldp hp_aruba",
    ),
    "qnap": ("QNAP", "NAS", "if_mib ip_mib host_resources entity"),
    "raritan-pdu_px2-temp": ("Raritan", "PX2", "if_mib ip_mib tcp_udp"),
    "routeros": ("MikroTik", "RouterOS", "if_mib host_resources entity bridge lldp ucd_snmp mikrotik"),
    "smartax-mdu": ("Huawei", "SmartAX", "if_mib entity"),
    "vmware-esxi": ("VMware", "ESXi", "if_mib ip_mib tcp_udp host_resources entity"),
    "windows_svr_2019_1809": ("Microsoft", "Windows server", "if_mib ip_mib tcp_udp host_resources"),
}
"""Recording: vendor, model, and the modules besides ``system``."""


async def asked(agent: SimulatedAgent, version: Version = Version.V2C) -> DeviceIdentity:
    security = CommunityModel(Community(version, "public"))
    async with Session(SnmpEndpoint("127.0.0.1", agent.port), security, timeout=2, retries=0) as session:
        return await identify(session)


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
async def test_a_device_is_identified_by_vendor_model_name_and_tables(version: Version) -> None:
    async with SimulatedAgent(Mib.of(SWITCH)) as agent:
        found = await asked(agent, version)
    assert (found.sys_name, found.sys_object_id) == ("core", "1.3.6.1.4.1.14988.1")
    assert found.sys_descr == "RouterOS CRS326"
    assert (found.match.vendor, found.match.model) == ("MikroTik", "CRS326")
    assert found.match.names == ("system", "if_mib", "mikrotik")


async def test_few_packets_are_needed() -> None:
    async with SimulatedAgent(Mib.of(SWITCH)) as agent:
        assert (await asked(agent)).packets == agent.requests <= 4


async def test_a_device_without_a_system_group_has_no_vendor() -> None:
    async with SimulatedAgent(Mib.of({"1.3.6.1.2.1.2.2.1.1.1": ber.encode_integer(1)})) as agent:
        found = await asked(agent)
    assert (found.sys_descr, found.sys_object_id, found.sys_name) == ("", "", "")
    assert found.match.names == ("system", "if_mib")


async def test_values_of_wrong_types_are_ignored() -> None:
    lies = {"1.3.6.1.2.1.1.1.0": ber.encode_integer(1), "1.3.6.1.2.1.1.2.0": ber.tlv(ber.OCTET_STRING, b"1.3.6")}
    async with SimulatedAgent(Mib.of(lies)) as agent:
        found = await asked(agent)
    assert (found.sys_descr, found.sys_object_id) == ("", "")


async def test_a_silent_device_is_a_timeout() -> None:
    async with SimulatedAgent(Mib.of(SWITCH), community="other") as agent:
        security = CommunityModel(Community(Version.V2C, "public"))
        endpoint = SnmpEndpoint("127.0.0.1", agent.port)
        async with Session(endpoint, security, timeout=0.05, retries=0) as session:
            with pytest.raises(SnmpTimeout):
                await identify(session)


@pytest.mark.parametrize("name", EXPECTED)
async def test_recorded_devices_are_identified(name: str) -> None:
    recording = read_recording(require_shared("recordings", f"{name}.snmprec"))
    vendor, model, modules = EXPECTED[name]
    async with SimulatedAgent(recording.mib) as agent:
        first, second = await asked(agent), await asked(agent, Version.V1)
    assert (first.match.vendor, first.match.model) == (vendor, model)
    assert first.match.names == ("system", *modules.split())
    assert first.match == second.match
    assert first.problem == second.problem == ""
    assert first.packets <= 7  # four, and a few more when long values do not fit an answer
    assert second.packets <= 16


@pytest.mark.parametrize("name", EXPECTED)
async def test_every_module_of_a_recorded_device_gives_samples(name: str) -> None:
    recording = read_recording(require_shared("recordings", f"{name}.snmprec"))
    async with SimulatedAgent(recording.mib) as agent:
        target = adhoc_target(SnmpEndpoint("127.0.0.1", agent.port), Community(), "public", ("auto",))
        page, problem = await collector().collect(target, deadline=asyncio.get_running_loop().time() + 60)
    assert problem is None
    names = {line.partition("{")[0].partition(" ")[0] for line in page.plain(Format.TEXT).decode().splitlines()}
    for module in ("system", *EXPECTED[name][2].split()):
        made = {metric.name for metric in CATALOGUE.module(module).metrics}
        assert any(one.startswith(tuple(made)) for one in names - {"#", "promsnmp_module_up"}), module


SAYS_NOTHING = status(2)
"""Answers every request with noSuchName."""


async def hostile(behaviour: Behaviour, *, timeout: float = 0.1) -> tuple[DeviceIdentity, int]:
    async with HostileAgent(behaviour) as agent:
        security = CommunityModel(Community(Version.V2C, "public"))
        async with Session(SnmpEndpoint(agent.address, agent.port), security, timeout=timeout, retries=0) as session:
            return await identify(session), len(agent.requests)


async def test_an_agent_that_answers_no_such_name_to_everything_costs_few_packets_and_is_not_believed() -> None:
    found, requests = await hostile(SAYS_NOTHING)
    assert found.problem == "the agent returned no objects"
    assert requests <= 6


async def test_an_agent_that_stops_answering_half_way_is_identified_by_its_answers() -> None:
    found, _ = await hostile(silent_after(1))
    assert (found.sys_name, found.sys_descr) == ("hostile-01", "honest")
    assert found.match.names == ("system", "if_mib")
    assert "no answer" in found.problem


async def test_an_agent_that_is_slow_with_many_tables_is_asked_for_few_at_a_time() -> None:
    def answer(request: Request) -> list[Reply | bytes]:
        return [] if request.pdu.type == ber.GET_NEXT and len(request.requested) > 4 else [request.honest]

    found, requests = await hostile(Behaviour("slow", answer))
    assert found.problem == ""
    assert found.match.names == ("system", "if_mib")
    assert requests < 20


async def test_an_agent_that_refuses_its_tables_keeps_the_usual_modules() -> None:
    found, _ = await hostile(after(1, status(16)))
    assert found.match.names == ("system", "if_mib")


async def test_the_identity_has_the_devices_up_time() -> None:
    found, _ = await hostile(Behaviour("honest", lambda request: [request.honest]))
    assert found.sys_up_time == 4711
