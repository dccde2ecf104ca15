"""Damages recorded devices: missing rows, values of another type or out of range, wrong index lengths."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from tests.support.conformance import generated_values

SHARE = 0.06
"""The share of a device's objects that is changed."""
_NOT_TEXT = (ber.TIME_TICKS, ber.UINTEGER32)


def mangled(objects: Mapping[bytes, bytes], seed: str) -> dict[bytes, bytes]:
    """The objects of a device, with some of them changed; the same seed changes the same objects."""
    random = Random(seed)
    is_cut = random.random() < 0.2  # the device stops in the middle of its MIB
    changed: dict[bytes, bytes] = {}
    for name, value in objects.items():
        if random.random() >= SHARE:
            changed[name] = value
        elif random.random() < 0.3:
            changed[_elsewhere(name, random)] = value
        elif random.random() < 0.8:
            changed[name] = _other(value, random)
    if is_cut:
        names = sorted(changed, key=oid.decode_subids)
        changed = {name: changed[name] for name in names[: random.randrange(len(names) // 2, len(names))]}
    return changed


def _other(value: bytes, random: Random) -> bytes:
    """A replacement value: of the same type, or of any."""
    makers: tuple[generated_values.Maker, ...]
    if value[0] == ber.OCTET_STRING:
        makers = (generated_values.text, generated_values.some_octets, generated_values.date, generated_values.integer)
    elif random.random() < 0.5:
        makers = (
            generated_values.integer,
            generated_values.counter64,
            generated_values.opaque_float,
            generated_values.unsigned,
        )
    else:
        makers = (*generated_values.ANYTHING, generated_values.odd, generated_values.padded)
    other = random.choice(makers)(random)
    return other if other[0] not in _NOT_TEXT or value[0] != ber.OCTET_STRING else value


def _elsewhere(name: bytes, random: Random) -> bytes:
    """An OID with another index: cut short, too long, or another row."""
    subids = oid.decode_subids(name)
    last = random.choice((0, 1, 200, 255, 256, 1000))  # not large: snmp_exporter allocates memory for lengths
    return oid.encode_subids(random.choice((subids[:-1], (*subids, last), (*subids[:-1], last))))


def mib_of(objects: Mapping[bytes, bytes]) -> Mib:
    """A MIB of the remaining objects."""
    return Mib.of({name: value for name, value in objects.items() if len(name) > 1})
