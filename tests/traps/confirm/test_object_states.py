"""What devices answer after traps: of which object, of which row, and whether it agrees."""

from __future__ import annotations

import pytest

from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import VarBind
from promsnmp.traps.confirm.object_states import (
    MAX_OBJECTS,
    Finding,
    ObjectStates,
    finding_of,
    names_of,
    said_by,
    table_of,
)
from promsnmp.traps.names.definitions import Definitions, builtin

KNOWN: Definitions = builtin()
UPTIME = "1.3.6.1.2.1.1.3.0"
IF_INDEX, OPER = "1.3.6.1.2.1.2.2.1.1", "1.3.6.1.2.1.2.2.1.8"
BGP_ERROR, BGP_STATE = "1.3.6.1.2.1.15.3.1.14", "1.3.6.1.2.1.15.3.1.2"
OSPF_STATE = "1.3.6.1.2.1.14.10.1.6"
CISCO_SUPPLY, CISCO_DESCR = "1.3.6.1.4.1.9.9.13.1.5.1.3", "1.3.6.1.4.1.9.9.13.1.5.1.2"
HPE_BAY, HPE_SUPPLY = "1.3.6.1.4.1.232.6.2.9.3.1.2", "1.3.6.1.4.1.232.6.2.9.3.1.4"
ENT_CHANGE, CCM_CHANGE = "1.3.6.1.2.1.47.1.4.1.0", "1.3.6.1.4.1.9.9.43.1.1.1.0"
UPS_SOURCE, APC_STATUS = "1.3.6.1.2.1.33.1.4.1.0", "1.3.6.1.4.1.318.1.1.1.4.1.1.0"


def number(name: str, value: int, tag: int = ber.INTEGER) -> VarBind:
    octets = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return VarBind(oid.encode(name), tag, octets)


def notification(mib: str, name: str) -> bytes:
    return next(at for at, one in KNOWN.notifications.items() if (one.mib, one.name) == (mib, name))


CASES = [
    ("IF-MIB", "linkDown", {f"{IF_INDEX}.7": 7}, {f"{OPER}.7": 2}, Finding.CONFIRMED),
    ("IF-MIB", "linkDown", {f"{IF_INDEX}.7": 7}, {f"{OPER}.7": 7}, Finding.CONFIRMED),
    ("IF-MIB", "linkDown", {f"{IF_INDEX}.7": 7}, {f"{OPER}.7": 1}, Finding.NOT_CONFIRMED),
    ("IF-MIB", "linkUp", {f"{IF_INDEX}.7": 7}, {f"{OPER}.7": 6}, Finding.NOT_CONFIRMED),
    ("IF-MIB", "linkUp", {f"{OPER}.300": 1}, {f"{OPER}.300": 5}, Finding.CONFIRMED),
    ("IF-MIB", "linkUp", {f"{OPER}.300": 1}, {f"{OPER}.3": 1}, Finding.UNKNOWN),
    ("IF-MIB", "linkUp", {}, {f"{OPER}.3": 1}, Finding.UNKNOWN),
    ("SNMPv2-MIB", "coldStart", {}, {UPTIME: 900}, Finding.CONFIRMED),
    ("SNMPv2-MIB", "coldStart", {}, {UPTIME: 90_000}, Finding.NOT_CONFIRMED),
    ("ENTITY-MIB", "entConfigChange", {}, {ENT_CHANGE: 100_000, UPTIME: 100_500}, Finding.CONFIRMED),
    ("ENTITY-MIB", "entConfigChange", {}, {ENT_CHANGE: 1, UPTIME: 100_500}, Finding.NOT_CONFIRMED),
    ("ENTITY-MIB", "entConfigChange", {}, {ENT_CHANGE: 1}, Finding.UNKNOWN),
    ("CISCO-CONFIG-MAN-MIB", "ciscoConfigManEvent", {}, {CCM_CHANGE: 500, UPTIME: 600}, Finding.CONFIRMED),
    ("BGP4-MIB", "bgpBackwardTransition", {f"{BGP_ERROR}.10.0.0.1": 0}, {f"{BGP_STATE}.10.0.0.1": 1},
     Finding.CONFIRMED),
    ("BGP4-MIB", "bgpEstablished", {f"{BGP_STATE}.10.0.0.1": 6}, {f"{BGP_STATE}.10.0.0.1": 3}, Finding.NOT_CONFIRMED),
    ("OSPF-TRAP-MIB", "ospfNbrStateChange", {f"{OSPF_STATE}.10.0.0.1.0": 1}, {f"{OSPF_STATE}.10.0.0.1.0": 1},
     Finding.CONFIRMED),
    ("OSPF-TRAP-MIB", "ospfNbrStateChange", {f"{OSPF_STATE}.10.0.0.1.0": 1}, {f"{OSPF_STATE}.10.0.0.1.0": 8},
     Finding.NOT_CONFIRMED),
    ("OSPF-TRAP-MIB", "ospfNbrStateChange", {"1.3.6.1.2.1.14.10.1.1.10.0.0.1.0": 1},
     {f"{OSPF_STATE}.10.0.0.1.0": 8}, Finding.UNKNOWN),
    ("CISCO-ENVMON-MIB", "ciscoEnvMonRedundantSupplyNotification", {f"{CISCO_DESCR}.1003": 0},
     {f"{CISCO_SUPPLY}.1003": 3}, Finding.CONFIRMED),
    ("CPQHLTH-MIB", "cpqHe4FltTolPowerSupplyFailed", {f"{HPE_BAY}.0.2": 2}, {f"{HPE_SUPPLY}.0.2": 4},
     Finding.CONFIRMED),
    ("UPS-MIB", "upsTrapOnBattery", {}, {UPS_SOURCE: 5}, Finding.CONFIRMED),
    ("UPS-MIB", "upsTrapOnBattery", {}, {UPS_SOURCE: 3}, Finding.NOT_CONFIRMED),
    ("PowerNet-MIB", "powerRestored", {}, {APC_STATUS: 2}, Finding.CONFIRMED),
]  # fmt: skip


