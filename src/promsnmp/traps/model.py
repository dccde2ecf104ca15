"""What the parts of ``traps`` give to each other."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from promsnmp.snmp.ber import VarBind
from promsnmp.snmp.credentials import SecurityLevel, Version


@dataclass(frozen=True, slots=True)
class Notification:
    """One accepted trap or inform.

    Traps of SNMPv1 are translated before (RFC 3584 section 3.1), so that all have a notification OID
    (``snmpTrapOID.0``). ``varbinds`` are the objects behind ``sysUpTime.0`` and ``snmpTrapOID.0``, as sent, at most as
    many as the receiver accepts.
    """

    received_at: float
    """Unix seconds."""
    sender: str
    """The address that the datagram came from, or the one that ``device`` is known by behind NAT or a proxy."""
    version: Version
    security_level: SecurityLevel
    user: str
    """Name of the v3 user; empty for communities, which are never kept."""
    is_inform: bool
    oid: bytes
    """The notification: value of ``snmpTrapOID.0``, BER content octets."""
    uptime: int | None
    """``sysUpTime.0`` in hundredths of a second; None where the sender left it out."""
    varbinds: tuple[VarBind, ...]
    engine_id: bytes
    """The v3 sender's authoritative engine id; empty for v1 and v2c."""
    request_id: int
    device_id: str
    """The device of the inventory that sent it; empty where none is known."""
    device_name: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    """Given by the receiver, and the same on all replicas; a second event about the notification refers to it."""

    is_new: bool = True
    """Whether it is certain that nobody recorded it earlier and sent it again."""

    @property
    def authenticated(self) -> bool:
        """Whether the sender proved itself; a community is no proof, nor is an authentic message that may be old."""
        return self.is_new and self.security_level is not SecurityLevel.NO_AUTH_NO_PRIV
