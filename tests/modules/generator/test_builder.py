"""Building modules: types, indexes, requested OIDs, lookups, overrides and filters."""

from __future__ import annotations

import pytest

from promsnmp.modules.generator.config import (
    LookupRule,
    Override,
    StaticFilter,
)
from promsnmp.modules.generator.types import metric_type
from promsnmp.modules.mibs.tree import MibTree, ObjectType
from promsnmp.modules.model import Filter, Index, Lookup, Metric, Module, RegexExtract
from tests.support.modules.generated import NAMES, built_module, built_of, link_text

ACME = "1.3.6.1.4.1.99999"


def metric(module: Module, name: str) -> Metric:
    (found,) = (one for one in module.metrics if one.name == name)
    return found


def names(module: Module) -> list[str]:
    return [one.name for one in module.metrics]


# --- types


METRIC_TYPES = {
    "tInteger": "gauge", "tInteger32": "gauge", "tUnsigned": "gauge", "tGauge": "gauge", "tTicks": "gauge",
    "tCounter": "counter", "tCounter64": "counter", "tOctets": "OctetString", "tObjectId": "OctetString",
    "tAddress": "InetAddressIPv4", "tBits": "Bits", "tFlags": "Bits", "tEnum": "gauge", "tTruth": "gauge",
    "tText": "DisplayString", "tName": "DisplayString", "tUtf8": "DisplayString", "tMixed": "OctetString",
    "tMac": "PhysAddress48", "tPhys": "PhysAddress48", "tDate": "DateAndTime", "tFloat": "Float", "tDouble": "Double",
    "tStatus": "gauge", "tInetType": "gauge", "tInet": "InetAddress", "tInetAlone": "OctetString",
    "tInet4": "InetAddressIPv4", "tInet6": "InetAddressIPv6", "tPortKind": "gauge", "tPort": "LldpPortId",
    "tNarrow": "DisplayString", "tDerived": "OctetString", "t_dashed": "gauge", "tGauge64": "counter",
}  # fmt: skip


def test_each_syntax_becomes_its_metric_type(tree: MibTree) -> None:
    module = built_module(tree, "acmeTypes")
    assert {one.name: str(one.type) for one in module.metrics} == METRIC_TYPES
    assert module.walk == (f"{ACME}.1",)
    assert module.get == ()


def test_an_object_without_a_metric_type_is_left_out_and_noted(tree: MibTree) -> None:
    (note, derived) = built_of(tree, "acmeTypes").notes
    assert "--base-types" in derived
    assert note.startswith("tOpaque is left out: no metric type fits Opaque, override its type (")
    module = built_module(tree, "acmeTypes", overrides=(("tOpaque", Override(type="Float")),))
    assert metric(module, "tOpaque").type == "Float"


def test_a_type_derived_from_another_is_shown_like_that_one_on_request(tree: MibTree) -> None:
    result = built_of(tree, "tDerived", base_types=True)
    assert metric(result.module, "tDerived").type == "DisplayString"
    assert result.notes == ()


@pytest.mark.parametrize("base_types", [False, True])
def test_what_a_derived_type_inherits(base_types: bool) -> None:
    """Names of an enumeration and the kind of octets only on request, a fixed size always."""
    mibs = link_text(
        "LATER-MIB",
        """
        Kind ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "" SYNTAX INTEGER { up(1), down(2) }
        OwnKind ::= Kind
        Station ::= MacAddress
        lt OBJECT-TYPE SYNTAX SEQUENCE OF LtEntry MAX-ACCESS not-accessible STATUS current DESCRIPTION ""
          ::= { enterprises 5 }
        ltEntry OBJECT-TYPE SYNTAX LtEntry MAX-ACCESS not-accessible STATUS current DESCRIPTION ""
          INDEX { ltStation } ::= { lt 1 }
        LtEntry ::= SEQUENCE { ltStation Station, ltKind OwnKind }
        ltStation OBJECT-TYPE SYNTAX Station MAX-ACCESS not-accessible STATUS current DESCRIPTION "" ::= { ltEntry 1 }
        ltKind OBJECT-TYPE SYNTAX OwnKind MAX-ACCESS read-only STATUS current DESCRIPTION "" ::= { ltEntry 2 }
        """,
    )
    made = metric(built_module(mibs.tree, "ltKind", base_types=base_types), "ltKind")
    assert made.enum_values == (((1, "up"), (2, "down")) if base_types else ())
    assert made.indexes == (Index("ltStation", "PhysAddress48" if base_types else "OctetString", 6),)


