"""Decides whether two sightings are of the same device, by their identifiers; without I/O.

No single identifier is enough. A sysName may be a factory default, an engine id may have been copied with a
configuration or a disk image, a MAC address may belong to a cluster, an IP address to another device since today's DHCP
lease. So identifiers are weighed: hardware (serial numbers, MAC addresses) counts most, and the answer may be
"unknown". Merging two devices loses one of them, while splitting one device is visible: in doubt they are two. A clone
(of a disk image, a virtual machine, a configuration) has all that software keeps, the name and the engine id, and may
have started at the same moment. So these never prove that two addresses are of one device: MAC addresses do, and those
of software where everything else agrees. ``claims.py`` and ``merge.py`` then apply the decision.
docs/how-to/discovery.md explains the same to operators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from promsnmp.discovery.reconcile.distinctive import CONTAINER_MACS, distinctive_engines, is_distinctive
from promsnmp.inventory.index import name_key
from promsnmp.inventory.model import AgentEndpoint, Device
from promsnmp.snmp.credentials import Credentials
from promsnmp.snmp.text_encodings import LONGEST_TEXT, line_of


class Verdict(Enum):
    """The result of comparing two sightings."""

    SAME = "one device"
    DIFFERENT = "two devices"
    UNKNOWN = "the identifiers do not decide"


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
MOST_OCTETS = 8 * LONGEST_TEXT
"""Octets of a text that are kept: enough for LONGEST_TEXT characters of any encoding."""


@dataclass(frozen=True, slots=True)
class Facts:
    """An agent that answered, and its values; None for values that it was not asked for or did not give.

    Its texts are read as UTF-8, until it is known whose they are (``in_encoding``).
    """

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
    octets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """What the agent sent for the fields that are texts, by the names of the fields."""

    def in_encoding(self, encoding: str) -> Facts:
        """The same facts with texts of this encoding; empty: UTF-8."""
        return replace(self, **{name: line_of(octets, encoding) for name, octets in self.octets.items()})  # type: ignore[arg-type]  # names of fields that are str


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
    """Assigned by software: a common one proves nothing alone, but one device does not have entirely different ones."""
    booted: float | None = None
    seen: float = 0.0


def traits_of(facts: Facts) -> Traits:
    """The traits of an agent that has just answered."""
    return Traits(
        name=name_key(facts.sys_name or ""),
        object_id=facts.sys_object_id or "",
        engines=distinctive_engines([facts.engine_id]),
        serials=facts.serial_numbers,
        macs=facts.mac_addresses,
        local_macs=facts.local_mac_addresses,
        booted=facts.booted,
        seen=facts.seen,
    )


def traits_beside(device: Device, facts: Facts) -> Traits:
    """The traits of an agent that has just answered, to be compared with those of ``device``.

    Its name is read as the texts of the device are (``name_beside``).
    """
    name = name_beside(device, lambda encoding: facts.in_encoding(encoding).sys_name)
    return replace(traits_of(facts), name=name)


def name_beside(device: Device, read: Callable[[str], str | None]) -> str:
    """The key of an agent's name, which ``read`` returns for an encoding, to be compared with that of ``device``.

    Before the inventory had the encoding of the device, its name was read as UTF-8: the same octets are the same name.
    """
    own, as_utf_8 = (name_key(read(encoding) or "") for encoding in (device.overrides.text_encoding, ""))
    return as_utf_8 if as_utf_8 == known_traits(device).name else own


def known_traits(device: Device, seen: float = 0.0) -> Traits:
    """The traits of a device in the inventory; the name of one that was never seen is perhaps not its own.

    ``seen`` is the Unix time at which polls last reached it, if they did.
    """
    identifiers = device.identifiers
    is_own_name = device.last_seen is not None or bool(identifiers.sys_name)
    return Traits(
        name=name_key(identifiers.sys_name if is_own_name else device.sys_name),
        is_own_name=is_own_name,
        object_id=identifiers.sys_object_id or device.sys_object_id,
        engines=distinctive_engines(agent.engine_id for agent in device.agents),
        serials=frozenset(identifiers.serial_numbers),
        macs=frozenset(identifiers.mac_addresses),
        local_macs=frozenset(identifiers.local_mac_addresses),
        booted=_unix(identifiers.booted_at),
        seen=max(seen, _unix(device.last_seen) or 0.0),
    )


def _unix(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def compare(known: Traits, new: Traits) -> Verdict:
    """Whether ``new`` is the device ``known``, only by identifiers, wherever they were seen.

    1. The hardware of both is known and has nothing in common: two devices.
    2. Common hardware: one device, unless it has two names (contexts of one chassis, or renamed), or two engine ids and
       no serial number (two agents of one host), or no MAC address in common with one that ran at the same time (a
       virtual machine was copied with its serial number).
    3. Hardware unknown: two kinds of devices (sysObjectID) without a common engine id are two devices. So are two that
       ran at the same time with entirely different MAC addresses, those assigned by software included, or with two
       names that started at different times. So are two names with two engine ids.
    4. The same name, not a factory default, the same start, and the same MAC addresses of software (a virtual machine):
       one device. Without any MAC address it may be a clone.
    """
    hardware = _hardware(known, new)
    if hardware is False:
        return Verdict.DIFFERENT
    names, engines = _names(known, new), _common(known.engines, new.engines)
    other_macs = _common(*_all_macs(known, new)) is False and ran_together(known, new)
    if hardware:
        two = names is False or (engines is False and not known.serials & new.serials) or other_macs
        return Verdict.UNKNOWN if two else Verdict.SAME
    is_other_kind = bool(known.object_id and new.object_id) and known.object_id != new.object_id
    if (is_other_kind and not engines) or other_macs:
        return Verdict.DIFFERENT
    two = names is False and (engines is False or _started_together(known, new) is False)
    if two:
        return Verdict.DIFFERENT
    return Verdict.SAME if _agree(known, new) and _same_local_macs(known, new) else Verdict.UNKNOWN


def runs_on(known: Traits, new: Traits) -> bool:
    """Whether ``new``, seen at the address of ``known``, is surely the agent that has been running there since.

    Elsewhere the same values prove nothing: it may be a clone.
    """
    return _agree(known, new) and compare(known, new) is not Verdict.DIFFERENT


def _agree(known: Traits, new: Traits) -> bool:
    """Whether name and start are the same, and engine ids do not contradict."""
    name = bool(_names(known, new)) and is_distinctive(new.name)
    return name and bool(_started_together(known, new)) and _common(known.engines, new.engines) is not False


def _same_local_macs(known: Traits, new: Traits) -> bool:
    """Whether one has all MAC addresses of software that the other has, containers aside: those come and go."""
    fewer, more = sorted(
        ({one for one in traits.local_macs if not one.startswith(CONTAINER_MACS)} for traits in (known, new)), key=len
    )
    return bool(fewer) and fewer <= more


def _common(known: AbstractSet[str], new: AbstractSet[str]) -> bool | None:
    """Whether both have a common element; None when one of them is empty."""
    return bool(known & new) if known and new else None


def _hardware(known: Traits, new: Traits) -> bool | None:
    """Whether they have common hardware; False when serial numbers or MAC addresses contradict."""
    serials, macs = _common(known.serials, new.serials), _common(known.macs, new.macs)
    if serials is False or macs is False:
        return False
    return True if serials or _common_macs(known, new) else None


def _common_macs(known: Traits, new: Traits) -> bool:
    """Whether they have MAC addresses in common, and not only one that several devices may share."""
    common = len(known.macs & new.macs)
    return common > 1 or (common == 1 and min(len(known.macs), len(new.macs)) < FEW_MACS)


def _all_macs(known: Traits, new: Traits) -> tuple[frozenset[str], frozenset[str]]:
    """The MAC addresses of both, those assigned by software included."""
    return known.macs | known.local_macs, new.macs | new.local_macs


def differences(known: Traits, new: Traits) -> tuple[str, ...]:
    """The identifiers of ``new`` that contradict those of ``known``, when another device answers at the address of
    ``known``; empty when it may be the same.

    Any serial number or MAC address in common is enough to be the same: after a switchover, a chassis may have another
    engine id, and list other serial numbers. Without known hardware, another engine id is another device.
    """
    shares_hardware = known.serials & new.serials or _common_macs(known, new)
    is_other_engine = _common(known.engines, new.engines) is False
    if shares_hardware or not (compare(known, new) is Verdict.DIFFERENT or is_other_engine):
        return ()
    macs = (known.macs, new.macs) if known.macs and new.macs else _all_macs(known, new)
    pairs = (
        ("serial number", known.serials, new.serials),
        ("MAC address", *macs),
        ("engine id", known.engines, new.engines),
        ("sysObjectID", _one(known.object_id), _one(new.object_id)),
        ("sysName", _one(known.name), _one(new.name)),
    )
    return tuple(f"{what} {min(old)}, now {min(now)}" for what, old, now in pairs if _common(old, now) is False)


def _one(value: str) -> frozenset[str]:
    return frozenset(filter(None, [value]))


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
