"""Whether two sightings are of one device: the rules, apart from what is done with them.

No single mark is enough. A sysName may be a factory default, an engine id may have been copied with a configuration or
a disk image, a MAC address may belong to a cluster, an address to whoever got it by DHCP today. So marks are weighed:
what speaks of hardware (serial numbers, MAC addresses) counts most, and where the marks do not say, the answer is that
it is not known. Taking two devices for one loses one of them; taking one for two shows. In doubt they are two.
docs/how-to/discovery.md tells the same to operators.
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
    """What the marks say of two sightings."""

    SAME = "one device"
    DIFFERENT = "two devices"
    UNKNOWN = "the marks do not say"


MAX_IDENTIFIERS = 8
"""MAC addresses, and serial numbers, that are kept of a device."""
WRAP = (1 << 32) / 100
"""Seconds after which sysUpTime begins at 0 again (RFC 3418)."""
SURELY_SAME, SURELY_OTHER = 3.0, 60.0
"""Seconds between two starts up to which they are one, and from which they are two; both grow with the time between
the sightings, as clocks of devices run fast or slow: by DRIFT, and by LARGEST_DRIFT at most."""
DRIFT, LARGEST_DRIFT = 1e-4, 1e-3

_CLUSTERS = tuple(bytes.fromhex(prefix) for prefix in (
    "00005e0001", "00005e0002",  # VRRP, RFC 5798 section 7.3; CARP
    "00000c07ac", "00000c9f", "000573a0",  # HSRP 1, HSRP 2, HSRP for IPv6
    "0007b400",  # GLBP
    "00090f09", "001b1700", "0010dbff",  # clusters of FortiGate, PAN-OS, Junos
))  # fmt: skip
_DEFAULT_NAMES = frozenset(
    """switch router mikrotik localhost localhost.localdomain ubnt unifi debian ubuntu raspberrypi openwrt (none) none
    unknown default system sysname name hostname device host server printer ap accesspoint firewall gateway modem ups
    nas snmp agent test linux windows cisco juniper arista huawei hp aruba zyxel netgear d-link tp-link edgeswitch
    edgerouter pfsense opnsense freenas truenas esxi vmware""".split()  # noqa: SIM905
)
_NO_SERIALS = re.compile(
    r"(?i)n/?a|none|null|unknown|default|not (specified|available|applicable|set|present)|to be filled.*|"
    r"system serial.*|serial ?(number|no)?|chassis serial.*|0?123456789.*|[0.x-]+|(.)\2*"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """An agent that answered, and what it said; None is what it was not asked for or did not answer."""

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
    booted: float | None = None
    """Unix time at which the agent started."""
    vendor: str = ""
    model: str = ""
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traits:
    """What is compared of two sightings; empty is what is not known."""

    name: str = ""
    is_own_name: bool = True
    """Whether the device calls itself so; else somebody else may have named it."""
    object_id: str = ""
    engines: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    macs: frozenset[str] = frozenset()
    booted: float | None = None
    seen: float = 0.0


def traits_of(facts: Facts) -> Traits:
    """The traits of somebody who just answered."""
    return Traits(
        name=name_key(facts.sys_name or ""),
        object_id=facts.sys_object_id or "",
        engines=frozenset(filter(None, [facts.engine_id])),
        serials=facts.serial_numbers,
        macs=facts.mac_addresses,
        booted=facts.booted,
        seen=facts.seen,
    )


def known_traits(device: Device) -> Traits:
    """The traits of a device of the inventory; one that was never seen has only a name, and perhaps not its own."""
    identifiers = device.identifiers
    return Traits(
        name=name_key(identifiers.sys_name if device.last_seen else device.sys_name),
        is_own_name=device.last_seen is not None,
        object_id=device.sys_object_id,
        engines=frozenset(agent.engine_id for agent in device.agents if agent.engine_id),
        serials=frozenset(identifiers.serial_numbers),
        macs=frozenset(identifiers.mac_addresses),
        booted=_unix(identifiers.booted_at),
        seen=_unix(device.last_seen) or 0.0,
    )


def _unix(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def compare(known: Traits, new: Traits) -> Verdict:
    """Whether ``new`` is the device ``known``, by the marks alone: where they were seen is not asked.

    1. Hardware is known of both and has nothing in common: two devices.
    2. Hardware in common: one device, unless it goes by two names (contexts of one chassis, or renamed), or has two
       engines and no serial number (two agents of one host).
    3. Hardware not known: devices of two kinds (sysObjectID) that do not have one engine id are two. So are devices of
       two names that have two engine ids, or that ran at one time and had started at two.
    4. A name that is nobody's default, together with the engine id or else the moment of the start, makes them one.
    """
    hardware = _hardware(known, new)
    if hardware is False:
        return Verdict.DIFFERENT
    names, engines = _names(known, new), _common(known.engines, new.engines)
    if hardware:
        two = names is False or (engines is False and not known.serials & new.serials)
        return Verdict.UNKNOWN if two else Verdict.SAME
    started = _started_together(known, new)
    if not engines and known.object_id and new.object_id and known.object_id != new.object_id:
        return Verdict.DIFFERENT
    if names is False:
        return Verdict.DIFFERENT if engines is False or started is False else Verdict.UNKNOWN
    agree = started is not False if engines else engines is None and started is True
    return Verdict.SAME if agree and names and is_distinctive(new.name) else Verdict.UNKNOWN


def _common(known: AbstractSet[str], new: AbstractSet[str]) -> bool | None:
    """Whether there is anything in both; None when one of them is empty."""
    return bool(known & new) if known and new else None


def _hardware(known: Traits, new: Traits) -> bool | None:
    """Whether they have parts in common; False as soon as serial numbers or MAC addresses speak against it."""
    serials = _common(known.serials, new.serials)
    macs = _common(known.macs, new.macs)
    if serials is False or macs is False:
        return False
    return True if serials or macs else None


def _names(known: Traits, new: Traits) -> bool | None:
    if not known.name or not new.name:
        return None
    if known.name == new.name:
        return True
    return False if known.is_own_name else None


def _started_together(known: Traits, new: Traits) -> bool | None:
    """True: at the same moment. False: at two, and both were running at one time, which one agent cannot."""
    if known.booted is None or new.booted is None:
        return None
    apart = (new.booted - known.booted) % WRAP
    apart = min(apart, WRAP - apart)
    elapsed = abs(new.seen - known.seen)
    if apart <= SURELY_SAME + DRIFT * elapsed:
        return True
    other = SURELY_OTHER + LARGEST_DRIFT * elapsed
    ran_together = max(known.booted, new.booted) < min(known.seen, new.seen) - other
    return False if apart > other and ran_together else None


def is_distinctive(name: str) -> bool:
    """Whether a name says which device it is, and is not one that many have from the factory."""
    return bool(name) and name_key(name) not in _DEFAULT_NAMES


def distinctive_macs(addresses: Iterable[bytes]) -> frozenset[str]:
    """Those of the MAC addresses that are one device's alone, as hexadecimal text; MAX_IDENTIFIERS of them at most.

    Addresses of clusters are left out, and those that were given by software (the U/L bit, IEEE 802): containers and
    bridges make up the same ones everywhere. Which ones are kept does not depend on how many there are, so that a
    device with a new module still shares some with what it was.
    """
    own = {one for one in addresses if len(one) == 6 and any(one) and not one[0] & 3 and not one.startswith(_CLUSTERS)}
    return frozenset(one.hex() for one in sorted(own, key=lambda one: (zlib.crc32(one), one))[:MAX_IDENTIFIERS])


def distinctive_serials(numbers: Iterable[str]) -> frozenset[str]:
    """Those of the serial numbers that are some; fillers such as ``N/A`` or ``0000`` are none."""
    own = {number.strip() for number in numbers}
    return frozenset(sorted(one for one in own if len(one) > 3 and not _NO_SERIALS.fullmatch(one))[:MAX_IDENTIFIERS])
