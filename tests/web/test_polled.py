"""The pages of a service that polls: a device with health, one that says hostile things, one that does not answer."""

from __future__ import annotations

from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until
from tests.support.web.html import Page
from tests.support.web.polled import BROWSER, MARKUP


def page_of(service: ServiceProcess, path: str) -> Page:
    answer = service.client.get(path, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    made = Page(answer.text)
    assert made.unclosed == []
    assert "img" not in made.names()
    assert "i" not in made.names()
    return made


def test_the_overview_says_which_device_is_down_and_why_and_what_has_failed(server: ServiceProcess) -> None:
    page = page_of(server, "/")
    assert "3 devices 2 up 1 down" in page.text
    worst = [row for row in page.rows if row[0].startswith("down")]
    assert worst[0][1] == "dead"
    assert worst[0][3]
    assert "failed: Fan 2" in page.text


def test_the_list_has_duration_and_samples(server: ServiceProcess) -> None:
    (row,) = page_of(server, "/devices?query=switch").rows[1:]
    assert row[1] == "switch"
    assert row[6].endswith("s")
    assert int(row[7].replace("\u202f", "")) > 500


def test_a_device_shows_interfaces_with_rates_and_its_worst_component_first(server: ServiceProcess) -> None:
    def rates() -> list[str]:
        rows = page_of(server, "/devices/switch").rows
        return [row[4] for row in rows if len(row) == 12 and row[4].endswith("bit/s")]

    wait_until(lambda: len(rates()) > 10, deadline=30, what="two polls")
    page = page_of(server, "/devices/switch")
    health = next(number for number, row in enumerate(page.rows) if row[1:3] == ["Component", "Kind"])
    assert page.rows[health + 1][:2] == ["failed", "Fan 2"]
    assert ["if_mib", "whole"] in [row[:2] for row in page.rows]
    assert "3 of 3 lines" in page_of(server, "/devices/switch?find=promsnmp_collected_timestamp_seconds").text


def test_a_hostile_device_breaks_no_page(server: ServiceProcess) -> None:
    devices = server.client.get("/promsnmp/devices").json()["devices"]
    device_id = next(one["id"] for one in devices if one["sysName"] == MARKUP)
    page = page_of(server, f"/devices/{device_id}")
    assert MARKUP in page.text
    assert "\\u{202e}gnp.exe" in page.text
    assert len(page.text) < 60_000
    names = {attribute for _, attributes in page.elements for attribute in attributes}
    assert [name for name in names if name.startswith("on")] == []
    for path in ("/devices", "/"):
        page_of(server, path)


def test_modules_and_replicas_are_those_of_the_service(server: ServiceProcess) -> None:
    modules = page_of(server, "/modules")
    assert ["if_mib", "built in"] in [[row[0], row[-1]] for row in modules.rows]
    assert "entity_state" in modules.text
    replicas = page_of(server, "/replicas")
    assert [row[3] for row in replicas.rows if "(this one)" in row[0]] == ["3"]
