"""The built-in modules on small devices with known values, and on recorded ones."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.modules.model import Module
from promsnmp.modules.summaries import module_summaries
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import adhoc_target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.recording import parse_recording, read_recording
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.exporter import require_exporter
from tests.support.tools import PROJECT, require_shared, require_tool, shared_dir

CATALOGUE = builtin_catalogue()
MODULES = pytest.mark.parametrize("module", CATALOGUE.modules.values(), ids=lambda one: one.name)
WANTED = {
    "apc", "arista", "bgp4", "bridge", "cisco", "dell_idrac", "entity", "entity_sensor", "f5", "fortinet",
    "host_resources", "hp_aruba", "huawei", "if_mib", "ip_mib", "juniper", "lldp", "mikrotik", "ospf", "paloalto",
    "poe", "printer", "synology", "system", "tcp_udp", "ucd_snmp", "ups",
}  # fmt: skip


async def poll(mib: Mib, *modules: str) -> tuple[list[str], dict[str, int]]:
    """The samples of a device, without those about the poll, and what was dropped."""
    collector = Collector(CatalogueStore(CATALOGUE), CollectorOptions(utilization=False))
    lines = await page_of(mib, *modules, collector=collector)
    own = ("#", "snmp_scrape_", "promsnmp_")
    return [line for line in lines if line and not line.startswith(own)], collector.dropped


async def page_of(mib: Mib, *modules: str, collector: Collector | None = None) -> list[str]:
    """The lines of a device's page."""
    collector = collector or Collector(CatalogueStore(CATALOGUE), CollectorOptions())
    async with SimulatedAgent(mib) as agent:
        endpoint, login = SnmpEndpoint("127.0.0.1", agent.port), Community(Version.V2C, "public")
        target = adhoc_target(endpoint, login, "public", modules)
        page, problem = await collector.collect(target, deadline=asyncio.get_running_loop().time() + 30)
    assert problem is None
    return page.plain(Format.TEXT).decode().split("\n")


async def samples(module: str, recording: str) -> list[str]:
    """The samples of a device written down as ``OID|TAG|VALUE``; nothing of it may be dropped."""
    objects, problems = parse_recording(recording.encode())
    assert problems == []
    found, dropped = await poll(Mib.of(objects), module)
    assert dropped == {}
    return found


# ---------------------------------------------------------------------------------------------------------- as a whole


def test_all_wanted_modules_exist() -> None:
    assert sorted(WANTED - CATALOGUE.modules.keys()) == []


def test_one_name_means_the_same_in_all_modules() -> None:
    seen: dict[str, tuple[str, str, str]] = {}
    for module in CATALOGUE.modules.values():
        for metric in module.metrics:
            meaning = (metric.oid, metric.type, metric.help)
            assert seen.setdefault(metric.name, meaning) == meaning, (module.name, metric.name)


def test_every_module_says_in_a_sentence_what_it_is() -> None:
    assert [one.name for one in module_summaries() if not 10 < len(one.text) < 250] == []


@MODULES
def test_no_walk_lies_in_another(module: Module) -> None:
    roots = [f"{one}." for one in module.walk]
    assert [one for one in roots if any(one != other and one.startswith(other) for other in roots)] == []


@MODULES
def test_help_texts_are_sentences(module: Module) -> None:
    for metric in module.metrics:
        text = metric.help.removesuffix(f" - {metric.oid}")
        assert text != metric.help, metric.name
        assert re.match(r"[A-Z1]|sysUpTime|kB|The", text), text
        assert text.endswith("."), (metric.name, text)


@MODULES
def test_state_sets_and_bits_name_their_states(module: Module) -> None:
    assert [one.name for one in module.metrics if one.type in ("EnumAsStateSet", "Bits") and not one.enum_values] == []


# ------------------------------------------------------------------------------------------------------- small devices