def test_objects_whose_oids_another_module_gives_other_names_are_noted_and_can_be_built() -> None:
    """MIBs of two vendors, or of two times, have one OID for different objects."""
    body = """
        {0}Table OBJECT-TYPE SYNTAX SEQUENCE OF X{0} MAX-ACCESS not-accessible STATUS current DESCRIPTION ""
          ::= {{ enterprises 7 }}
        {0}Entry OBJECT-TYPE SYNTAX X{0} MAX-ACCESS not-accessible STATUS current DESCRIPTION "" INDEX {{ {0}Index }}
          ::= {{ {0}Table 1 }}
        X{0} ::= SEQUENCE {{ {0}Index INTEGER, {0}Value INTEGER }}
        {0}Index OBJECT-TYPE SYNTAX INTEGER MAX-ACCESS not-accessible STATUS current DESCRIPTION "" ::= {{ {0}Entry 1 }}
        {0}Value OBJECT-TYPE SYNTAX INTEGER MAX-ACCESS read-only STATUS current DESCRIPTION "" ::= {{ {0}Entry 2 }}
        """
    tree = link_text("AAA-MIB", body.format("first"), ("BBB-MIB", body.format("second"))).tree
    walked = built_of(tree, "1.3.6.1.4.1.7")
    assert names(walked.module) == ["firstIndex", "firstValue"]
    assert any("BBB-MIB::secondIndex and 1 more left out" in note for note in walked.notes)
    for name in ("secondTable", "BBB-MIB::secondTable"):
        named = built_of(tree, name)
        assert names(named.module) == ["secondIndex", "secondValue"]
        assert metric(named.module, "secondValue").indexes == (Index("secondIndex", "gauge"),)


def test_help_is_the_first_sentence_and_the_oid(tree: MibTree) -> None:
    assert metric(built_module(tree, "tText"), "tText").help == f"Object tText of the test - {ACME}.1.15"
    assert metric(built_module(tree, "ifNumber"), "ifNumber").help == "How many lines there are - 1.3.6.1.2.1.2.1"


def test_enumerations_and_bits_carry_their_names(tree: MibTree) -> None:
    module = built_module(tree, "acmeTypes")
    assert metric(module, "tEnum").enum_values == ((-1, "broken"), (0, "idle"), (1, "busy"))
    assert metric(module, "tFlags").enum_values == ((0, "first"), (1, "second"))


@pytest.mark.parametrize(("size", "kind"), [(0, "PhysAddress48"), (6, "PhysAddress48"), (8, "OctetString")])
def test_octets_with_the_hint_of_a_mac_address_are_one_unless_their_size_is_fixed_otherwise(
    size: int, kind: str
) -> None:
    assert metric_type(ObjectType("OCTETS", ("Wwn",), "1x:", size)) == kind
    assert metric_type(ObjectType("OCTETS", ("PhysAddress",), "1x:", size)) == "PhysAddress48"


# --- indexes


