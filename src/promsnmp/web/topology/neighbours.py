"""What the page of one device says about its neighbours, and about itself for those who are looked for. Pure.

Sources are the samples of any module that has the tables: those of LLDP and CDP (``neighbour_tables.py``), and the
forwarding tables of BRIDGE-MIB (RFC 4188, dot1dTpFdbTable) and Q-BRIDGE-MIB (RFC 4363, dot1qTpFdbTable).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from sys import getsizeof

from promsnmp.exposition.utilization.histogram import speed_of
from promsnmp.web.scrape_text import Sample, samples
from promsnmp.web.topology.neighbour_tables import (
    CDP_INDEX,
    LLDP_INDEX,
    MOST_TEXT,
    address_of,
    cdp_name,
    digits_of,
    table_rows,
)

MOST_NEIGHBOURS = 1_000
"""Of one device."""
MOST_LEARNED = 16
"""Addresses behind one port: a port with more leads to further switches, and says nothing about one device."""
MOST_PORTS = 1_000
MOST_SAMPLES = 200_000
"""Samples of a page that are read."""
MOST_ADDRESSES = 4_096
"""MAC addresses of one device's own interfaces."""
LLDP, CDP, FORWARDING = "lldp", "cdp", "fdb"

_NAMES = (
    "lldpRem|lldpLocChassisId|cdpCache|dot1dTpFdbPort|dot1qTpFdbPort|dot1dBasePortIfIndex|dot1dBaseBridgeAddress|"
    "ifHighSpeed|ifSpeed|ifOperStatus|ifPhysAddress"
)
_LINES = re.compile(rf"^(?:{_NAMES})[^\n]*", re.MULTILINE)
_OBJECT = 200
"""Octets of a neighbour or a learned port, without its texts."""


