"""What the receiver asks of names: the name of a notification, and its severity; with the few that every agent has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from promsnmp.snmp import oid
from promsnmp.traps.model import Notification
from promsnmp.traps.names.confirmations import Confirmation
from promsnmp.traps.receive.pdu import SNMP_TRAPS

_GENERIC = ("coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss")
GENERIC_NAMES = {SNMP_TRAPS + bytes((number,)): name for number, name in enumerate(_GENERIC, start=1)}
"""Notifications of SNMPv2-MIB and IF-MIB (RFC 3418 section 2, RFC 2863 section 6), by OID in content octets."""
LINK_DOWN, LINK_UP = SNMP_TRAPS + b"\x03", SNMP_TRAPS + b"\x04"
_SEVERITIES = {"linkDown": "warning", "coldStart": "warning", "authenticationFailure": "warning"}
OTHER = "other"
"""Label of notifications without a name, and of those above a bound."""


def generic_name(notification: bytes) -> str:
    """The name of a notification that every agent has; dotted numbers for others."""
    return GENERIC_NAMES.get(notification) or oid.to_text(notification)


def generic_severity(notification: Notification) -> str:
    """``warning`` or ``info``."""
    return _SEVERITIES.get(GENERIC_NAMES.get(notification.oid, ""), "info")


def nothing_confirms(_: bytes) -> Confirmation | None:
    """Where there are no definitions."""
    return None


@dataclass(frozen=True, slots=True)
class TrapNames:
    """``name_of`` returns the name of a notification (content octets), a text with dots for one without a name;
    ``severity_of`` a short word, one of few; ``confirmation_of`` what confirms a notification, None where nothing is
    known to."""

    name_of: Callable[[bytes], str] = generic_name
    severity_of: Callable[[Notification], str] = generic_severity
    confirmation_of: Callable[[bytes], Confirmation | None] = nothing_confirms

    def known_name(self, notification: bytes) -> str:
        """The name, "" for a notification without one: names have no dots (RFC 2578 section 3.1)."""
        name = self.name_of(notification)
        return "" if "." in name else name