async def test_lldp_names_both_ends_of_a_link() -> None:
    found = await samples(
        "lldp",
        "1.0.8802.1.1.2.1.3.7.1.2.7|2|5\n"
        "1.0.8802.1.1.2.1.3.7.1.3.7|4|Ethernet7\n"
        "1.0.8802.1.1.2.1.3.7.1.4.7|4|to the core\n"
        "1.0.8802.1.1.2.1.4.1.1.6.100.7.1|2|3\n"
        "1.0.8802.1.1.2.1.4.1.1.7.100.7.1|4x|0011223344AA\n"
        "1.0.8802.1.1.2.1.4.1.1.9.100.7.1|4|core\n"
        "1.0.8802.1.1.2.1.4.1.1.12.100.7.1|4x|28\n"
        "1.0.8802.1.1.2.1.4.2.1.4.100.7.1.1.4.192.0.2.9|2|12",
    )
    link = (
        'lldpLocPortDesc="to the core",lldpLocPortId="Ethernet7",lldpRemIndex="1",lldpRemLocalPortNum="7",'
        'lldpRemPortId="00:11:22:33:44:AA",lldpRemSysName="core",'
    )
    assert f'lldpRemPortIdSubtype{{{link}lldpRemTimeMark="100"}} 3' in found
    assert any(re.fullmatch(r'lldpRemSysCapEnabled\{.*lldpRemSysCapEnabled="bridge".*\} 1', one) for one in found), (
        found
    )
    assert any(re.fullmatch(r'lldpRemManAddrIfId\{.*lldpRemManAddr="192\.0\.2\.9".*\} 12', one) for one in found)


async def test_bridge_ports_have_the_names_of_their_interfaces() -> None:
    found = await samples(
        "bridge",
        "1.3.6.1.2.1.2.2.1.2.509|4|ge-0/0/1\n"
        "1.3.6.1.2.1.31.1.1.1.1.509|4|ge1\n"
        "1.3.6.1.2.1.17.1.4.1.2.5|2|509\n"
        "1.3.6.1.2.1.17.2.15.1.3.5|2|2\n"
        "1.3.6.1.2.1.17.2.15.1.3.6|2|5",
    )
    assert 'dot1dStpPortState{dot1dStpPort="5",ifDescr="ge-0/0/1",ifIndex="509",ifName="ge1"} 2' in found
    assert 'dot1dStpPortState{dot1dStpPort="6",ifDescr="",ifIndex="",ifName=""} 5' in found


async def test_sensors_carry_type_scale_and_name() -> None:
    found = await samples(
        "entity_sensor",
        "1.3.6.1.2.1.47.1.1.1.1.2.9|4|Inlet\n"
        "1.3.6.1.2.1.47.1.1.1.1.7.9|4|Temp1\n"
        "1.3.6.1.2.1.99.1.1.1.1.9|2|8\n"
        "1.3.6.1.2.1.99.1.1.1.2.9|2|9\n"
        "1.3.6.1.2.1.99.1.1.1.4.9|2|-5\n"
        "1.3.6.1.2.1.99.1.1.1.6.9|4|Celsius",
    )
    assert (
        'entPhySensorValue{entPhySensorScale="9",entPhySensorType="8",entPhySensorUnitsDisplay="Celsius",'
        'entPhysicalDescr="Inlet",entPhysicalIndex="9",entPhysicalName="Temp1"} -5' in found
    )


async def test_peers_of_bgp_and_neighbours_of_ospf_are_addresses() -> None:
    bgp = await samples("bgp4", "1.3.6.1.2.1.15.3.1.2.192.0.2.1|2|6\n1.3.6.1.2.1.15.3.1.9.192.0.2.1|2|65001")
    assert 'bgpPeerState{bgpPeerRemoteAddr="192.0.2.1",bgpPeerRemoteAs="65001"} 6' in bgp
    ospf = await samples("ospf", "1.3.6.1.2.1.14.10.1.3.192.0.2.2.0|64|10.0.0.2\n1.3.6.1.2.1.14.10.1.6.192.0.2.2.0|2|8")
    expected = 'ospfNbrState{ospfNbrAddressLessIndex="0",ospfNbrIpAddr="192.0.2.2",ospfNbrRtrId="10.0.0.2"} 8'
    assert expected in ospf


