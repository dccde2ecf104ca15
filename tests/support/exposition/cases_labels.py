"""Cases for the comparison with snmp_exporter: every type of index, and lookups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promsnmp.snmp import ber, oid
from tests.support.exposition.reference import Case, counter64, integer, octets

ROW = {"labelname": "row", "type": "gauge"}
"""An index of a single number."""


def _index(name: str, rows: Mapping[str, int], *indexes: Mapping[str, Any], lookups: Any = ()) -> Case:
    """A column ``1`` of numbers whose rows have the given index."""
    metric = {"oid": "1", "type": "gauge", "indexes": list(indexes), "lookups": list(lookups)}
    return Case(f"index_{name}", [metric], {f"1.{row}": integer(number) for row, number in rows.items()})


STRING_ROWS = {
    "3.97.98.99": 1,
    "0": 2,
    "2.97.98.99": 4,
    "2.195.188": 5,
    "3.34.92.10": 7,
    "2.353.610": 8,
}
INDEXES = [
    *(
        _index(kind, {"0": 0, "7": 1, "4294967295": 2, "300.1": 4}, {"labelname": "i", "type": kind})
        for kind in ("Integer32", "Integer", "gauge", "counter")
    ),
    _index("OctetString", {**STRING_ROWS, "5.97.98": 9}, {"labelname": "i", "type": "OctetString"}, ROW),
    _index("DisplayString", STRING_ROWS, {"labelname": "i", "type": "DisplayString"}, ROW),
    *(
        _index(
            f"{kind}_fixed",
            {"97.98.99.5": 1, "97.353.99.6.7": 4, **more},
            {"labelname": "i", "type": kind, "fixed_size": 3},
            ROW,
        )
        for kind, more in (("OctetString", {"97.98": 2, "0.0.0": 3}), ("DisplayString", {}))
    ),
    *(
        _index(
            f"{kind}_implied",
            {"1.97.98.99": 1, "2": 2, "3.97": 3},
            ROW,
            {"labelname": "i", "type": kind, "implied": True},
        )
        for kind in ("OctetString", "DisplayString")
    ),
    _index(
        "mac",
        {"1.2.3.170.187.204": 1, "1.2": 2, "1.2.3.4.5.6.7": 3, "255.256.300.0.0.1": 4},
        {"labelname": "i", "type": "PhysAddress48"},
        ROW,
    ),
    _index(
        "ipv4",
        {"10.0.0.1": 1, "10.0": 2, "10.0.0.1.9": 3, "10.0.256.999": 4},
        {"labelname": "i", "type": "InetAddressIPv4"},
        ROW,
    ),
    _index(
        "ipv6",
        {".".join(map(str, range(16))): 1, "254.128": 2, ".".join(["255"] * 17): 3},
        {"labelname": "i", "type": "InetAddressIPv6"},
        ROW,
    ),
    _index(
        "InetAddress",
        {
            "1.4.10.0.0.1": 1,
            "2.16." + ".".join(map(str, range(16))): 2,
            "3.8.10.0.0.1.0.0.0.9": 3,
            "0.0": 4,
            "16.3.97.98.99": 5,
            "1.4.10.0": 6,
            "1.4.10.0.0.1.77": 7,
            "3.2.9.9.77": 8,
            "4.20.1.2.3": 9,
            "1.2.10.0.5": 10,
        },
        {"labelname": "i", "type": "InetAddress"},
        ROW,
    ),
    _index(
        "InetAddressMissingSize",
        {
            "1.10.0.0.1": 1,
            "2." + ".".join(map(str, range(16))): 2,
            "3.10.0.0.1.0.0.0.9": 3,
            "0": 4,
            "16.97.98.99": 5,
            "1.10.0.0.1.77": 6,
        },
        {"labelname": "i", "type": "InetAddressMissingSize"},
        ROW,
    ),
    _index(
        "LldpPortId",
        {
            "3.6.1.2.3.4.5.6.9": 1,
            "4.5.1.10.0.0.1.9": 3,
            "6.1.66.9": 7,
            "9.0.4": 8,
            "3.6.1.2": 9,
        },
        {"labelname": "i", "type": "LldpPortId"},
        ROW,
    ),
    _index(
        "enum", {"1": 1, "2": 2, "9": 3}, {"labelname": "i", "type": "EnumAsInfo", "enum_values": {1: "one", 2: 'tw"o'}}
    ),
    _index(
        "several",
        {"1.2.97.98.10.0.0.1.3.98.99.100": 1},
        ROW,
        {"labelname": "s", "type": "DisplayString"},
        {"labelname": "a", "type": "InetAddressIPv4"},
        {"labelname": "t", "type": "OctetString"},
    ),
    _index("none", {"0": 5}),
    _index("same_twice", {"1.2": 5}, ROW, ROW),
    _index(
        "high_subids",
        {"1.4294967295.2": 5},
        ROW,
        {"labelname": "b", "type": "gauge"},
        {"labelname": "c", "type": "gauge"},
    ),
]


def _lookup(labelname: str, column: str, kind: str, *labels: str) -> dict[str, Any]:
    return {"labels": list(labels or ("row",)), "labelname": labelname, "oid": column, "type": kind}


def _looked_up(
    name: str, objects: Mapping[str, bytes], *lookups: Any, indexes: Any = (ROW,), kind: str = "gauge"
) -> Case:
    metric = {"oid": "1", "type": kind, "indexes": list(indexes), "lookups": list(lookups), "name": "value"}
    return Case(f"lookup_{name}", [metric], {"1.1": integer(5), "1.2": integer(6), **objects})


NAMES = {"2.1": octets("eth0"), "2.2": octets("")}
LOOKUPS = [
    *(
        _looked_up(
            f"{kind}",
            {
                **NAMES,
                "3.1": integer(-5),
                "4.1": octets(b"\1\2\3\4\5\6"),
                "5.1": ber.tlv(ber.IP_ADDRESS, b"\1\2\3\4"),
                "6.1": ber.tlv(6, oid.encode("1.3.6.1.2")),
                "7.1": counter64(2**64 - 1),
            },
            *(_lookup(f"l{at}", f"{at}", kind) for at in range(2, 8)),
        )
        for kind in (
            "gauge",
            "DisplayString",
            "OctetString",
            "PhysAddress48",
            "InetAddressIPv4",
            "InetAddressIPv6",
            "counter",
            "EnumAsInfo",
        )
    ),
    _looked_up("missing", {"2.1": octets("eth0")}, _lookup("name", "2", "DisplayString")),
    _looked_up("missing_column", {}, _lookup("name", "2", "DisplayString")),
    _looked_up(
        "deleted",
        NAMES,
        _lookup("name", "2", "DisplayString"),
        {"labels": [], "labelname": "row"},
    ),
    _looked_up("delete_then_use", NAMES, {"labels": [], "labelname": "row"}, _lookup("name", "2", "DisplayString")),
    _looked_up("delete_missing", NAMES, {"labels": [], "labelname": "nothing"}),
    _looked_up("delete_looked_up", NAMES, _lookup("name", "2", "DisplayString"), {"labels": [], "labelname": "name"}),
    _looked_up("replace_index", {"2.1": integer(11), "2.2": integer(12)}, _lookup("row", "2", "gauge")),
    _looked_up(
        "chain",
        {"2.1": integer(10), "2.2": integer(20), "3.10": octets("ten"), "3.20": octets("twenty")},
        _lookup("parent", "2", "gauge"),
        _lookup("name", "3", "DisplayString", "parent"),
    ),
    _looked_up(
        "chain_missing",
        {"2.1": integer(10), "3.10": octets("ten"), "3.0": octets("zero")},
        _lookup("parent", "2", "gauge"),
        _lookup("name", "3", "DisplayString", "parent"),
    ),
    _looked_up(
        "chain_deleted",
        {"2.1": integer(10), "2.2": integer(20), "3.10": octets("ten"), "3.20": octets("twenty")},
        _lookup("parent", "2", "gauge"),
        _lookup("name", "3", "DisplayString", "parent"),
        {"labels": [], "labelname": "parent"},
    ),
    _looked_up(
        "chain_text",
        {
            "2.1": octets("ab"),
            "2.2": octets("a"),
            "3.2.97.98": octets("counted"),
            "3.97.98": octets("plain"),
            "3.97": octets("first"),
            "3.0": octets("zero"),
        },
        _lookup("parent", "2", "DisplayString"),
        _lookup("name", "3", "DisplayString", "parent"),
    ),
    _looked_up(
        "chain_negative",
        {"2.1": integer(-1), "2.2": counter64(2**32 + 7), "3.4294967295": octets("minus"), "3.7": octets("seven")},
        _lookup("parent", "2", "gauge"),
        _lookup("name", "3", "DisplayString", "parent"),
    ),
    _looked_up(
        "chain_gauge_octets",
        {"2.1": octets(b"\x07\x08"), "2.2": octets(b""), "3.7": octets("seven"), "3.0": octets("none")},
        _lookup("parent", "2", "gauge"),
        _lookup("name", "3", "DisplayString", "parent"),
    ),
    _looked_up(
        "chain_back",
        {"2.1": integer(10), "2.2": integer(20), "3.1": octets("one"), "3.2": octets("two"), "3.10": octets("ten")},
        _lookup("row", "2", "gauge"),
        _lookup("name", "3", "DisplayString"),
    ),
    _looked_up(
        "unknown_label", {"2.1": octets("x"), "2.0": octets("scalar")}, _lookup("name", "2", "DisplayString", "nowhere")
    ),
    _looked_up(
        "unknown_label_besides",
        {"2.1": octets("x"), "2.2": octets("y")},
        _lookup("after", "2", "DisplayString", "row", "nowhere"),
        _lookup("before", "2", "DisplayString", "nowhere", "row"),
    ),
    Case(
        "lookup_by_an_empty_rest",
        [
            {
                "oid": "1",
                "type": "gauge",
                "indexes": [ROW, {"labelname": "rest", "type": "DisplayString", "implied": True}],
                "lookups": [_lookup("both", "2", "DisplayString", "row", "rest")],
            }
        ],
        {"1.1.97": integer(1), "1.2": integer(2), "2.1.97": octets("a"), "2.2": octets("nothing left")},
    ),
    _looked_up(
        "associated",
        {"2.1": integer(1), "2.2": integer(2), "3.1": octets(b"\1\2\3\4"), "3.2": octets(bytes(range(16)))},
        _lookup("address", "3", "InetAddress"),
    ),
    _looked_up(
        "associated_port",
        {"2.1": integer(3), "2.2": integer(5), "3.1": octets(b"\1\2\3\4\5\6"), "3.2": octets("ge-0")},
        _lookup("port", "3", "LldpPortId"),
    ),
    Case(
        "lookup_two_labels",
        [
            {
                "oid": "1",
                "type": "gauge",
                "indexes": [ROW, {"labelname": "b", "type": "DisplayString"}],
                "lookups": [
                    _lookup("ab", "2", "DisplayString", "row", "b"),
                    _lookup("ba", "3", "DisplayString", "b", "row"),
                    _lookup("only_b", "4", "DisplayString", "b"),
                ],
            }
        ],
        {
            "1.7.2.97.98": integer(1),
            "2.7.2.97.98": octets("row b"),
            "3.2.97.98.7": octets("b row"),
            "4.2.97.98": octets("b"),
        },
    ),
    Case(
        "lookup_of_inet_index",
        [
            {
                "oid": "1",
                "type": "gauge",
                "indexes": [{"labelname": "a", "type": "InetAddress"}],
                "lookups": [_lookup("name", "2", "DisplayString", "a")],
            }
        ],
        {
            "1.1.4.10.0.0.1": integer(1),
            "2.1.4.10.0.0.1": octets("with type and size"),
            "1.4.3.1.2.3": integer(2),
            "2.4.3.1.2.3": octets("unknown type"),
        },
    ),
    _looked_up("named_as_metric", NAMES, _lookup("value", "2", "DisplayString"), kind="DisplayString"),
    Case(
        "index_named_as_metric",
        [{"oid": "1", "type": "DisplayString", "indexes": [{"labelname": "same", "type": "gauge"}], "name": "same"}],
        {"1.4": octets("text")},
    ),
]
