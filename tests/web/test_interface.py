"""Whole pages: what they say, that markup of devices stays text, that nothing is inline."""

from __future__ import annotations

import re
import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import pytest

from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import (
    LOST,
    Agent,
    AgentEndpoint,
    Device,
    DeviceIdentifiers,
    IdentityChange,
    Inventory,
    PollOverrides,
)
from promsnmp.observe.health import Component, Status
from promsnmp.polling.health.summary import HealthSummary, NamedValue
from promsnmp.polling.history.poll_history import PastPoll
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User
from promsnmp.web.assets import assets
from promsnmp.web.interface import WebInterface
from promsnmp.web.pages.device_page import interfaces, view
from promsnmp.web.pages.device_page.interfaces import InterfaceData, InterfacePage
from promsnmp.web.pages.device_page.neighbours import InventoryFinder
from promsnmp.web.pages.device_page.view import Choice, page_contents
from promsnmp.web.peers.statuses import PeerReport
from promsnmp.web.rates import PollRates
from tests.support.web.hostile import HOSTILE
from tests.support.web.html import Page
from tests.support.web.interface import ME, NOW, broken, device, down, interface, up

PAGES = [("overview", ""), ("devices", ""), ("device", "switch-1"), ("replicas", ""), ("modules", "")]
TEXTS = HOSTILE | {"entity": "&lt;script&gt;&#60;b&#62;"}


async def shown(pages: WebInterface, name: str, item: str = "", **query: str) -> Page:
    status, html = await pages.page(name, item=item, query=list(query.items()))
    assert status == 200, html
    made = Page(html)
    assert made.unclosed == []
    return made


def simple() -> WebInterface:
    health = HealthSummary(1, 0, ("Fan 2",), NamedValue("CPU", 71.5), NamedValue("/var", 0.93), "Example", "EX-1")
    return interface({device(1): up(health=health), device(2): down("no response from 10.0.0.2:161"), device(3): up()})


@pytest.mark.parametrize(("name", "item"), PAGES)
async def test_a_page_is_complete_and_has_no_inline_script_or_style(name: str, item: str) -> None:
    page = await shown(simple(), name, item)
    assert {"html", "main", "nav", "h1", "title"} <= page.names()
    scripts = [attributes for element, attributes in page.elements if element == "script"]
    assert len(scripts) == 2
    assert all(attributes.get("src") for attributes in scripts)
    assert "style" not in page.names()
    names = {attribute for _, attributes in page.elements for attribute in attributes}
    assert [one for one in names if one == "style" or one.startswith(("on", "hx-on"))] == []
    assert [link for link in page.links() if re.match(r"[a-z]+:|//|/", link)] == []


@pytest.mark.parametrize(("name", "item"), PAGES)
async def test_a_fragment_is_the_part_that_changes(name: str, item: str) -> None:
    pages = simple()
    _, whole = await pages.page(name, item=item)
    status, part = await pages.page(name, item=item, is_fragment=True)
    assert status == 200
    assert "<html" not in part
    assert part.strip() in whole


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_what_devices_say_stays_text_on_every_page(text: str) -> None:
    device_id = device(1).id
    made = device(
        1, sys_name=text, sys_descr=text, sys_location=text, sys_contact=text, vendor=text, model=text,
        sys_object_id=text, labels=(("site", text),), detected_modules=(text,), status=LOST, missed_since=text,
        identifiers=DeviceIdentifiers(serial_numbers=(text,)), identity_change=IdentityChange(text, (text,)),
    )  # fmt: skip
    label = text.encode(errors="replace").decode().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    page = (
        f'ifOperStatus{{ifAlias="{label}",ifIndex="1",ifName="{label}"}} 1\n'
        f'hw_status{{hw_id="1",hw_name="{label}",hw_state="failed",hw_type="fan"}} 1\n'
        f'snmp_device_info{{model="{label}"}} 1\n'
        f'lldpRemChassisId{{lldpLocPortId="{label}",lldpRemChassisId="{label}",lldpRemIndex="1",'
        f'lldpRemLocalPortNum="1",lldpRemPortId="{label}",lldpRemSysName="{label}"}} 1\n'
    )
    status = PollStatus("partial", 1.0, text, 1.0, 3, HealthSummary(1, 0, (text,), NamedValue(text, 1), None, text))
    past = PastPoll("down", NOW, 1.0, 0, text)
    pages = interface(
        {made: status}, pages={text: page}, components={"part": broken(text)}, module_error=text, past_polls=(past,),
        report=PeerReport(problems={text: text}),
    )  # fmt: skip
    plain = await _elements(simple(), device_id)
    for name, item in PAGES:
        found = await shown(pages, name, device_id if item else "")
        names = {attribute for _, attributes in found.elements for attribute in attributes}
        assert found.names() <= plain
        assert [one for one in names if one.startswith("on")] == []
        assert not re.search(
            "[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", found.text
        )
        assert len(found.text) < 120_000


