"""Cases for the comparison with snmp_exporter: rows chosen by ``filters``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.exposition.reference import Case, integer, octets

ROWS = {
    **{f"1.1.{row}": integer(row) for row in range(1, 6)},
    **{f"1.2.{row}": octets(text) for row, text in enumerate(["up", "down", "UP", "upper", ""], 1)},
    **{f"1.3.{row}": integer(row * 10) for row in range(1, 6)},
    **{f"1.10.{row}": integer(row * 100) for row in range(1, 6)},
}
INDEX = [{"labelname": "i", "type": "gauge"}]
METRICS = [
    {"oid": "1.1", "type": "gauge", "indexes": INDEX},
    {"oid": "1.2", "type": "DisplayString", "indexes": INDEX},
    {
        "oid": "1.3",
        "type": "gauge",
        "indexes": INDEX,
        "lookups": [{"labels": ["i"], "labelname": "state", "oid": "1.2", "type": "DisplayString"}],
    },
    {"oid": "1.10", "type": "gauge", "indexes": INDEX},
]


def filtered(
    name: str,
    *filters: tuple[str, Sequence[str], Sequence[str]],
    walk: Sequence[str] = ("1.3",),
    get: Sequence[str] = (),
    objects: Mapping[str, bytes] = ROWS,
    **more: Any,
) -> Case:
    case = [{"oid": oid, "targets": targets, "values": values} for oid, targets, values in filters]
    return Case(f"filter_{name}", METRICS, objects, {"walk": walk, "get": get, "filters": case, **more})


FILTERS = [
    filtered("simple", ("1.2", ["1.3"], ["up"])),
    filtered("anchored", ("1.2", ["1.3"], ["^up$"])),
    filtered("several_values", ("1.2", ["1.3"], ["^up$", "^$"])),
    filtered("case", ("1.2", ["1.3"], ["(?i)up"])),
    filtered("none", ("1.2", ["1.3"], ["x"])),
    filtered("several_targets", ("1.2", ["1.1", "1.3"], ["up"]), walk=["1.1", "1.3"]),
    filtered("not_walked_target", ("1.2", ["1.1", "1.3"], ["up"]), walk=["1.3"]),
    filtered("walked_filter", ("1.2", ["1.3"], ["up"]), walk=["1.2", "1.3"]),
    filtered("table_walked", ("1.2", ["1.3"], ["up"]), walk=["1"]),
    filtered("by_number", ("1.1", ["1.3"], ["^[23]$"])),
    filtered("own_target", ("1.3", ["1.3"], ["[23]0"])),
    filtered("two", ("1.2", ["1.3"], ["up"]), ("1.1", ["1.1"], ["5"]), walk=["1.1", "1.3"]),
    filtered("gets", ("1.2", ["1.3"], ["up"]), walk=["1.1"], get=["1.3.5", "1.10.2"]),
    filtered("of_nothing", ("9", ["1.3"], ["up"])),
    filtered("many_at_once", ("1.2", ["1.1", "1.3", "1.10"], [""]), max_repetitions=2),
]
