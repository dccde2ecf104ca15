"""A walk as a page: names, indexes and values, which module takes what, and a module made of it."""

from __future__ import annotations

import pytest
import yaml

from promsnmp.errors import SnmpTimeout
from promsnmp.inventory.model import Device
from promsnmp.modules.generator.config import parse_generator
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.walks.walker import Walked
from promsnmp.sim.parts.objects import integer, octets, text, time_ticks
from promsnmp.snmp import ber, oid
from promsnmp.web.edit.viewer import Unknown
from promsnmp.web.interface import WebInterface
from tests.support.web.hostile import HOSTILE, check_harmless
from tests.support.web.html import Page
from tests.support.web.interface import device, interface, up

MANAGER = Unknown("token", may_change=True, form_token="f" * 64)
OBJECTS = {
    "1.3.6.1.2.1.1.3.0": time_ticks(123_456),
    "1.3.6.1.2.1.2.2.1.2.7": text("port seven"),
    "1.3.6.1.2.1.2.2.1.6.7": octets(bytes.fromhex("02005E000001")),
    "1.3.6.1.2.1.2.2.1.8.7": integer(2),
    "1.0.8802.1.1.2.1.4.1.1.7.0.3.1": text("eth0"),
    "1.3.6.1.4.1.32473.9.1.1.2.5": integer(42),
    "1.3.6.1.4.1.32473.9.1.1.2.6": integer(43),
}


def varbinds(objects: dict[str, bytes]) -> list[ber.VarBind]:
    encoded = b"".join(ber.encode_varbind(oid.encode(name), value) for name, value in objects.items())
    return ber.varbinds(encoded, 0, len(encoded))


def pages(objects: dict[str, bytes], stopped: str = "") -> WebInterface:
    async def walk(one: Device, root: bytes) -> Walked:
        assert (one.sys_name, oid.to_text(root)) == ("switch-1", "1.3.6.1.2.1.2.2")
        return Walked(varbinds(objects), stopped, 3, 0.5)

    return interface({device(1): up()}, walk=walk)


async def walked(made: WebInterface, wanted: str = "ifTable", name: str = "switch-1") -> tuple[int, str]:
    return await made.page("walk", query=[("device", name), ("oid", wanted)], viewer=MANAGER)


async def test_objects_have_names_indexes_and_values() -> None:
    status, html = await walked(pages(OBJECTS))
    page = Page(html)
    assert (status, page.unclosed) == (200, [])
    rows = [[cell.strip() for cell in row[:3]] for row in page.rows if len(row) == 5]
    assert ["sysUpTime", "", "0:20:34.56 (123456) 1/100 s"] in rows
    assert ["ifDescr", "ifIndex 7", "port seven"] in rows
    assert ["ifPhysAddress", "ifIndex 7", "02:00:5E:00:00:01"] in rows
    assert ["ifOperStatus", "ifIndex 7", "down (2)"] in rows
    assert ["lldpRemPortId", "lldpRemTimeMark 0, lldpRemLocalPortNum 3, lldpRemIndex 1", "eth0"] in rows
    assert "7 objects of switch-1" in page.text


async def test_columns_say_which_module_takes_them() -> None:
    _, html = await walked(pages(OBJECTS))
    columns = {row[2]: [cell.strip() for cell in row] for row in Page(html).rows if len(row) == 6}
    assert columns["1.3.6.1.2.1.2.2.1.8"][4] == "if_mib"
    assert columns["1.0.8802.1.1.2.1.4.1.1.7"][4].startswith("lldp (this device is not polled")
    assert columns["1.3.6.1.4.1.32473.9.1.1.2"][1:5] == ["not known", "1.3.6.1.4.1.32473.9.1.1.2", "2", "none"]