async def _elements(pages: WebInterface, device_id: str) -> set[str]:
    """The elements that pages have anyway, and those of parts that only some devices have."""
    known = set.union(*[(await shown(pages, name, device_id if item else "")).names() for name, item in PAGES])
    return known | {"bdi", "pre", "form", "button", "time", "svg", "rect", "caption", "br", "input"}


async def test_the_overview_counts_states_and_shows_the_worst_first() -> None:
    lost = device(4, status=LOST, missed_since="2026-01-01T00:00:00Z")
    changed = device(5, identity_change=IdentityChange("2026-01-02T00:00:00Z", ("serial number 1, now 2",)))
    partial = PollStatus("partial", NOW - 5, "ifTable was read only in part")
    health = HealthSummary(2, 1, ("Fan 2", "PSU 1"), NamedValue("CPU", 71.5), NamedValue("/var", 0.93))
    pages = interface(
        {
            device(1): up(), device(2): down("no response"), device(3): partial, lost: up(), changed: up(),
            device(6): up(health=health), device(7): NEVER_POLLED,
        },
        components={"diskSpace": broken("no space left"), "ping": Component(Status.UP)},
    )  # fmt: skip
    page = await shown(pages, "overview")
    assert (
        "7 devices 4 up 1 partial 1 down 1 not polled yet 1 lost 2 failed components 1 degraded component" in page.text
    )
    reasons = {row[1]: row[3] for row in page.rows if len(row) == 5}
    assert list(reasons)[1:] == ["switch-2", "switch-5", "switch-6", "switch-3", "switch-4"]
    assert reasons["switch-2"] == "no response"
    assert reasons["switch-6"] == "failed: Fan 2, PSU 1"
    assert "another device answers at 10.0.0.5:161" in page.text
    assert "diskSpace error: no space left" in page.text
    assert "71.5 °C" in page.text
    assert "93 %" in page.text


async def test_an_empty_inventory_says_how_to_begin() -> None:
    page = await shown(interface({}), "overview")
    assert "promsnmp discover" in page.text
    assert "no device" in (await shown(interface({}), "devices")).text


async def test_what_other_replicas_poll_is_said_to_be_unknown_here() -> None:
    others = (ME, replace(ME, name="replica-2", instance="instance-2"))
    devices: dict[Device, PollStatus | None] = {device(number): None for number in range(1, 30)}
    pages = interface(devices, members=others, report=PeerReport(problems={"replica-2": "connection refused"}))
    overview = await shown(pages, "overview")
    assert "The state of 29 devices is not known here" in overview.text
    assert "replica-2 does not answer: connection refused" in overview.text
    listed = await shown(pages, "devices")
    assert {row[0] for row in listed.rows[1:]} == {"elsewhere"}
    replicas = await shown(pages, "replicas")
    counts = {row[0].split()[0]: int(row[3]) for row in replicas.rows[1:3]}
    assert sum(counts.values()) == 29
    foreign = next(row[1] for row in listed.rows[1:] if row[8].startswith("replica-2 polls it and does not answer"))
    assert "replica-2 polls this device" in (await shown(pages, "device", foreign)).text


async def test_what_other_replicas_say_is_part_of_the_whole() -> None:
    others = (ME, replace(ME, name="replica-2", instance="instance-2"))
    hot = HealthSummary(1, 0, ("Fan 9",), NamedValue("CPU", 88.0), None)
    devices: dict[Device, PollStatus | None] = {device(number): None for number in range(1, 4)}
    known = {device(1).id: up(), device(2).id: down("no route"), device(3).id: up(health=hot)}
    rates = PollRates(2.0, 1.0, 0.5, 0.1)
    pages = interface(devices, members=others, report=PeerReport(known, {}, [rates]))
    overview = await shown(pages, "overview")
    assert "3 devices 2 up 1 down 1 failed component" in overview.text
    assert "not known here" not in overview.text
    assert "2.0, 1.0 failed" in overview.text
    assert "88 °C" in overview.text
    listed = await shown(pages, "devices")
    assert {row[1]: row[8] for row in listed.rows[1:]}["switch-2"] == "no route"


