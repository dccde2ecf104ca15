"""Cases for the comparison with snmp_exporter: walks, GETs, overlapping OIDs, names and help."""

from __future__ import annotations

from tests.support.exposition.reference import Case, integer, octets

ROW = {"labelname": "row", "type": "gauge"}
NAME = {"labels": ["row"], "labelname": "name", "oid": "2", "type": "DisplayString"}

OIDS = [
    Case(
        "nested",
        [
            {"oid": "1", "type": "gauge", "indexes": [ROW], "name": "outer"},
            {"oid": "1.2", "type": "gauge", "indexes": [ROW], "name": "inner"},
        ],
        {"1.1.5": integer(1), "1.2.6": integer(2), "1.3.7": integer(3)},
    ),
    Case(
        "nested_reversed",
        [
            {"oid": "1.2", "type": "gauge", "indexes": [ROW], "name": "inner"},
            {"oid": "1", "type": "gauge", "indexes": [ROW], "name": "outer"},
        ],
        {"1.1.5": integer(1), "1.2.6": integer(2), "1.3.7": integer(3)},
    ),
    Case(
        "same_oid",
        [{"oid": "1", "type": "gauge", "name": "first"}, {"oid": "1", "type": "counter", "name": "second"}],
        {"1.0": integer(1)},
    ),
    Case(
        "nested_lookup",
        [
            {"oid": "1", "type": "gauge", "indexes": [ROW], "lookups": [{**NAME, "oid": "2.1"}]},
            {"oid": "2", "type": "DisplayString", "indexes": [{"labelname": "c", "type": "gauge"}, ROW], "name": "t"},
        ],
        {"1.1": integer(1), "2.1.1": octets("eth0"), "2.2.1": octets("alias")},
    ),
    Case(
        "scalars_by_walk",
        [{"oid": "1", "type": "gauge"}, {"oid": "2", "type": "DisplayString"}],
        {"1.0": integer(1), "2.0": octets("x")},
        {"walk": ["1.0", "2.0"]},
    ),
    Case(
        "scalars_by_get",
        [{"oid": "1", "type": "gauge"}, {"oid": "2", "type": "DisplayString"}, {"oid": "3", "type": "gauge"}],
        {"1.0": integer(1), "2.0": octets("x")},
        {"walk": ["9"], "get": ["1.0", "2.0", "3.0"]},
    ),
    Case(
        "rows_by_get",
        [{"oid": "1", "type": "gauge", "indexes": [ROW], "lookups": [NAME]}],
        {"1.1": integer(1), "1.2": integer(2), "2.1": octets("one"), "2.2": octets("two")},
        {"walk": ["2"], "get": ["1.2"]},
    ),
    Case(
        "get_under_walk",
        [{"oid": "1", "type": "gauge", "indexes": [ROW]}],
        {"1.1": integer(1), "1.2": integer(2)},
        {"walk": ["1"], "get": ["1.2"]},
    ),
    Case(
        "get_of_the_root_of_a_walk",
        [{"oid": "1", "type": "gauge", "indexes": [ROW]}],
        {"1": integer(7), "1.5": integer(5)},
        {"walk": ["1"], "get": ["1"]},
    ),
    Case(
        "get_and_walk_of_one_scalar",
        [{"oid": "1", "type": "gauge"}],
        {"1.0": integer(7), "2.0": integer(5)},
        {"walk": ["2", "1.0"], "get": ["1.0", "1.0"]},
    ),
    Case(
        "overlapping_walks",
        [{"oid": "1", "type": "gauge", "indexes": [ROW]}],
        {"1.1": integer(1), "1.2": integer(2)},
        {"walk": ["1", "1.2", "1.1"]},
    ),
    Case(
        "metric_not_walked",
        [{"oid": "1", "type": "gauge", "indexes": [ROW]}, {"oid": "2", "type": "gauge", "indexes": [ROW]}],
        {"1.1": integer(1), "2.2": integer(2)},
        {"walk": ["1"]},
    ),
    Case(
        "lookup_not_walked",
        [{"oid": "1", "type": "gauge", "indexes": [ROW], "lookups": [NAME]}],
        {"1.1": integer(1), "2.1": octets("eth0")},
        {"walk": ["1"]},
    ),
    Case(
        "value_at_the_metric_itself",
        [{"oid": "1.1", "type": "gauge", "indexes": [ROW]}],
        {"1.1": integer(4)},
        {"walk": ["1"]},
    ),
    Case(
        "help_text",
        [
            {"oid": "1", "type": "gauge", "help": 'with \\ and "quotes" and\nlines'},
            {"oid": "2", "type": "gauge", "help": ""},
            {"oid": "3", "type": "counter", "help": " blanks "},
        ],
        {"1.0": integer(1), "2.0": integer(1), "3.0": integer(3)},
    ),
    Case("empty", [{"oid": "1", "type": "gauge"}], {"2.0": integer(1)}),
    Case(
        "unsorted_enum",
        [{"oid": "1", "type": "EnumAsStateSet", "enum_values": {5: "five", 1: "one", 3: "three"}}],
        {"1.0": integer(3)},
    ),
    Case(
        "two_metrics_one_name",
        [
            {"oid": "1", "type": "gauge", "name": "same", "indexes": [ROW]},
            {"oid": "2", "type": "gauge", "name": "same", "indexes": [{"labelname": "b", "type": "gauge"}]},
        ],
        {"1.1": integer(1), "2.1": integer(2)},
    ),
]