@pytest.mark.parametrize(
    ("name", "indexes"),
    [
        ("plainValue", [Index("plIndex", "gauge")]),
        ("enumValue", [Index("enKind", "EnumAsInfo", enum_values=((1, "a"), (2, "b")))]),
        ("textValue", [Index("txName", "DisplayString")]),
        ("impliedValue", [Index("imNumber", "gauge"), Index("imName", "DisplayString", implied=True)]),
        ("extraValue", [Index("imNumber", "gauge"), Index("imName", "DisplayString", implied=True)]),
        ("macValue", [Index("maAddress", "PhysAddress48", 6)]),
        ("sizedValue", [Index("szOctets", "OctetString", 4)]),
        ("ownValue", [Index("owOctets", "OctetString", 3)]),
        ("oidValue", [Index("oiType", "OctetString")]),
        ("addressValue", [Index("adAddress", "InetAddressIPv4")]),
        ("inetValue", [Index("inAddress", "InetAddress"), Index("inPort", "gauge")]),
        ("safiValue", [Index("saAddress", "InetAddress")]),
        ("dateValue", [Index("daWhen", "OctetString")]),
        (
            "truthValue",
            [Index("trFlag", "EnumAsInfo", enum_values=((1, "true"), (2, "false"))), Index("trCounter", "counter")],
        ),
        ("slotState", [Index("slotEntry", "gauge")]),
    ],
)
def test_rows_are_labelled_by_their_indexes(tree: MibTree, name: str, indexes: list[Index]) -> None:
    assert list(metric(built_module(tree, name), name).indexes) == indexes


def test_further_addresses_of_one_inet_address_type_are_octets(tree: MibTree) -> None:
    """In the OID their type is not before them, so only the first can be read as an address."""
    assert metric(built_module(tree, "pathTable"), "pathValue").indexes == (
        Index("paFrom", "InetAddress"), Index("paTo", "OctetString"), Index("paNext", "OctetString", 4),
    )  # fmt: skip
    missing = built_of(tree, "pathTable", overrides=(("paTo", Override(type="InetAddressMissingSize")),))
    assert missing.module.metrics == ()
    assert "paTo has neither a length nor a type of its own" in missing.notes[0]


def test_tables_with_an_unusable_index_are_left_out_and_noted(tree: MibTree) -> None:
    built = built_of(tree, "loneTable", "opaqueTable", "plainTable")
    assert names(built.module) == ["plIndex", "plainValue", "plainText"]
    lone, _, opaque = built.notes
    assert lone.startswith("loneEntry is left out: index loAddress is an InetAddress with no InetAddressType")
    assert opaque.startswith("opaqueEntry is left out: index opIndex cannot be a label: its type is Opaque")


def test_an_override_changes_the_type_of_an_index_too(tree: MibTree) -> None:
    module = built_module(tree, "enumTable", "inetTable", overrides=(
        ("enKind", Override(type="gauge")), ("inAddress", Override(type="InetAddressMissingSize")),
    ))  # fmt: skip
    assert metric(module, "enumValue").indexes == (Index("enKind", "gauge", enum_values=((1, "a"), (2, "b"))),)
    assert metric(module, "inetValue").indexes[0] == Index("inAddress", "InetAddressMissingSize")
    state = built_module(tree, "enumTable", overrides=(("enKind", Override(type="EnumAsStateSet")),))
    assert metric(state, "enumValue").indexes[0].type == "gauge"
    other = built_module(tree, "enumTable", overrides=(("enKind", Override(type="counter")),))
    assert metric(other, "enumValue").indexes[0].type == "EnumAsInfo"


# --- requested OIDs


@pytest.mark.parametrize(
    ("named", "walk", "get"),
    [
        (["ifTable"], ["1.3.6.1.2.1.2.2"], []),
        (["1.3.6.1.2.1.2", "ifTable", "ifNumber", "ifInOctets.3"], ["1.3.6.1.2.1.2"], []),
        (["ifNumber"], [], ["1.3.6.1.2.1.2.1.0"]),
        (["ifNumber.0"], [], ["1.3.6.1.2.1.2.1.0"]),
        (["1.3.6.1.2.1.2.1.0"], [], ["1.3.6.1.2.1.2.1.0"]),
        ([".1.3.6.1.2.1.2.1"], [], ["1.3.6.1.2.1.2.1.0"]),
        (["IF-MIB::ifInOctets"], ["1.3.6.1.2.1.2.2.1.10"], []),
        (["ifInOctets.3", "1.3.6.1.2.1.2.2.1.10.12"], [], ["1.3.6.1.2.1.2.2.1.10.3", "1.3.6.1.2.1.2.2.1.10.12"]),
        (["tInet"], [], [f"{ACME}.1.26.0", f"{ACME}.1.27.0"]),
        (["ifXEntry", "ifEntry"], ["1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"], []),
    ],
)
def test_tables_are_walked_and_instances_fetched(
    tree: MibTree, named: list[str], walk: list[str], get: list[str]
) -> None:
    module = built_module(tree, *named)
    assert (list(module.walk), list(module.get)) == (walk, get)