async def test_new_devices_stale_ones_and_those_that_refuse_their_credentials_stand_out() -> None:
    new = device(1, discovered_at="2027-01-15T07:00:00Z")
    old = device(2, discovered_at="2026-12-01T00:00:00Z")
    refused = PollStatus("down", NOW - 5, "wrong digest: check the passphrase", outcome="authentication")
    slow = device(4, overrides=PollOverrides(interval=3_600_000))
    pages = interface({new: up(), old: up(200), device(3): refused, slow: up(4_000)})
    overview = await shown(pages, "overview")
    assert "4 devices 3 up 1 down 1 stale 1 new" in overview.text
    assert "switch-3 : its credentials do not work: wrong digest" in overview.text
    for state, name in (("new", "switch-1"), ("stale", "switch-2")):
        listed = await shown(pages, "devices", state=state)
        assert [row[1] for row in listed.rows[1:]] == [name]


async def test_a_device_has_its_interfaces_readings_modules_and_scrape() -> None:
    labels = '{ifAlias="uplink",ifIndex="1",ifName="Gi0/1"}'
    text = (
        f"ifOperStatus{labels} 1\nifHighSpeed{labels} 1000\nifHCInOctets{labels} 5\n"
        'hw_temperature_celsius{hw_id="1",hw_name="Inlet"} 23.5\n'
        'promsnmp_module_up{module="if_mib"} 0\nsnmp_scrape_pdus_returned{module="if_mib"} 20\n'
    )
    one = device(1, sys_descr="an example", modules=("if_mib",))
    pages = interface({one: up()}, pages={"switch-1": text}, rates={labels: (250e6, 5e6)})
    page = await shown(pages, "device", one.id)
    assert "an example" in page.text
    interface_row = next(row for row in page.rows if "Gi0/1" in row)
    assert [interface_row[at].strip() for at in (1, 3, 4, 5, 6, -1)] == [
        "up", "1 Gbit/s", "250 Mbit/s", "25 %", "5 Mbit/s", "uplink",
    ]  # fmt: skip
    assert "set for this device: if_mib" in page.text
    assert ["if_mib", "partial", "20", ""] in page.rows
    assert "23.5 °C" in page.text
    found = await shown(pages, "device", one.id, find="pdus")
    assert "1 of 1 line" in found.text
    assert "s3cret" not in page.text