async def test_interfaces_of_ospf_have_names_by_their_addresses() -> None:
    found = await samples(
        "ospf",
        "1.3.6.1.2.1.14.7.1.3.192.0.2.1.0|64|0.0.0.0\n1.3.6.1.2.1.14.7.1.12.192.0.2.1.0|2|5\n"
        "1.3.6.1.2.1.4.20.1.2.192.0.2.1|2|7\n1.3.6.1.2.1.31.1.1.1.1.7|4|ge-0/0/1",
    )
    labels = 'ifIndex="7",ifName="ge-0/0/1",ospfAddressLessIf="0",ospfIfAreaId="0.0.0.0",ospfIfIpAddress="192.0.2.1"'
    assert found == [f"ospfIfState{{{labels}}} 5"]


async def test_cisco_sensors_have_everything_needed_to_scale_their_value() -> None:
    at = "1.3.6.1.4.1.9.9.91.1.1.1.1"
    found = await samples(
        "cisco",
        f"{at}.1.7|2|8\n{at}.2.7|2|8\n{at}.3.7|2|1\n{at}.4.7|2|415\n1.3.6.1.2.1.47.1.1.1.1.7.7|4|inlet",
    )
    labels = 'entPhysicalIndex="7",entPhysicalName="inlet",entSensorScale="8",entSensorType="8"'
    names = {"entSensorType": 8, "entSensorScale": 8, "entSensorPrecision": 1, "entSensorValue": 415}
    assert found == [f"{name}{{{labels}}} {value}" for name, value in names.items()]


async def test_a_ups_on_a_synology_is_read() -> None:
    at = "1.3.6.1.4.1.6574.4"
    found = await samples("synology", f"{at}.2.1.0|4|OL CHRG\n{at}.3.1.1.0|68x|9f78044291999a\n{at}.3.6.1.0|2|1740")
    assert found == [
        'upsInfoStatus{upsInfoStatus="OL CHRG"} 1',
        "upsBatteryChargeValue 72.80000305175781",
        "upsBatteryRuntimeValue 1740",
    ]


async def test_supplies_of_a_printer_have_their_own_labels() -> None:
    found = await samples(
        "printer",
        "1.3.6.1.2.1.43.11.1.1.5.1.2|2|3\n1.3.6.1.2.1.43.11.1.1.6.1.2|4|Black\n"
        "1.3.6.1.2.1.43.11.1.1.8.1.2|2|100\n1.3.6.1.2.1.43.11.1.1.9.1.2|2|-3",
    )
    assert (
        'prtMarkerSuppliesLevel{hrDeviceIndex="1",prtMarkerSuppliesDescription="Black",prtMarkerSuppliesIndex="2",'
        'prtMarkerSuppliesType="3"} -3' in found
    )


async def test_memory_pools_of_cisco_are_named_by_both_parts_of_their_index() -> None:
    found = await samples(
        "cisco",
        "1.3.6.1.2.1.47.1.1.1.1.7.7|4|RP0\n"
        "1.3.6.1.4.1.9.9.109.1.1.1.1.2.1|2|7\n1.3.6.1.4.1.9.9.109.1.1.1.1.8.1|66|42\n"
        "1.3.6.1.4.1.9.9.221.1.1.1.1.2.7.1|2|2\n1.3.6.1.4.1.9.9.221.1.1.1.1.3.7.1|4|Processor\n"
        "1.3.6.1.4.1.9.9.221.1.1.1.1.18.7.1|70|5000000000",
    )
    assert 'cpmCPUTotal5minRev{cpmCPUTotalIndex="1",entPhysicalIndex="7",entPhysicalName="RP0"} 42' in found
    assert any(
        re.fullmatch(r'cempMemPoolHCUsed\{.*cempMemPoolName="Processor".*\} 5000000000', one) for one in found
    ), found