def test_a_single_instance_makes_one_metric_with_its_indexes(tree: MibTree) -> None:
    module = built_module(tree, "ifInOctets.3")
    assert names(module) == ["ifInOctets"]
    assert metric(module, "ifInOctets").indexes == (Index("ifIndex", "gauge"),)


def test_unknown_objects_are_listed_and_the_rest_is_built(tree: MibTree) -> None:
    named = ("nowhere", "ifNumber", "IF-MIB::tText", "1.3.6.1.2.1.99", "ifNumber.x", "ifNumber.5", "")
    built = built_of(
        tree, *named, overrides=(("noSuch", Override(ignore=True)),), lookups=(LookupRule(("a",), "gone"),)
    )
    assert built.missing == (
        "noSuch (override)", "nowhere", "IF-MIB::tText", "1.3.6.1.2.1.99", "ifNumber.x", "ifNumber.5", "",
        "gone (lookup)",
    )  # fmt: skip
    assert names(built.module) == ["ifNumber"]


def test_objects_that_can_only_be_notified_or_written_make_no_metric(tree: MibTree) -> None:
    assert "tNotify" not in names(built_module(tree, "acmeTypes"))
    assert names(built_module(tree, "oldTable")) == ["oldIndex", "oldBytes", "old_height"]


def test_broken_objects_are_left_out_with_the_reason(tree: MibTree) -> None:
    built = built_of(tree, "acmeBroken")
    assert names(built.module) == ["goodFirst", "goodSecond", "goodThird", "badQuote", "goodFourth"]
    assert [note.partition(" (")[0] for note in built.notes] == [
        "badSyntax is left out: SYNTAX: expected a type, not '{'",
        "badType is left out: type SecretKind is not defined",
        "badEntry is left out: index secretIndex is not defined",
    ]


# --- lookups


def test_a_lookup_labels_every_metric_that_has_its_indexes(tree: MibTree) -> None:
    module = built_module(tree, "ifInOctets", "ifNumber", lookups=NAMES)
    assert metric(module, "ifInOctets").lookups == (
        Lookup(("ifIndex",), "ifAlias", "1.3.6.1.2.1.31.1.1.1.18", "DisplayString"),
        Lookup(("ifIndex",), "ifDescr", "1.3.6.1.2.1.2.2.1.2", "DisplayString"),
        Lookup(("ifIndex",), "ifName", "1.3.6.1.2.1.31.1.1.1.1", "DisplayString"),
    )
    assert metric(module, "ifNumber").lookups == ()
    assert module.walk == (
        "1.3.6.1.2.1.2.2.1.2",
        "1.3.6.1.2.1.2.2.1.10",
        "1.3.6.1.2.1.31.1.1.1.1",
        "1.3.6.1.2.1.31.1.1.1.18",
    )


def test_a_lookup_of_a_single_instance_fetches_that_instance(tree: MibTree) -> None:
    module = built_module(tree, "ifInOctets.3", lookups=(LookupRule(("ifIndex",), "ifName"),))
    assert (module.walk, module.get) == ((), ("1.3.6.1.2.1.2.2.1.10.3", "1.3.6.1.2.1.31.1.1.1.1.3"))


def test_source_indexes_are_dropped_after_all_lookups(tree: MibTree) -> None:
    rules = (
        LookupRule(("ifIndex",), "ifName", drop_sources=True),
        LookupRule(("ifIndex",), "ifDescr", drop_sources=True),
    )
    lookups = metric(built_module(tree, "ifInOctets", lookups=rules), "ifInOctets").lookups
    assert [(one.labels, one.labelname) for one in lookups] == [
        (("ifIndex",), "ifName"), (("ifIndex",), "ifDescr"), ((), "ifIndex"),
    ]  # fmt: skip