async def test_a_module_is_built_from_what_was_found() -> None:
    _, html = await walked(pages(OBJECTS))
    columns = [one for name, one in Page(html).elements if one.get("name") == "column"]
    assert [str(one["value"]).split()[0] for one in columns if "checked" in one] == [
        "1.0.8802.1.1.2.1.4.1.1.7",
        "1.3.6.1.4.1.32473.9.1.1.2",
    ]  # what the device is not polled for
    wanted = [str(one["value"]) for one in columns]
    content = await pages({}).file("module.yml", query=[("name", "mine"), *(("column", one) for one in wanted)])
    module = read_text(content, source="snmp.yml").modules["mine"]
    metrics = {one.name: one for one in module.metrics}
    assert metrics["ifOperStatus"].enum_values[0] == (1, "up")
    unknown = metrics["oid_1_3_6_1_4_1_32473_9_1_1_2"]
    assert [one.labelname for one in unknown.indexes] == ["index1"]
    assert "1.3.6.1.4.1.32473.9.1.1.2" in module.walk
    assert module.get == ("1.3.6.1.2.1.1.3.0",)
    assert yaml.safe_load(content)["modules"].keys() == {"mine"}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("my module", "1.3.6 2 1 0"),
        ("mine", "x"),
        ("mine", "1.3.6 2 1 0 4"),
        ("mine", "1..3 2 1 0"),
        ("mine", "1.3 a 1 0"),
    ],
)
async def test_a_wrong_form_makes_no_module(name: str, column: str) -> None:
    with pytest.raises(ValueError, match=r"column|module|OID|sub-identifier"):
        await pages({}).file("module.yml", query=[("name", name), ("column", column)])
    with pytest.raises(ValueError, match="at least one"):
        await pages({}).file("module.yml", query=[("name", "mine")])


@pytest.mark.parametrize(
    ("wanted", "name", "says"),
    [
        ("ifTabel", "switch-1", "near: iftable"),
        ("1..2", "switch-1", "1..2"),
        ("ifTable", "nobody", "no device 'nobody'"),
    ],
)
async def test_a_walk_that_is_not_possible_says_why(wanted: str, name: str, says: str) -> None:
    status, html = await walked(pages({}), wanted, name)
    assert status == 400
    assert says in Page(html).text


async def test_a_device_that_does_not_answer_and_a_walk_that_was_cut() -> None:
    async def silent(_: Device, __: bytes) -> Walked:
        raise SnmpTimeout("no response")

    status, html = await walked(interface({device(1): up()}, walk=silent))
    assert (status, "no response" in html) == (400, True)
    assert "the first 2,000 objects" in (await walked(pages(OBJECTS, "the first 2,000 objects")))[1]
    assert "has no objects there" in (await walked(pages({})))[1]


async def test_generator_and_mib_files() -> None:
    columns = [("column", "1.3.6.1.2.1.2.2.1.10 65 1 0"), ("column", "1.3.6.1.2.1.1.3 67 0 0")]
    query = [("name", "mine"), *columns]
    generator = parse_generator(await pages({}).file("generator.yml", query=query), source="generator.yml")
    assert [(one.name, one.walk) for one in generator.configs] == [
        ("mine", ("1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.1.3"))
    ]
    with pytest.raises(ValueError, match="MIB_FOLDERS"):
        await pages({}).file("mibs.yml", query=query)


async def test_who_may_not_walk_sees_no_form() -> None:
    _, html = await pages({}).page("browse", query=[("device", "switch-1")])
    assert "<form method" not in html
    assert "needs management access" in Page(html).text


@pytest.mark.parametrize("octets_of", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_values_stay_text(octets_of: str) -> None:
    hostile = text(octets_of.encode(errors="replace").decode())
    _, plain = await walked(pages(OBJECTS, "stopped"))
    _, html = await walked(
        pages({**OBJECTS, "1.3.6.1.2.1.2.2.1.2.8": hostile, "1.3.6.1.4.1.1.9.9": hostile}, octets_of)
    )
    check_harmless(html, plain)
    _, html = await walked(pages({}), octets_of, octets_of)
    check_harmless(html, plain + '<p role="alert"></p>')
