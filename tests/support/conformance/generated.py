"""Generates random modules and devices from a seed: every type of metric, index and lookup, and edge values.

A case is a table of a few columns whose rows share their indexes, with some scalars. Most of it is valid, as in real
files, and some is not: missing rows, indexes that are too short or too long, values of another type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from promsnmp.snmp import ber
from tests.support.conformance import generated_values
from tests.support.exposition.reference import Case

METRIC_TYPES = (
    *(
        "gauge",
        "gauge",
        "gauge",
        "counter",
        "counter",
        "OctetString",
        "DisplayString",
        "DisplayString",
        "PhysAddress48",
    ),
    *("Float", "Double", "InetAddress", "InetAddressMissingSize", "InetAddressIPv4", "InetAddressIPv6", "LldpPortId"),
    *("DateAndTime", "ParseDateAndTime", "NTPTimeStamp", "EnumAsInfo", "EnumAsStateSet", "Bits"),
)
INDEX_TYPES = (
    *("gauge", "gauge", "gauge", "Integer", "Integer32", "counter", "PhysAddress48", "OctetString", "DisplayString"),
    *("InetAddressIPv4", "InetAddressIPv6", "InetAddress", "InetAddressMissingSize", "LldpPortId", "EnumAsInfo"),
)
LOOKUP_TYPES = (
    *("gauge", "DisplayString", "DisplayString", "OctetString", "PhysAddress48", "InetAddressIPv4", "InetAddressIPv6"),
    *("counter", "EnumAsInfo", "InetAddress", "InetAddressMissingSize", "LldpPortId"),
)
SUBIDS = (0, 1, 2, 7, 65, 97, 127, 128, 255, 256, 300, 65535, 2**31 - 1, 2**31, 2**32 - 1)
PATTERNS = ("%Y-%m-%d %H:%M:%S", "%Y%m%d", "%d/%b/%Y", "%s", "", "%H:%M %Z")
REGEXES = ("(.*)", r"(\d+)\..*", r".*?(-?\d+).*", "(?i)up", r"(\d+) C", r"0x(..).*", "(?:a|b)+", r"[^\x00]*", "1|12")
VALUES = ("$1", "1", "${1}0", "$1x", "$0", "0x$1p0", "")
FILTERS = ("", "^1$", "up", "[0-9]", "(?i)UP", "^$", "x", r"\.")
HELPS = ("-", "", "Plain words.", 'Odd "quotes" \\ and\nlines', " blanks ", "\u00fcmlaut \u2028", "a # b", "tab\there")
NAMES = ("ifX", "a_b", "x.y-z", "9lives", "\u00fcber", "with blank", "colon:ed", "_under")
Subids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: the sub-identifiers of each part of its index, and whether it is valid."""

    parts: tuple[Subids, ...]
    suffix: Subids


def case(number: int, seed: int) -> Case:
    """The case with this number and seed, which is always the same."""
    return _CaseGenerator(Random(f"{seed}.{number}")).case(f"made_{seed}_{number}")


def _dotted(*parts: int) -> str:
    return ".".join(map(str, parts))