def test_a_lookup_may_start_from_the_label_of_another(tree: MibTree) -> None:
    rules = (LookupRule(("ifIndex",), "ifType"), LookupRule(("ifType",), "ifName"))
    found = metric(built_module(tree, "ifInOctets", lookups=rules), "ifInOctets")
    assert [one.labelname for one in found.indexes] == ["ifIndex", "ifType"]
    assert [one.labels for one in found.lookups] == [("ifIndex",), ("ifType",)]


KINDS = ((1, "other"), (6, "ethernetCsmacd"), (24, "softwareLoopback"))


def test_an_enumeration_as_a_label_shows_its_names_unless_its_type_is_overridden_by_gauge(tree: MibTree) -> None:
    rules = (LookupRule(("ifIndex",), "ifType"), LookupRule(("ifType",), "ifName"))
    found = metric(built_module(tree, "ifInOctets", lookups=rules), "ifInOctets")
    assert found.lookups[0] == Lookup(("ifIndex",), "ifType", "1.3.6.1.2.1.2.2.1.3", "EnumAsInfo", KINDS)
    assert found.indexes[-1] == Index("ifType", "EnumAsInfo", enum_values=KINDS)
    kept = (("ifType", Override(type="gauge")),)
    numbers = metric(built_module(tree, "ifInOctets", lookups=rules, overrides=kept), "ifInOctets")
    assert numbers.lookups[0] == Lookup(("ifIndex",), "ifType", "1.3.6.1.2.1.2.2.1.3", "gauge")
    assert numbers.indexes[-1] == Index("ifType", "gauge")


def test_a_lookup_from_the_label_of_another_whose_type_cannot_be_an_index_is_noted(tree: MibTree) -> None:
    rules = (LookupRule(("ifIndex",), "ifMtu"), LookupRule(("ifMtu",), "ifName"))
    built = built_of(tree, "ifInOctets", lookups=rules, overrides=(("ifMtu", Override(type="Double")),))
    assert [one.labelname for one in metric(built.module, "ifInOctets").indexes] == ["ifIndex"]
    assert any("no lookup can start from ifMtu" in note for note in built.notes)


def test_an_unused_lookup_is_noted(tree: MibTree) -> None:
    built = built_of(tree, "ifNumber", lookups=(LookupRule(("ifIndex",), "ifName"),))
    assert built.notes == ("lookup ifName is not used: no metric has the index ifIndex",)


@pytest.mark.parametrize(
    ("sources", "lookup", "rows"),
    [
        (("imNumber",), "extraValue", "its rows have the indexes imNumber, imName"),
        (("imNumber",), "ifNumber", "it is not in a table"),
        (("imNumber", "imName"), "ifName", "its rows have the indexes ifIndex"),
    ],
)
def test_a_lookup_by_other_indexes_than_its_column_has_is_noted(
    tree: MibTree, sources: tuple[str, ...], lookup: str, rows: str
) -> None:
    (note,) = built_of(tree, "impliedValue", lookups=(LookupRule(sources, lookup),)).notes
    assert note.startswith(f"lookup {lookup} by {', '.join(sources)} gives an empty label: {rows} (")


def test_a_lookup_by_the_only_index_of_its_column_may_have_another_name(tree: MibTree) -> None:
    assert built_of(tree, "impliedValue", lookups=(LookupRule(("imNumber",), "ifName"),)).notes == ()


def test_the_nearest_of_hint_and_convention_of_text_decides() -> None:
    def kind(*conventions: str, hint: str, depth: int) -> str:
        return metric_type(ObjectType("OCTETS", conventions, hint, hint_depth=depth))

    assert kind("Ours", "DisplayString", hint="1x:", depth=0) == "PhysAddress48"
    assert kind("Ours", "DisplayString", hint="255a", depth=1) == "DisplayString"
    assert kind("Ours", "DateAndTime", hint="255a", depth=0) == "DateAndTime"


# --- overrides and filters


