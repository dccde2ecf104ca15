"""Decides whether two sightings are of the same device, by their identifiers; without I/O.

No single identifier is enough. A sysName may be a factory default, an engine id may have been copied with a
configuration or a disk image, a MAC address may belong to a cluster, an IP address to another device since today's DHCP
lease. So identifiers are weighed: hardware (serial numbers, MAC addresses) counts most, and the answer may be
"unknown". Merging two devices loses one of them, while splitting one device is visible: in doubt they are two. A clone
(of a disk image, a virtual machine, a configuration) has all that software keeps, the name and the engine id, so these
prove nothing without the same start. ``claims.py`` and ``merge.py`` then apply the decision. docs/how-to/discovery.md
explains the same to operators.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from promsnmp.inventory.index import name_key
from promsnmp.inventory.model import AgentEndpoint, Device
from promsnmp.snmp.credentials import Credentials


class Verdict(Enum):
    """The result of comparing two sightings."""

    SAME = "one device"
    DIFFERENT = "two devices"
    UNKNOWN = "the identifiers do not decide"


MAX_IDENTIFIERS = 8
"""MAC addresses, and serial numbers, that are kept per device."""
WRAP = (1 << 32) / 100
"""Seconds after which sysUpTime wraps to 0 (RFC 3418)."""
SURELY_SAME, SURELY_OTHER = 3.0, 60.0
"""Two start times are the same up to the first, and different from the second number of seconds. Both grow with the
time between the sightings, as clocks of devices run fast or slow: by DRIFT and LARGEST_DRIFT; the first up to
LARGEST_SAME, since machines that start together after a power failure must not become one."""
DRIFT, LARGEST_DRIFT = 1e-4, 1e-3
LARGEST_SAME = 15.0
FEW_MACS = 4
"""One MAC address in common is not enough between devices that have so many: aggregates and pairs of switches share
one."""

_SHARED_MACS = (
    "00005e",  # IANA's: VRRP, RFC 5798 section 7.3; CARP; documentation, RFC 7042
    "00000c07ac", "00000c9f", "000573a0",  # HSRP 1, HSRP 2, HSRP for IPv6
    "0007b400",  # GLBP
    "00090f09", "001b1700", "0010dbff",  # clusters of FortiGate, PAN-OS, Junos
    "002304eebe", "443839ff", "001c73000099",  # pairs of switches: vPC, Cumulus MLAG, Arista VARP
    "005056c0000", "204153594eff", "505054503030",  # the same on all: VMware's host adapters, Windows's RAS and PPTP
    "0000000000", "001122334455", "000102030405", "001234567",  # never set
)  # fmt: skip
"""Prefixes of MAC addresses that several devices have."""
_DEFAULT_NAMES = frozenset(
    """switch router mikrotik localhost localhost.localdomain ubnt unifi debian ubuntu raspberrypi openwrt (none) none
    unknown default system sysname name hostname device host server printer ap accesspoint firewall gateway modem ups
    nas snmp agent test linux windows cisco juniper arista huawei hp aruba zyxel netgear d-link tp-link edgeswitch
    edgerouter pfsense opnsense freenas truenas esxi vmware""".split()  # noqa: SIM905
)
_NO_SERIALS = re.compile(
    r"(?i)n[/.]?a\.?|[(<]?(none|null|unknown|undefined|unspecified|invalid|empty|oem|o\.e\.m\.)[)>]?|default( string)?|"
    r"not .*|no (serial|asset).*|to be filled.*|(system|chassis|base ?board) serial.*|serial ?(number|no\.?)?|"
    r"0?1234(5(6(7(89.*|8)?)?)?)?|[0.x-]+|(?P<one>.)(?P=one)*"
)
_IPV4, _MAC, _TEXT = 1, 3, 4
"""Formats of an engine id, its fifth octet (RFC 3411 section 5, SnmpEngineID)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """An agent that answered, and its values; None for values that it was not asked for or did not give."""

    endpoint: AgentEndpoint
    credentials: Credentials
    seen: float
    """Unix time."""
    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    sys_contact: str | None = None
    sys_location: str | None = None
    engine_id: str = ""
    """Hexadecimal."""
    serial_numbers: frozenset[str] = frozenset()
    mac_addresses: frozenset[str] = frozenset()
    local_mac_addresses: frozenset[str] = frozenset()
    """Those that software assigned."""
    booted: float | None = None
    """Unix time at which the agent started."""
    vendor: str = ""
    model: str = ""
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traits:
    """The values of a sighting to compare; empty for unknown."""

    name: str = ""
    is_own_name: bool = True
    """Whether it is the device's own name; otherwise an operator may have given it."""
    object_id: str = ""
    engines: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    macs: frozenset[str] = frozenset()
    local_macs: frozenset[str] = frozenset()
    """Assigned by software: a common one proves nothing, but one device does not have entirely different ones."""
    booted: float | None = None
    seen: float = 0.0


