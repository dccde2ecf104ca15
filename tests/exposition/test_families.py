"""Families of a page: duplicates, reserved names, and that every parser reads the page."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from promsnmp.exposition.families import Exposition
from promsnmp.exposition.formats import openmetrics
from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.snmp import ber
from tests.support.exposition.polls import ROW, Device, column, counter64, gauge32, integer, module, octets, samples
from tests.support.tools import require_tool

IF = "1.3.6.1.2.1.2.2.1"
IF_X = "1.3.6.1.2.1.31.1.1.1"


def test_two_modules_may_share_a_family_and_its_duplicates_are_dropped() -> None:
    one = module("one", metrics=[{"oid": "1.3.1", "name": "same", "indexes": [ROW], "help": "first"}])
    two = module(
        "two", metrics=[{"oid": "1.3.2", "name": "same", "indexes": [ROW], "help": "second", "type": "counter"}]
    )
    page = Device(one, two).renderer({"1.3.1.1": integer(1), "1.3.2.1": integer(8), "1.3.2.2": integer(9)}).exposition
    assert page.render() == b'# HELP same first\n# TYPE same gauge\nsame{row="1"} 1\nsame{row="2"} 9\n'
    assert page.dropped == {"duplicate": 1}


def test_labels_with_spaces_and_braces_do_not_disturb_the_search_for_duplicates() -> None:
    one = module("one", metrics=[{"oid": "1.3.1", "name": "same", "type": "DisplayString", "indexes": [ROW]}])
    two = module("two", metrics=[{"oid": "1.3.2", "name": "same", "type": "DisplayString", "indexes": [ROW]}])
    text = octets('a} 1\nsame{same="b" \\')
    page = Device(one, two).renderer({"1.3.1.1": text, "1.3.2.1": text, "1.3.2.2": text}).exposition
    assert len(samples(page.render().decode())) == 2
    assert page.dropped == {"duplicate": 1}


def test_an_own_family_replaces_that_of_a_module() -> None:
    page = (
        Device(module(metrics=[{"oid": "1.3.1", "name": "own", "indexes": [ROW]}]))
        .renderer(column("1.3.1", [integer(1), integer(2)]))
        .exposition
    )
    page.add("own", "gauge", "mine", [({}, 5.0)])
    assert page.render() == b"# HELP own mine\n# TYPE own gauge\nown 5\n"
    assert page.dropped == {"reserved_name": 2}


def interfaces(count: int, alias: str = "") -> dict[str, bytes]:
    """Objects of if_mib: interfaces with strange names."""
    objects = {"1.3.6.1.2.1.1.3.0": ber.encode_integer(500, ber.TIME_TICKS), "1.3.6.1.2.1.2.1.0": integer(count)}
    for row in range(1, count + 1):
        objects |= {
            f"{IF}.1.{row}": integer(row), f"{IF}.2.{row}": octets(f"port {row} \\ \"x\""), f"{IF}.3.{row}": integer(6),
            f"{IF}.5.{row}": gauge32(10**9), f"{IF}.6.{row}": octets(b"\x02\x00\x00\x00\x00\x01"),
            f"{IF}.8.{row}": integer(1), f"{IF}.10.{row}": ber.encode_integer(row, ber.COUNTER32),
            f"{IF_X}.1.{row}": octets(f"e{row}"), f"{IF_X}.6.{row}": counter64(row), f"{IF_X}.18.{row}": octets(alias),
        }  # fmt: skip
    return objects


def pages() -> dict[str, Exposition]:
    """Pages of all kinds."""
    odd = [
        {"oid": "1.3.1", "name": "with_total", "type": "counter", "help": 'a \\ "b"\nc # HELP x y'},
        {"oid": "1.3.2", "name": "only_total", "type": "counter", "help": ""},
        {"oid": "1.3.3", "name": "with", "help": "\\n \\\\n"},
        {"oid": "1.3.4", "name": "with_total_total", "type": "counter"},
        {
            "oid": "1.3.5",
            "name": "odd-näme.x",
            "type": "DisplayString",
            "indexes": [{"labelname": "a-b", "type": "gauge"}],
        },
        {"oid": "1.3.6", "name": "9lives", "type": "EnumAsStateSet", "enum_values": {1: "x", 2: 'y"\\'}},
    ]
    objects = {f"1.3.{at}.0": integer(1) for at in range(1, 7)} | {
        "1.3.5.0": octets("# HELP with x\n# EOF\n\ud7ff\r\0")
    }
    catalogue = builtin_catalogue()
    system = {f"1.3.6.1.2.1.1.{at}.0": octets("Router\r\nBuild 7 é") for at in (1, 4, 5, 6)}
    return {
        "odd": Device(module(metrics=odd)).renderer(objects).exposition,
        "if_mib": Device(catalogue.module("if_mib")).renderer(interfaces(5, 'a="b"} 1\n# EOF')).exposition,
        "both": Device(*catalogue.modules.values()).renderer({**interfaces(2), **system}).exposition,
        "empty": Exposition(),
    }


@pytest.mark.parametrize("name", ["odd", "if_mib", "both", "empty"])
def test_prometheus_clients_parsers_read_every_page_and_agree(name: str) -> None:
    page = pages()[name]
    text = list(parse_text(page.render().decode()))
    exact = list(parse_openmetrics(page.render(as_openmetrics=True).decode()))
    plain = {(one.name, tuple(sorted(one.labels.items()))): one.value for one in (s for f in text for s in f.samples)}
    other = {(one.name, tuple(sorted(one.labels.items()))): one.value for one in (s for f in exact for s in f.samples)}
    renamed = {f.name for f in text if f.type == "counter"}  # that parser adds _total to counters
    assert {
        (n.removesuffix("_total") if n.removesuffix("_total") in renamed else n, ls): v for (n, ls), v in plain.items()
    } == {
        (n.removesuffix("_total") if n.removesuffix("_total") in renamed else n, ls): v for (n, ls), v in other.items()
    }
    assert bool(text) == (name != "empty")


@pytest.mark.parametrize("name", ["odd", "if_mib", "both", "empty"])
def test_a_converted_page_equals_a_rendered_one(name: str) -> None:
    page = pages()[name]
    assert b"".join(openmetrics.from_text(page.render())) == page.render(as_openmetrics=True)
    assert b"".join(openmetrics.to_text(page.render(as_openmetrics=True))) == page.render()


@pytest.mark.parametrize("name", ["odd", "if_mib", "both"])
def test_promtool_accepts_every_page(name: str) -> None:
    promtool = require_tool("promtool", package="prometheus")
    text = pages()[name].render()
    said = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False, timeout=60)
    assert said.returncode in (0, 3), said.stderr.decode()  # 3: lint, such as counters without _total
    assert b"error while linting" not in said.stderr


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_no_octets_of_a_device_break_a_page(texts: list[bytes]) -> None:
    named = {"labels": ["row"], "labelname": "name", "oid": "1.3.1", "type": "DisplayString"}
    metrics = [{"oid": "1.3.1", "type": "DisplayString", "indexes": [ROW], "lookups": [named]}]
    page = Device(module(metrics=metrics)).renderer(column("1.3.1", [octets(one) for one in texts])).exposition
    exact = page.render(as_openmetrics=True)
    assert b"".join(openmetrics.from_text(page.render())) == exact
    assert b"".join(openmetrics.to_text(exact)) == page.render()
    found = [sample for family in parse_text(page.render().decode()) for sample in family.samples]
    assert [sample.labels["m0"] for sample in found] == [sample.labels["name"] for sample in found]
    assert len(found) == len(texts) == sum(len(family.samples) for family in parse_openmetrics(exact.decode()))