async def test_a_device_has_errors_the_last_hour_neighbours_credentials_and_past_polls() -> None:
    labels = '{ifIndex="7",ifName="Gi0/7"}'
    text = (
        f"ifOperStatus{labels} 1\nifInErrors{labels} 90\nifOutErrors{labels} 10\nifInDiscards{labels} 0\n"
        'lldpRemChassisId{lldpLocPortId="Gi0/7",lldpRemChassisId="0x00005E005301",lldpRemIndex="1",'
        'lldpRemLocalPortNum="7",lldpRemPortId="Te1",lldpRemSysName="other name"} 1\n'
    )
    user = User("monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "s3cret-auth", PrivProtocol.AES, "s3cret-priv")
    agent = Agent("a", AgentEndpoint("10.9.9.9"), user)
    one = device(1, agents=(agent,), primary=agent)
    other = device(2, identifiers=DeviceIdentifiers(mac_addresses=("00005e005301",)))
    past = [PastPoll("down", NOW - 30, 3.0, 0, "no response"), PastPoll("up", NOW - 60, 0.2, 77, "")]
    codes = bytes(58) + bytes((200, 100))
    pages = interface(
        {one: up(), other: up()}, pages={"switch-1": text}, past_polls=past, errors={"7": (2.5, 0.0)},
        histories={labels: (codes, codes)},
    )  # fmt: skip
    page = await shown(pages, "device", one.id)
    row = next(row for row in page.rows if "Gi0/7" in row)
    assert (row[-3], row[-2]) == ("2.5/s", "0")
    assert "100 since the device started" in [one.get("title") for _, one in page.elements]
    assert [one.get("aria-label") for name, one in page.elements if one.get("class") == "spark"] == [
        "Last hour: at most 15 Gbit/s in, 15 Gbit/s out"
    ]
    assert f"../devices/{other.id}" in page.links()
    assert ["Gi0/7", "other name", "Te1", "", "LLDP", ""] in page.rows
    assert "SNMP v3, user monitor, authPriv, SHA256, AES" in page.text
    assert "s3cret" not in page.text
    assert ["30 s ago", "down", "3 s", "", "no response"] in page.rows
    assert f"../devices/{one.id}/explain" in page.links()


async def test_twenty_thousand_interfaces_are_shown_in_pages_and_found_by_a_filter() -> None:
    lines = "".join(
        f'if{name}{{ifAlias="to {number % 7}",ifIndex="{number}",ifName="ge-{number}"}} {number % 2 + 1}\n'
        for name in ("OperStatus", "InErrors", "Speed")
        for number in range(1, 20_001)
    )
    pages = interface({device(1): up()}, pages={"switch-1": lines})
    page = await shown(pages, "device", "switch-1", page="3")
    indexes = [row[0] for row in page.rows if row[2:] and row[2].startswith("ge-")]
    assert (indexes[0], len(indexes)) == ("401", 200)
    assert any(link.endswith("?page=4#interfaces") for link in page.links())
    page = await shown(pages, "device", "switch-1", interfaces="GE-1999")
    assert [row[2] for row in page.rows if row[2:] and row[2].startswith("ge-")] == [
        "ge-1999", *(f"ge-1999{digit}" for digit in range(10))
    ]  # fmt: skip
    page = await shown(pages, "device", "switch-1", interfaces="no such thing", page="99999999")
    assert "No interface has this" in page.text


async def test_a_device_that_was_never_polled_and_one_without_interfaces_say_so() -> None:
    pages = interface({device(1): NEVER_POLLED, device(2): up()}, pages={"switch-2": "sysUpTime 5\n"})
    assert "Not polled yet" in (await shown(pages, "device", "switch-1")).text
    assert "No interfaces" in (await shown(pages, "device", "switch-2")).text


@pytest.mark.parametrize("body_format", [Format.TEXT, Format.OPENMETRICS])
def test_the_page_of_a_large_device_is_never_in_memory_as_a_whole(
    body_format: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interfaces, "MOST_TEXT", len('{ifIndex="1000"}') * 2000)
    rows = range(1, 2_501)
    lines = [
        *(f'other{{x="{"y" * 4000}"}} {row}\n' for row in rows),
        *(f'ifOperStatus{{ifIndex="{row}"}} 1\n' for row in rows),
    ]
    page = RenderedPage(0.0, (), {body_format: "".join(lines).encode()})  # 10 MB
    tracemalloc.start()
    try:
        choice, snapshot = Choice(find="no such line"), Snapshot.of(Inventory(()))
        found = page_contents(page, InterfaceData(), choice, snapshot, InventoryFinder())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000
    shown_part = found.values["interfaces"]
    assert isinstance(shown_part, InterfacePage)
    assert (shown_part.total, len(shown_part.rows)) == (len(rows), interfaces.SIZE)
    assert 2_000 <= shown_part.found < len(rows)
    assert (found.values["lines"], found.values["line_count"]) == ([], 0)


def test_readings_with_very_long_labels_are_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f'hw_temperature_celsius{{hw_name="{row:04}{"y" * 1000}"}} 1\n' for row in range(100)]
    page = RenderedPage(0.0, (), {Format.TEXT: "".join(lines).encode()})
    for most, count in ((view.MOST_TEXT, 100), (10_500, 10)):
        monkeypatch.setattr(view, "MOST_TEXT", most)
        found = page_contents(page, InterfaceData(), Choice(), Snapshot.of(Inventory(())), InventoryFinder())
        assert found.values["reading_count"] == count


@pytest.mark.parametrize(("name", "item"), PAGES)
async def test_no_page_is_rendered_on_the_event_loop(name: str, item: str, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    render = jinja2.Template.render

    def noting_thread(template: jinja2.Template, *values: Any) -> str:
        threads.append(threading.current_thread())
        return render(template, *values)

    monkeypatch.setattr(jinja2.Template, "render", noting_thread)
    await shown(simple(), name, item)
    assert threads
    assert threading.main_thread() not in threads


async def test_an_unknown_device_is_404_and_several_of_a_name_are_named() -> None:
    twice = interface({device(1, sys_name="same"): up(), device(2, sys_name="same"): up()})
    status, html = await twice.page("device", item="same")
    assert status == 404
    assert device(2).id in html
    status, html = await twice.page("device", item="<b>/no/such")
    assert status == 404
    assert "<b>/no" not in html
    assert 'href="../../../web/web.css"' in html


async def test_modules_show_problems_and_the_definitions_in_use() -> None:
    page = await shown(interface({}, module_error="snmp.yml:12: unknown key 'wlak'"), "modules")
    assert "snmp.yml:12: unknown key 'wlak'" in page.text
    assert ["entity_sensor", "9"] in page.rows
    assert any(row[0] == "if_mib" and row[4] == "built in" for row in page.rows if len(row) == 5)


def test_only_known_files_are_served_and_scripts_have_their_licence() -> None:
    assert set(assets()) == {"web.css", "live.js", "map.js", "discovery.js", "htmx.min.js", "icon.svg"}
    static = Path(__file__).parents[2] / "src" / "promsnmp" / "web" / "static"
    assert "Zero-Clause BSD" in (static / "htmx.LICENSE").read_text(encoding="utf-8")
    for name in ("../interface.py", "htmx.LICENSE", "", "web.css/"):
        assert simple().asset(name) is None