async def test_fortigate_readings_are_numbers() -> None:
    found = await samples(
        "fortinet", "1.3.6.1.4.1.12356.101.4.3.2.1.2.3|4|+VCC12\n1.3.6.1.4.1.12356.101.4.3.2.1.3.3|4|12.054"
    )
    assert 'fgHwSensorEntValueValue{fgHwSensorEntIndex="3",fgHwSensorEntName="+VCC12"} 12.054' in found


async def test_pool_members_of_big_ip_have_names_of_counted_indexes() -> None:
    index = "3.119.101.98.2.110.49.80"  # "web", "n1", 80
    found = await samples("f5", f"1.3.6.1.4.1.3375.2.2.5.4.3.1.11.{index}|70|9")
    member = 'ltmPoolMemberStatNodeName="n1",ltmPoolMemberStatPoolName="web",ltmPoolMemberStatPort="80"'
    assert found == [f"ltmPoolMemberStatServerCurConns{{{member}}} 9"]


async def test_times_of_an_apc_ups_are_seconds() -> None:
    found = await samples("apc", "1.3.6.1.4.1.318.1.1.1.2.2.3.0|67|360000\n1.3.6.1.4.1.318.1.1.1.2.2.4.0|2|2")
    assert found == ["upsAdvBatteryRunTimeRemaining_seconds 3600", "upsAdvBattery_needsreplacing 1"]


async def test_rows_without_names_stay_apart() -> None:
    loads = "\n".join(f"1.3.6.1.4.1.2021.10.1.5.{at}|2|{at}" for at in (1, 2, 3))
    assert len(await samples("ucd_snmp", loads)) == 3


# ---------------------------------------------------------------------------------------------------- recorded devices


def recordings() -> list[str]:
    folder = shared_dir()
    return sorted(path.name for path in folder.glob("recordings/*.snmprec")) if folder is not None else ["none"]


SAID_WRONG = {
    "routeros.snmprec": {"not_octets", "invalid_index"},
    "netonix_wispswitch.snmprec": {"invalid_index"},  # numbers instead of addresses in dot1dTpFdbTable
}
"""Devices that answer with values of wrong types, or rows of wrong indexes: reasons for which values are counted."""


@pytest.mark.parametrize("name", recordings())
async def test_recorded_devices_give_no_errors_and_lose_no_value(name: str) -> None:
    recording = read_recording(require_shared("recordings", name))
    found, dropped = await poll(recording.mib, *sorted(CATALOGUE.modules))
    assert len(found) > 50
    assert dropped.keys() <= SAID_WRONG.get(name, set())
    assert len({line.rpartition(" ")[0] for line in found}) == len(found)


STYLE = (
    "label names should be written in 'snake_case' not 'camelCase'",
    "metric names should be written in 'snake_case' not 'camelCase'",
    'counter metrics should have "_total" suffix',
)
"""promtool's objections to names that come from MIBs."""


@pytest.mark.parametrize("name", ["fortigate", "junos_qfx5100", "procurve_e2910"])
async def test_promtool_accepts_a_page_except_for_names(name: str) -> None:
    recording = read_recording(require_shared("recordings", f"{name}.snmprec"))
    promtool = require_tool("promtool", package="prometheus")
    text = "\n".join(await page_of(recording.mib, *sorted(CATALOGUE.modules)))
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if not line.endswith(STYLE)] == []


def test_snmp_exporter_loads_every_module(tmp_path: Path) -> None:
    files = sorted((PROJECT / "src" / "promsnmp" / "modules" / "builtin").glob("*.yml"))
    options = [f"--config.file={path}" for path in files]
    done = subprocess.run(
        [require_exporter(), "--dry-run", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )
    assert "Configuration parsed successfully" in done.stderr, done.stderr


def test_the_page_of_the_modules_names_every_one() -> None:
    page = (PROJECT / "docs" / "reference" / "builtin-modules.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == CATALOGUE.modules.keys()