@pytest.mark.parametrize(("mib", "name", "sent", "answers", "finding"), CASES)
def test_what_the_device_answers_confirms_a_notification_or_not(
    mib: str, name: str, sent: dict[str, int], answers: dict[str, int], finding: Finding
) -> None:
    confirmation = KNOWN.confirmation(notification(mib, name))
    assert confirmation is not None
    said = said_by(confirmation, [number(at, value) for at, value in sent.items()])
    found = {oid.encode(at): number(at, value, ber.TIME_TICKS) for at, value in answers.items()}
    assert finding_of(said, found) is finding
    if finding is not Finding.UNKNOWN:
        assert set(found) <= set(names_of([said]))


def test_a_notification_of_version_1_has_the_same_confirmation() -> None:
    """RFC 3584 section 3.1 puts a 0 into OIDs such as OSPF's."""
    assert KNOWN.confirmation(oid.encode("1.3.6.1.2.1.14.16.2.0.2")) is not None
    assert KNOWN.confirmation(oid.encode("1.3.6.1.2.1.14.16.2.99")) is None


def test_objects_that_wait_are_bounded_and_the_last_trap_about_one_counts() -> None:
    confirmation = KNOWN.confirmation(notification("IF-MIB", "linkDown"))
    assert confirmation is not None
    states = ObjectStates()
    for row in range(1, MAX_OBJECTS + 1):
        assert states.add(said_by(confirmation, [number(f"{IF_INDEX}.{row}", row)])) is None
    more = said_by(confirmation, [number(f"{IF_INDEX}.999", 999)])
    assert states.add(more) == (more, Finding.UNKNOWN)
    again = said_by(confirmation, [number(f"{IF_INDEX}.1", 1)], trap_id="later")
    earlier, finding = states.add(again) or (None, None)
    assert (earlier is not None, finding) == (True, Finding.SUPERSEDED)
    assert earlier is not None
    assert not states.remove(earlier)
    assert states.remove(again)
    assert len(states.take()) == MAX_OBJECTS - 1
    assert states.take() == []


def test_a_row_that_is_too_long_or_of_a_scalar_names_no_row() -> None:
    confirmation = KNOWN.confirmation(notification("BGP4-MIB", "bgpEstablished"))
    assert confirmation is not None
    long = VarBind(oid.encode(BGP_STATE) + b"\x01" * 200, ber.INTEGER, b"\x06")
    assert said_by(confirmation, [long]).row == b""
    assert said_by(confirmation, [number(f"{BGP_STATE}.0", 6)]).row == b""
    assert table_of(oid.encode("1.3.6.1.2.300")) == oid.encode("1.3.6.1.2")
