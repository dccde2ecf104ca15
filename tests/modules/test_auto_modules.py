"""Which modules a device gets, and why."""

from __future__ import annotations

import pytest

from promsnmp.modules.auto_modules import TABLE_PROBES, TableProbe, fingerprint
from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.modules.sys_object_ids import PRODUCTS, product_of

CATALOGUE = builtin_catalogue()
CISCO = "1.3.6.1.4.1.9.1.2066"
NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"


def probe(what: str) -> TableProbe:
    return next(one for one in TABLE_PROBES if one.what == what)


def answers(*tables: str) -> dict[str, bool]:
    """Runs all probes against a device where these answer."""
    return {one.oid: one.what in tables for one in TABLE_PROBES}


def test_every_probe_is_unique_and_belongs_to_a_module() -> None:
    assert len({one.oid for one in TABLE_PROBES}) == len(TABLE_PROBES)
    assert {one.module for one in TABLE_PROBES} <= CATALOGUE.modules.keys()


def test_every_built_in_module_can_be_found() -> None:
    large = {"fdb"}  # forwarding tables, for who asks for them
    assert CATALOGUE.modules.keys() - {one.module for one in TABLE_PROBES} == {"system"} | large


def test_every_probe_lies_in_what_its_module_asks_for() -> None:
    for one in TABLE_PROBES:
        module = CATALOGUE.module(one.module)
        asked = (*module.walk, *module.get)
        assert any(f"{root}.".startswith(f"{one.oid}.") or f"{one.oid}.".startswith(f"{root}.") for root in asked), one


def test_every_vendor_s_modules_exist() -> None:
    assert {name for one in PRODUCTS.values() for name in one.modules} <= CATALOGUE.modules.keys()


def test_an_unknown_device_gets_the_modules_that_nearly_all_devices_have() -> None:
    match = fingerprint("", {})
    assert (match.vendor, match.model, match.names) == ("", "", ("system", "if_mib"))
    assert dict(match.modules)["if_mib"] == "nearly every agent has it, and its tables were not probed"


def test_a_device_that_has_no_interfaces_gets_the_system_group_alone() -> None:
    assert fingerprint("", answers()).names == ("system",)


def test_tables_that_answer_choose_their_modules_and_are_the_reason() -> None:
    match = fingerprint("", answers("ifTable", "ifXTable", "upsIdent"))
    assert match.names == ("system", "if_mib", "ups")
    assert dict(match.modules)["if_mib"] == ("answers to ifTable (1.3.6.1.2.1.2.2), ifXTable (1.3.6.1.2.1.31.1.1)")


def test_a_vendor_s_module_is_left_out_when_none_of_its_tables_answers() -> None:
    assert fingerprint(CISCO, answers("ifTable")).names == ("system", "if_mib")


def test_a_vendor_s_module_is_chosen_by_the_sys_object_id_where_the_tables_were_not_asked() -> None:
    match = fingerprint(CISCO, {probe("ifTable").oid: True})
    assert match.names == ("system", "if_mib", "cisco")
    assert dict(match.modules)["cisco"] == "sysObjectID 1.3.6.1.4.1.9.1.2066 is below 1.3.6.1.4.1.9 (Cisco)"


def test_a_table_that_answers_outweighs_the_sys_object_id() -> None:
    match = fingerprint(NET_SNMP, answers("laTable", "synoSystem"))
    assert match.names == ("system", "ucd_snmp", "synology")
    assert (match.vendor, match.model) == ("Synology", "")


def test_a_host_with_only_the_sys_object_id_of_net_snmp_is_generic() -> None:
    match = fingerprint(NET_SNMP, answers("laTable"))
    assert (match.vendor, match.model) == ("net-snmp", "Linux")


def test_a_table_of_another_vendor_does_not_change_the_vendor() -> None:
    match = fingerprint("1.3.6.1.4.1.14988.1", answers("cpmCPUTotalTable", "mtxrHealth"))
    assert match.vendor == "MikroTik"
    assert {"cisco", "mikrotik"} <= set(match.names)


@pytest.mark.parametrize(
    ("sys_object_id", "prefix", "vendor", "line"),
    [
        ("1.3.6.1.4.1.9.12.3.1.3.1812", "1.3.6.1.4.1.9.12.3", "Cisco", "Nexus and MDS"),
        ("1.3.6.1.4.1.9", "1.3.6.1.4.1.9", "Cisco", ""),
        (".1.3.6.1.4.1.11.2.3.7.11.84", "1.3.6.1.4.1.11.2.3.7.11", "HP", "ProCurve and ArubaOS-Switch"),
        ("1.3.6.1.4.1.11.2.3.7.12", "1.3.6.1.4.1.11", "HP", ""),
        ("1.3.6.1.4.1.47196.4.1.1.1.50", "1.3.6.1.4.1.47196.4.1.1.1", "Aruba", "ArubaOS-CX"),
        ("1.3.6.1.4.1.674.10892.5", "1.3.6.1.4.1.674.10892.5", "Dell", "iDRAC"),
    ],
)
def test_the_longest_prefix_counts(sys_object_id: str, prefix: str, vendor: str, line: str) -> None:
    found = product_of(sys_object_id)
    assert found is not None
    assert (found[0], found[1].vendor, found[1].line) == (prefix, vendor, line)


@pytest.mark.parametrize("sys_object_id", ["", "0.0", "1.3.6.1.4.1", "1.3.6.1.4.1.", "1.3.6.1.4.1.99999.1", "nonsense"])
def test_an_unknown_sys_object_id_has_no_vendor(sys_object_id: str) -> None:
    assert product_of(sys_object_id) is None
    assert fingerprint(sys_object_id, {}).vendor == ""


def test_a_number_does_not_match_the_start_of_another() -> None:
    found = product_of("1.3.6.1.4.1.90.1")
    assert found is None


@pytest.mark.parametrize(
    ("sys_object_id", "sys_descr", "model"),
    [
        (CISCO, "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 12.2(55)SE", "C2960"),
        (CISCO, "Cisco IOS Software [Fuji], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 16.9", "CAT9K_IOSXE"),
        (CISCO, "Cisco Adaptive Security Appliance Version 9.8", "Adaptive Security Appliance"),
        ("1.3.6.1.4.1.2636.1.1.1.2.43", "Juniper Networks, Inc. ex2200-24t-4g internet router", "ex2200-24t-4g"),
        ("1.3.6.1.4.1.14988.1", "RouterOS RB760iGS", "RB760iGS"),
        ("1.3.6.1.4.1.14988.1", "router", "RouterOS"),
        ("1.3.6.1.4.1.47196.4.1.1.1.50", "Aruba JL635A 8325 GL.10.04.2000", "JL635A 8325"),
    ],
)
def test_the_model_is_read_from_a_description_that_has_it(sys_object_id: str, sys_descr: str, model: str) -> None:
    assert fingerprint(sys_object_id, {}, sys_descr).model == model


def test_a_description_without_end_costs_nothing() -> None:
    assert fingerprint(CISCO, {}, "x" * 5_000_000).model == ""
