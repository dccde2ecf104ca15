"""Cases of what snmp_exporter 0.30.1 does not have, or does otherwise: newer keys, and intended differences.

There is no program to compare with, so each case has the samples that are right, by the documentation of the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promsnmp.snmp import ber
from tests.support.exposition.cases_filters import filtered
from tests.support.exposition.reference import Case, gauge32, integer, octets

ROW = {"labelname": "row", "type": "gauge"}
STATES = {1: "up", 2: "down"}
NAME = {"labels": ["row"], "labelname": "name", "oid": "2"}


@dataclass(frozen=True, slots=True)
class NewerCase:
    """A case, and the samples that its page must have, as lines of text format 0.0.4."""

    case: Case
    lines: tuple[str, ...]


def _lookup(name: str, value: bytes, text: str, **lookup: Any) -> NewerCase:
    """A lookup of one value, and the label that it gives."""
    metric = {"oid": "1", "type": "gauge", "indexes": [ROW], "lookups": [{**NAME, **lookup}]}
    case = Case(f"newer_lookup_{name}", [metric], {"1.5": integer(1), "2.5": value})
    return NewerCase(case, (f'm0{{name="{text}",row="5"}} 1',))


def _metric(case: str, value: bytes, /, *lines: str, **metric: Any) -> NewerCase:
    """A metric of one row 5."""
    return NewerCase(Case(f"newer_{case}", [{"oid": "1", "indexes": [ROW], **metric}], {"1.5": value}), lines)


def _index(name: str, rows: Mapping[str, str], *indexes: Mapping[str, Any]) -> NewerCase:
    """Rows, and the label ``i`` of each."""
    case = Case(
        f"newer_index_{name}",
        [{"oid": "1", "type": "gauge", "indexes": list(indexes)}],
        {f"1.{row}": integer(number) for number, row in enumerate(rows)},
    )
    return NewerCase(case, tuple(f'm0{{i="{text}"}} {number}' for number, text in enumerate(rows.values())))


def _filtered(name: str, lines: Sequence[str], *filters: Any, **more: Any) -> NewerCase:
    return NewerCase(filtered(f"newer_{name}", *filters, **more), tuple(lines))


MAC = octets(bytes.fromhex("001a2b3c4d5e"))
EXTRACT = {"T": [{"regex": "(.*)C", "value": "$1"}]}
PEERS = {
    **{f"1.2.{row}": gauge32(state) for row, state in (("0.1.10.0.0.1", 6), ("0.2.7", 3), ("1.9", 6))},
    **{f"1.3.{row}": integer(number) for number, row in enumerate(("0.1.10.0.0.1", "0.2.7", "1.9", "1"))},
}

NEWER = [
    _lookup("enum", integer(1), "up", type="EnumAsInfo", enum_values=STATES),
    _lookup("enum_without_a_name", integer(9), "9", type="EnumAsInfo", enum_values=STATES),
    _lookup("enum_of_a_gauge", gauge32(2), "down", type="EnumAsInfo", enum_values=STATES),
    _lookup("enum_of_text", octets("AB"), "0x4142", type="EnumAsInfo", enum_values={0: "zero"}),
    _lookup("names_of_another_type", integer(1), "1", type="gauge", enum_values=STATES),
    _lookup("hint", MAC, "00:1A:2B:3C:4D:5E", type="OctetString", display_hint="1x:"),
    _lookup("hint_without_type", octets(b"\x0a\0\0\1"), "10.0.0.1", display_hint="1d.1d.1d.1d"),
    _lookup("hint_of_another_type", octets("AB"), "AB", type="DisplayString", display_hint="1x:"),
    _lookup("hint_that_is_wrong", octets("AB"), "0x4142", display_hint="1q"),
    _lookup("hint_with_repeats", octets(b"\2\1\2\3"), "1.2/3", display_hint="*1d./1d"),
    _lookup("hint_for_a_number", integer(1234), "12.34", type="gauge", display_hint="d-2"),
    _lookup("without_type", octets("AB"), "0x4142"),
    _lookup("without_type_of_a_number", integer(65), "65"),
    _metric("hint", MAC, 'm0{m0="00:1A:2B:3C:4D:5E",row="5"} 1', type="OctetString", display_hint="1x:"),
    _metric("hint_255a", octets("text"), 'm0{m0="text",row="5"} 1', type="OctetString", display_hint="255a"),
    _metric("hint_of_text", octets("AB"), 'm0{m0="AB",row="5"} 1', type="DisplayString", display_hint="1x:"),
    _metric(
        "hint_before_extracts",
        octets(b"\x19C"),
        'm0T{row="5"} 25',
        type="OctetString",
        display_hint="1d1a",
        regex_extracts=EXTRACT,
    ),
    _metric(
        "scaled_extract",
        octets("250C"),
        'm0T{row="5"} 24',
        type="DisplayString",
        regex_extracts=EXTRACT,
        scale=0.1,
        offset=-1,
    ),
    _metric(
        "enum_as_its_own_index",
        integer(1),
        type="EnumAsInfo",
        enum_values=STATES,
        name="same",
        indexes=[{"labelname": "same", "type": "EnumAsInfo", "enum_values": STATES}],
    ),
    _metric("date_of_zeros", octets(bytes(8)), type="DateAndTime"),
    _metric("date_of_ff", octets(b"\xff" * 8), type="DateAndTime"),
    _metric("date_of_month_13", octets(bytes.fromhex("07e80d0100000000")), type="DateAndTime"),
    _filtered(
        "two_on_one_target",
        ['m2{i="1",state=""} 10', 'm2{i="4",state=""} 40'],
        ("1.2", ["1.3"], ["up"]),
        ("1.1", ["1.3"], ["[13451]"]),
    ),
    _filtered("two_that_exclude_each_other", [], ("1.2", ["1.3"], ["up"]), ("1.2", ["1.3"], ["down"])),
    _filtered(
        "prefix",
        ['m0{i="5"} 5', 'm3{i="1"} 100', 'm3{i="4"} 400'],
        ("1.2", ["1.10"], ["up"]),
        ("1.1", ["1.1"], ["5"]),
        walk=["1.10", "1.1"],
    ),
    NewerCase(
        Case(
            "newer_composite_filter",
            [{"oid": "1.3", "type": "gauge"}],
            PEERS,
            {"walk": ["1.3"], "filters": [{"oid": "1.2", "targets": ["1.3"], "values": ["^3$"]}]},
        ),
        ("m0 1",),
    ),
    _index(
        "mac_with_its_length", {"6.0.17.34.51.68.85": "00:11:22:33:44:55"}, {"labelname": "i", "type": "PhysAddress48"}
    ),
    _index("padded", {"72.0.0": "H", "72.73.0": "HI"}, {"labelname": "i", "type": "DisplayString", "fixed_size": 3}),
    _index("further_zero", {"1.0": "1", "2.0": "2"}, {"labelname": "i", "type": "gauge"}),
    _index("port", {"5.3.97.98.99": "abc", "7.1.97": "a"}, {"labelname": "i", "type": "LldpPortId"}),
    NewerCase(
        Case(
            "newer_lookup_with_a_further_zero",
            [{"oid": "1", "type": "gauge", "indexes": [ROW], "lookups": [{**NAME, "type": "DisplayString"}]}],
            {"1.5.0": integer(1), "2.5.0": octets("fan")},
        ),
        ('m0{name="fan",row="5"} 1',),
    ),
    NewerCase(
        Case(
            "newer_oid_that_is_too_long", [{"oid": "1", "type": "OctetString"}], {"1.0": ber.tlv(6, b"+" + bytes(127))}
        ),
        ('m0{m0=""} 1',),
    ),
    NewerCase(
        Case(
            "newer_scalar_at_the_end",
            [{"oid": "1", "type": "gauge", "indexes": [ROW]}],
            {"1.5": integer(3)},
            {"walk": ["1.5"]},
        ),
        ('m0{row="5"} 3',),
    ),
]