@dataclass(frozen=True, slots=True)
class Port:
    """An interface of a device: its name, the text of the labels of its samples, its speed in bit/s (0: unknown)."""

    name: str = ""
    key: str = ""
    speed: float = 0.0


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another device, as a device sees it at one of its ports. ``chassis`` in hexadecimal digits."""

    port: Port
    source: str
    chassis: str = ""
    name: str = ""
    address: str = ""
    remote_port: str = ""
    remote_description: str = ""


@dataclass(frozen=True, slots=True)
class Learned:
    """The MAC addresses that a bridge has learned at a port."""

    port: Port
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageFacts:
    """All of it. ``own`` are the chassis identifier and the MAC addresses of the device, in hexadecimal digits."""

    own: frozenset[str] = frozenset()
    neighbours: tuple[Neighbour, ...] = ()
    learned: tuple[Learned, ...] = ()


NO_FACTS = PageFacts()


def octets_of(facts: PageFacts) -> int:
    """About how much memory they take."""
    texts = [*facts.own]
    for one in facts.neighbours:
        texts += one.port.name, one.port.key, one.chassis, one.name, one.address, one.remote_port
        texts.append(one.remote_description)
    for seen in facts.learned:
        texts += seen.port.name, seen.port.key, *seen.addresses
    return _OBJECT * (1 + len(facts.neighbours) + len(facts.learned)) + sum(map(getsizeof, texts))


@dataclass(slots=True)
class _Interfaces:
    """The interfaces of a device, by everything that a neighbour table may call them."""

    by_index: dict[str, Port] = field(default_factory=dict)
    by_name: dict[str, Port] = field(default_factory=dict)

    def find(self, *names: str) -> Port | None:
        return next((port for name in names if name and (port := self.by_name.get(name.casefold()))), None)


def facts_of(text: Iterable[str]) -> PageFacts:
    """The facts of a page, in pieces of whole lines."""
    lines = ("\n".join(_LINES.findall(piece)) for piece in text)
    by_family: dict[str, list[Sample]] = {}
    for sample in islice(samples(lines, ("",)), MOST_SAMPLES):
        by_family.setdefault(_family(sample.name), []).append(sample)
    interfaces = _interfaces(by_family.get("if", ()))
    neighbours = [*_lldp(by_family.get("lldpRem", ()), interfaces), *_cdp(by_family.get("cdpCache", ()), interfaces)]
    own = {digits for sample in by_family.get("own", ()) for digits in _own_addresses(sample)}
    return PageFacts(
        frozenset(sorted(own)[:MOST_ADDRESSES]),
        tuple(neighbours[:MOST_NEIGHBOURS]),
        tuple(_learned(by_family, interfaces)[:MOST_PORTS]),
    )


def _family(name: str) -> str:
    if name in ("ifPhysAddress", "lldpLocChassisId", "dot1dBaseBridgeAddress"):
        return "own"
    return next((known for known in ("lldpRem", "cdpCache", "if") if name.startswith(known)), name)


def _own_addresses(sample: Sample) -> Iterable[str]:
    digits = digits_of(sample.labels.get(sample.name, ""))
    return (digits,) if digits.strip("0") else ()


def _interfaces(found: Iterable[Sample]) -> _Interfaces:
    values: dict[str, dict[str, float]] = {}
    labels: dict[str, Mapping[str, str]] = {}
    for sample in found:
        labels[sample.key] = sample.labels
        values.setdefault(sample.key, {})[sample.name] = sample.value
    made = _Interfaces()
    for key, known in labels.items():
        names = [known.get(name, "")[:MOST_TEXT] for name in ("ifName", "ifDescr", "ifAlias")]
        index = known.get("ifIndex", "")
        speed = speed_of(values[key].get("ifHighSpeed"), values[key].get("ifSpeed"))
        port = Port(next(filter(None, names[:2]), index[:MOST_TEXT]), key, speed)
        if index:
            made.by_index[index] = port
        for name in filter(None, names):
            made.by_name.setdefault(name.casefold(), port)
    return made


def _lldp(found: Iterable[Sample], interfaces: _Interfaces) -> Iterable[Neighbour]:
    for row in table_rows(found, LLDP_INDEX).values():
        local_id, local_descr = row.get("lldpLocPortId", ""), row.get("lldpLocPortDesc", "")
        number = row.get("lldpRemLocalPortNum", "")
        port = interfaces.find(local_id, local_descr)
        if port is None and not (local_id or local_descr):  # nothing but a number, which is mostly the ifIndex
            port = interfaces.by_index.get(number)
        yield Neighbour(
            port or Port((local_descr or local_id or number)[:MOST_TEXT]),
            LLDP,
            digits_of(row.get("lldpRemChassisId", "")),
            row.get("lldpRemSysName", "")[:MOST_TEXT],
            address_of(row.get("lldpRemManAddr", "")),
            row.get("lldpRemPortId", "")[:MOST_TEXT],
            row.get("lldpRemPortDesc", "")[:MOST_TEXT],
        )


def _cdp(found: Iterable[Sample], interfaces: _Interfaces) -> Iterable[Neighbour]:
    for row in table_rows(found, CDP_INDEX).values():
        index = row.get("cdpCacheIfIndex", "")
        yield Neighbour(
            interfaces.by_index.get(index)
            or Port((row.get("ifName", "") or row.get("ifDescr", "") or index)[:MOST_TEXT]),
            CDP,
            name=cdp_name(row.get("cdpCacheDeviceId", "")),
            address=address_of(row.get("cdpCacheAddress", "")),
            remote_port=row.get("cdpCacheDevicePort", "")[:MOST_TEXT],
        )


def _learned(by_family: Mapping[str, list[Sample]], interfaces: _Interfaces) -> list[Learned]:
    ports: dict[int, Port] = {}
    for sample in by_family.get("dot1dBasePortIfIndex", ()):
        number = sample.labels.get("dot1dBasePort", "")
        if number.isascii() and number.isdigit():
            known = interfaces.by_index.get(str(int(sample.value)))
            name = sample.labels.get("ifName", "") or sample.labels.get("ifDescr", "")
            ports[int(number[:9])] = known or Port(name[:MOST_TEXT] or f"port {number[:9]}")
    found: dict[int, set[str]] = {}
    for family, label in (("dot1dTpFdbPort", "dot1dTpFdbAddress"), ("dot1qTpFdbPort", "dot1qTpFdbAddress")):
        for sample in by_family.get(family, ()):
            digits = digits_of(sample.labels.get(label, ""))
            if len(digits) == 12 and sample.value > 0:
                behind = found.setdefault(int(sample.value), set())
                if len(behind) <= MOST_LEARNED:
                    behind.add(digits)
    return [
        Learned(ports.get(number) or Port(f"port {number}"), tuple(sorted(addresses)))
        for number, addresses in sorted(found.items())
        if len(addresses) <= MOST_LEARNED
    ]