def test_overrides_change_one_metric(tree: MibTree) -> None:
    extract = RegexExtract("Temp", (("(.*)C", "$1"), (".*", "0")))
    overrides = (
        ("ifSpeed", Override(scale=0.001, offset=-5.0, help="Kilo")),
        ("1.3.6.1.2.1.2.2.1.2", Override(regex_extracts=(extract,))),
        ("IF-MIB::ifMtu", Override(name="mtu")),
        ("ifType", Override(type="EnumAsInfo")),
        ("ifOperStatus", Override(type="EnumAsStateSet")),
        ("ifAdminStatus", Override(ignore=True)),
    )
    module = built_module(tree, "ifTable", overrides=overrides)
    speed = metric(module, "ifSpeed")
    assert (speed.scale, speed.offset, speed.help) == (0.001, -5.0, "Kilo")
    assert metric(module, "ifDescr").regex_extracts == (extract,)
    assert metric(module, "mtu").oid == "1.3.6.1.2.1.2.2.1.4"
    assert (metric(module, "ifType").type, metric(module, "ifOperStatus").type) == ("EnumAsInfo", "EnumAsStateSet")
    assert not {"ifMtu", "ifAdminStatus"} & set(names(module))


def test_an_override_finds_names_as_metrics_have_them(tree: MibTree) -> None:
    assert "t_dashed" not in names(built_module(tree, "acmeTypes", overrides=(("t_dashed", Override(ignore=True)),)))


def test_two_objects_with_one_name_are_noted(tree: MibTree) -> None:
    built = built_of(tree, "ifMtu", "ifSpeed", overrides=(("ifMtu", Override(name="ifSpeed")),))
    assert built.notes == (
        "ifSpeed is the name of both 1.3.6.1.2.1.2.2.1.4 and 1.3.6.1.2.1.2.2.1.5: rename or ignore one of them",
    )


def test_a_static_filter_fetches_some_rows_of_its_targets_and_of_what_they_label(tree: MibTree) -> None:
    module = built_module(tree, "ifInOctets", "ifMtu", lookups=(LookupRule(("ifIndex",), "ifName"),),
                  static_filters=(StaticFilter(("ifName",), ("1", "2")),))  # fmt: skip
    assert module.walk == ()
    columns = ("1.3.6.1.2.1.2.2.1.4", "1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.31.1.1.1.1")
    assert module.get == tuple(f"{column}.{row}" for column in columns for row in (1, 2))


def test_a_dynamic_filter_may_use_names(tree: MibTree) -> None:
    module = built_module(tree, "ifTable", filters=(Filter("ifAdminStatus", ("ifTable", "1.3.6.1.2.1.31"), ("1",)),))
    assert module.filters == (Filter("1.3.6.1.2.1.2.2.1.7", ("1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31"), ("1",)),)
    assert built_of(tree, "ifTable", filters=(Filter("no", ("ifTable",), ("1",)),)).missing == ("no (filter)",)


# --- display hints


def test_a_display_hint_is_given_or_taken_from_the_mib(tree: MibTree) -> None:
    overrides = (
        ("tPhys", Override(type="OctetString", display_hint="1x-")),
        ("tMac", Override(type="OctetString", display_hint="@mib")),
    )
    module = built_module(tree, "acmeTypes", overrides=overrides)
    assert (metric(module, "tPhys").display_hint, metric(module, "tMac").display_hint) == ("1x-", "1x:")
    rule = LookupRule(("maAddress",), "maAddress", display_hint="@mib")
    (lookup,) = metric(built_module(tree, "macValue", lookups=(rule,)), "macValue").lookups
    assert lookup.display_hint == "1x:"


def test_a_display_hint_without_effect_is_noted(tree: MibTree) -> None:
    overrides = (("tMac", Override(display_hint="1x-")), ("tOctets", Override(display_hint="@mib")))
    notes = built_of(tree, "tMac", "tOctets", overrides=overrides).notes
    assert any(note.startswith("display_hint of tMac has no effect on PhysAddress48") for note in notes)
    assert any(note.startswith("display_hint of tOctets is left out") for note in notes)