class _CaseGenerator:
    """Builds one case."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.objects: dict[str, bytes] = {}
        self.is_invalid = random.random() < 0.3
        self.overlaps = random.random() < 0.15
        self.indexes = [self.index(at) for at in range(random.choice((0, 1, 1, 1, 2, 2, 3)))]
        self.has_ports = any(index["type"] == "LldpPortId" for index in self.indexes)
        self.rows = [self.row() for _ in range(random.choice((1, 3, 6, 12)) if self.indexes else 1)]
        self.columns = 20
        """The number of the column that was last added for a lookup."""

    def maybe(self, share: float) -> bool:
        return self.random.random() < share

    def case(self, name: str) -> Case:
        metrics = [self.metric(at) for at in range(1, self.random.choice((1, 2, 4)) + 1)]
        if self.overlaps:
            metrics += self.overlapping(metrics)
        if self.maybe(0.1):
            self.random.shuffle(metrics)
        module = self.module(metrics)
        filter_columns = tuple(f"{rule['oid']}." for rule in module.get("filters", ()))
        # Not in a filter's column: snmp_exporter would drop the filter.
        others = [at for at in self.objects if not at.startswith(filter_columns)]
        if others and self.maybe(0.05):
            self.objects[self.random.choice(others)] = generated_values.malformed(self.random)
        return Case(name, metrics, self.objects, module, version=self.random.choice((1, 2, 2, 2, 3)))

    # ----------------------------------------------------------------------------------------------------- indexes

    def index(self, at: int) -> dict[str, Any]:
        random, kind = self.random, self.random.choice(INDEX_TYPES)
        index: dict[str, Any] = {"labelname": random.choice(NAMES) if self.maybe(0.01) else f"i{at}", "type": kind}
        if kind in ("OctetString", "DisplayString") and self.maybe(0.4):
            index |= random.choice(({"fixed_size": 3}, {"fixed_size": 1}, {"implied": True}))
        if kind == "EnumAsInfo":
            index["enum_values"] = {1: "one", 2: 'tw"o', 7: ""}
        return index

    def row(self) -> Row:
        parts = tuple(self.part(index) for index in self.indexes)
        suffix = tuple(sub for part in parts for sub in part)
        if not self.indexes:
            suffix = () if self.maybe(0.05) else (0,)
        elif self.is_invalid and self.maybe(0.3):
            cut = self.random.randrange(len(suffix) + 1)
            suffix = self.random.choice(
                (suffix[:cut], (*suffix, 5), (*suffix, 0, 97, 300), (*suffix[:cut], *suffix[cut + 1 :]))
            )
        return Row(parts, suffix[:100])

    def part(self, index: dict[str, Any]) -> Subids:
        random, kind = self.random, index["type"]
        if kind in ("OctetString", "DisplayString"):
            size = index.get("fixed_size") or random.choice((0, 1, 2, 3, 6))
            content = self.characters(size)
            return content if "fixed_size" in index or "implied" in index else (size, *content)
        if kind == "PhysAddress48":
            return self.characters(6)
        if kind == "InetAddressIPv4":
            return self.characters(4)
        if kind == "InetAddressIPv6":
            return self.characters(16)
        if kind in ("InetAddress", "InetAddressMissingSize"):
            address_type, size = random.choice(((1, 4), (1, 4), (2, 16), (3, 8), (4, 20), (16, 5), (0, 0), (1, 3)))
            content = self.characters(size)
            return (address_type, size, *content) if kind == "InetAddress" else (address_type, *content)
        if kind == "LldpPortId":
            subtype = random.choice((1, 2, 3, 3, 4, 5, 5, 6, 7, 8))
            content = self.characters(6 if subtype == 3 else random.randrange(5))
            return (subtype, len(content), *content)
        if kind == "EnumAsInfo":
            return (random.choice((1, 2, 7, 9)),)
        # an index that is cut at another place makes a number a length, for which snmp_exporter allocates memory
        is_small = self.is_invalid or self.overlaps or self.has_ports or self.maybe(0.7)
        return (random.randrange(1, 40) if is_small else random.choice(SUBIDS),)

    def characters(self, size: int) -> Subids:
        odd = self.maybe(0.1)
        return tuple(
            self.random.choice((0, 34, 92, 10, 200, 255, 300)) if odd else self.random.randrange(97, 123)
            for _ in range(size)
        )

    # ----------------------------------------------------------------------------------------------------- metrics

    def metric(self, at: int) -> dict[str, Any]:
        random, kind = self.random, self.random.choice(METRIC_TYPES)
        column = 2 * at
        metric: dict[str, Any] = {"oid": f"1.{column}", "type": kind, "name": f"m{at}", "help": random.choice(HELPS)}
        if self.maybe(0.02):
            metric["name"] = random.choice((*NAMES, "m1", "i0"))
        if self.indexes:
            metric["indexes"] = self.indexes
        self.fill(f"1.{column}", kind)
        if kind in ("InetAddress", "InetAddressMissingSize", "LldpPortId"):
            self.fill(f"1.{column - 1}", "EnumAsInfo")
        if kind in ("EnumAsInfo", "EnumAsStateSet", "Bits"):
            metric["enum_values"] = random.choice(
                ({1: "up", 2: "down", 3: 'o"dd'}, {0: "a", 7: "b", 9: "c"}, {5: ""}, {})
            )
        if kind == "ParseDateAndTime":
            metric["datetime_pattern"] = random.choice(PATTERNS)
        if self.maybe(0.15):
            metric["scale"] = random.choice((0.1, 10.0, -1, 1e-9, 0.001))
        if self.maybe(0.15):
            metric["offset"] = random.choice((1, -273.15, 0.5))
        if self.maybe(0.2):
            metric["regex_extracts"] = {random.choice(("Temp", "", "A")): self.extracts(), "B": self.extracts()}
        if self.maybe(0.5):
            metric["lookups"] = self.lookups()
        return metric

    def extracts(self) -> list[dict[str, str]]:
        chosen = range(self.random.randrange(4))
        return [{"regex": self.random.choice(REGEXES), "value": self.random.choice(VALUES)} for _ in chosen]

    def fill(self, column: str, kind: str) -> None:
        """Values for most rows of a column."""
        sparse = self.maybe(0.3)
        for row in self.rows:
            if not (sparse and self.maybe(0.4)):
                name = ".".join((column, *map(str, row.suffix)))
                self.objects[name] = self.value(kind)

    def value(self, kind: str) -> bytes:
        value = generated_values.value_for(kind, self.random, wrong_types=self.is_invalid)
        is_text_elsewhere = self.overlaps and value[0] in (ber.TIME_TICKS, ber.UINTEGER32)
        return generated_values.integer(self.random) if is_text_elsewhere else value

    def overlapping(self, metrics: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """A metric whose OID is under, above or equal to that of another metric, or that has its name."""
        chosen = self.random.choice(metrics)
        # snmp_exporter has bugs with regex_extracts and with these types
        other = {key: value for key, value in chosen.items() if key != "regex_extracts"}
        if other["type"] in ("ParseDateAndTime", "EnumAsInfo", "EnumAsStateSet"):
            other = {key: value for key, value in other.items() if key != "enum_values"} | {"type": "DisplayString"}
        how = self.random.randrange(4)
        if how == 0 and self.rows[0].suffix:
            return [{**other, "name": "under", "oid": f"{other['oid']}.{self.rows[0].suffix[0]}"}]
        if how == 1:
            return [{**other, "name": "over", "oid": "1"}]
        if how == 2:
            return [{**other, "name": "again", "type": self.random.choice(METRIC_TYPES[:8])}]
        self.fill("1.19", other["type"])
        return [{**other, "oid": "1.19"}]

    # ----------------------------------------------------------------------------------------------------- lookups

    def lookups(self) -> list[dict[str, Any]]:
        lookups: list[dict[str, Any]] = []
        subids_of: dict[str, list[Subids | None]] = {
            index["labelname"]: [row.parts[at] for row in self.rows] for at, index in enumerate(self.indexes)
        }
        for at in range(self.random.choice((1, 1, 2, 3))):
            if self.maybe(0.15):
                lookups.append({"labels": [], "labelname": self.random.choice([*subids_of, "nothing"])})
            elif subids_of:
                lookups.append(self.lookup(at, subids_of))
        return lookups

    def lookup(self, at: int, subids_of: dict[str, list[Subids | None]]) -> dict[str, Any]:
        """A lookup by some labels, whose own label later lookups may use."""
        random, kind = self.random, self.random.choice(LOOKUP_TYPES)
        labels = random.sample(list(subids_of), min(len(subids_of), random.choice((1, 1, 1, 2))))
        if self.maybe(0.03):
            labels.append("nowhere")
        self.columns += 2
        results: list[Subids | None] = []
        for number in range(len(self.rows)):
            parts = [subids_of[label][number] if label in subids_of else () for label in labels]
            results.append(None if None in parts else self.looked_up([part or () for part in parts], kind))
        name = random.choice((f"l{at}", f"l{at}", f"l{at}", *subids_of))
        subids_of[name] = results
        return {"labels": labels, "labelname": name, "oid": f"1.{self.columns}", "type": kind}

    def looked_up(self, parts: Sequence[Subids], kind: str) -> Subids | None:
        """Adds a value at the index of the lookup; returns its sub-identifiers."""
        if self.maybe(0.15):
            return None
        at = [sub for part in parts for sub in part]
        value = self.value(kind if self.maybe(0.8) else "gauge")
        if self.maybe(0.3):
            value = generated_values.integer(self.random) if self.maybe(0.2) else generated_values.small(self.random)
        self.objects[_dotted(1, self.columns, *at)] = value
        if kind in generated_values.ASSOCIATED:
            subtype = self.random.choice(generated_values.ASSOCIATED[kind])
            self.objects[_dotted(1, self.columns - 1, *at)] = ber.encode_integer(subtype)
        tag_is_small = value[:2] == b"\x02\x01"
        return (value[2],) if tag_is_small and value[2] < 0x80 else None

    # ------------------------------------------------------------------------------------------------------ module

    def module(self, metrics: Sequence[dict[str, Any]]) -> dict[str, Any]:
        random = self.random
        module: dict[str, Any] = {}
        columns = sorted({".".join(name.split(".")[:2]) for name in self.objects})
        if self.maybe(0.3):
            module["walk"] = random.sample(columns, random.randrange(1, len(columns) + 1)) if columns else ["1"]
            if self.maybe(0.2):
                module["walk"] += [random.choice((*self.objects, "9", "1", metrics[0]["oid"]))]
        if self.maybe(0.2) and self.objects:
            some = list(self.objects)
            module["get"] = [random.choice((*some, *some, *some, "9.9.0")) for _ in range(random.choice((1, 3, 70)))]
        if self.maybe(0.3):
            module["max_repetitions"] = random.choice((0, 1, 2, 5, 100))
        if self.maybe(0.1) and columns:
            module["filters"] = [
                {
                    "oid": random.choice(columns),
                    "targets": random.sample(columns, 1),
                    "values": [random.choice(FILTERS)],
                }
                for _ in range(random.choice((1, 1, 2)))
            ]
        return module