def traits_of(facts: Facts) -> Traits:
    """The traits of an agent that has just answered."""
    return Traits(
        name=name_key(facts.sys_name or ""),
        object_id=facts.sys_object_id or "",
        engines=_engines([facts.engine_id]),
        serials=facts.serial_numbers,
        macs=facts.mac_addresses,
        local_macs=facts.local_mac_addresses,
        booted=facts.booted,
        seen=facts.seen,
    )


def known_traits(device: Device) -> Traits:
    """The traits of a device in the inventory; one that was never seen has only a name, perhaps not its own."""
    identifiers = device.identifiers
    return Traits(
        name=name_key(identifiers.sys_name if device.last_seen else device.sys_name),
        is_own_name=device.last_seen is not None,
        object_id=device.sys_object_id,
        engines=_engines(agent.engine_id for agent in device.agents),
        serials=frozenset(identifiers.serial_numbers),
        macs=frozenset(identifiers.mac_addresses),
        local_macs=frozenset(identifiers.local_mac_addresses),
        booted=_unix(identifiers.booted_at),
        seen=_unix(device.last_seen) or 0.0,
    )


def _unix(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def _engines(engine_ids: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(is_distinctive_engine, engine_ids))


def compare(known: Traits, new: Traits) -> Verdict:
    """Whether ``new`` is the device ``known``, only by identifiers, wherever they were seen.

    1. The hardware of both is known and has nothing in common: two devices.
    2. Common hardware: one device, unless it has two names (contexts of one chassis, or renamed), or two engine ids and
       no serial number (two agents of one host).
    3. Hardware unknown: two kinds of devices (sysObjectID) without a common engine id are two devices. So are two that
       ran at the same time with entirely different MAC addresses, those assigned by software included, or with two
       names that started at different times. So are two names with two engine ids.
    4. The same name, not a factory default, and the same start time: one device, unless engine ids or MAC addresses
       contradict.
    """
    hardware = _hardware(known, new)
    if hardware is False:
        return Verdict.DIFFERENT
    names, engines = _names(known, new), _common(known.engines, new.engines)
    if hardware:
        two = names is False or (engines is False and not known.serials & new.serials)
        return Verdict.UNKNOWN if two else Verdict.SAME
    started = _started_together(known, new)
    is_other_kind = bool(known.object_id and new.object_id) and known.object_id != new.object_id
    other_macs = _common(known.macs | known.local_macs, new.macs | new.local_macs) is False
    if (is_other_kind and not engines) or (other_macs and ran_together(known, new)):
        return Verdict.DIFFERENT
    if names is False:
        return Verdict.DIFFERENT if engines is False or started is False else Verdict.UNKNOWN
    agree = started is True and engines is not False and not other_macs
    return Verdict.SAME if agree and names and is_distinctive(new.name) else Verdict.UNKNOWN


def _common(known: AbstractSet[str], new: AbstractSet[str]) -> bool | None:
    """Whether both have a common element; None when one of them is empty."""
    return bool(known & new) if known and new else None


def _hardware(known: Traits, new: Traits) -> bool | None:
    """Whether they have common hardware; False when serial numbers or MAC addresses contradict."""
    serials, macs = _common(known.serials, new.serials), _common(known.macs, new.macs)
    if serials is False or macs is False:
        return False
    is_shared = len(known.macs & new.macs) == 1 and min(len(known.macs), len(new.macs)) >= FEW_MACS
    return True if serials or (macs and not is_shared) else None


def _names(known: Traits, new: Traits) -> bool | None:
    if not known.name or not new.name:
        return None
    if known.name == new.name:
        return True
    return False if known.is_own_name else None


def _started_together(known: Traits, new: Traits) -> bool | None:
    """True: same start time. False: different start times, and both ran at the same time, which one agent cannot."""
    if known.booted is None or new.booted is None:
        return None
    apart = (new.booted - known.booted) % WRAP
    apart = min(apart, WRAP - apart)
    elapsed = abs(new.seen - known.seen)
    if apart <= min(SURELY_SAME + DRIFT * elapsed, LARGEST_SAME):
        return True
    other = SURELY_OTHER + LARGEST_DRIFT * elapsed
    return False if apart > other and ran_together(known, new) else None


def ran_together(known: Traits, new: Traits) -> bool:
    """Whether both agents were surely running at one time, each since before the other was seen."""
    if known.booted is None or new.booted is None:
        return False
    other = SURELY_OTHER + LARGEST_DRIFT * abs(new.seen - known.seen)
    return max(known.booted, new.booted) < min(known.seen, new.seen) - other


def is_distinctive(name: str) -> bool:
    """Whether a name identifies a device: neither empty nor a factory default."""
    return bool(name) and name_key(name) not in _DEFAULT_NAMES


def is_distinctive_engine(engine_id: str) -> bool:
    """Whether an engine id (hexadecimal) may identify an agent: it is not made of an address or a text that many have.

    Its octets follow RFC 3411 section 5 (SnmpEngineID): the format is in the fifth where the first bit is set.
    """
    octets = bytes.fromhex(engine_id)
    kind, rest = (octets[4], octets[5:]) if len(octets) > 5 and octets[0] & 0x80 else (0, octets[4:])
    if len(set(rest)) < 2:
        return False
    if kind == _IPV4:
        return rest[0] not in (0, 127)
    if kind == _MAC:
        return not rest.hex().startswith(_SHARED_MACS)
    return kind != _TEXT or is_distinctive(rest.decode(errors="replace"))


def distinctive_macs(addresses: Iterable[bytes]) -> frozenset[str]:
    """The MAC addresses that identify one device, as hexadecimal text; at most MAX_IDENTIFIERS.

    Leaves out addresses that several devices have, and those assigned by software (the U/L bit, IEEE 802): containers
    and bridges use the same ones everywhere. The choice does not depend on how many there are, so that a device with a
    new module still shares some with its earlier sighting.
    """
    own = {one for one in _own_macs(addresses) if not one[0] & 2}
    return frozenset(one.hex() for one in sorted(own, key=lambda one: (zlib.crc32(one), one))[:MAX_IDENTIFIERS])


def local_macs(addresses: Iterable[bytes]) -> frozenset[str]:
    """The MAC addresses of a device that software assigned, as hexadecimal text; the first MAX_IDENTIFIERS.

    In the order of interfaces: those of virtual machines come first, those of their containers, which change, last.
    """
    own = dict.fromkeys(one for one in _own_macs(addresses) if one[0] & 2)
    return frozenset(one.hex() for one in list(own)[:MAX_IDENTIFIERS])


def _own_macs(addresses: Iterable[bytes]) -> Iterable[bytes]:
    return (one for one in addresses if len(one) == 6 and not one[0] & 1 and not one.hex().startswith(_SHARED_MACS))


def distinctive_serials(numbers: Iterable[str]) -> frozenset[str]:
    """The real serial numbers, without fillers such as ``N/A`` or ``0000``."""
    own = {number.strip() for number in numbers}
    return frozenset(sorted(one for one in own if len(one) > 3 and not _NO_SERIALS.fullmatch(one))[:MAX_IDENTIFIERS])
