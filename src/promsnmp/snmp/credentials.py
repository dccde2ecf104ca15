"""Credentials for agents: a community (v1, v2c) or a user (v3).

Plain values, shared by the inventory, the modules' ``auths`` and the session. ``repr`` never shows a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from promsnmp.snmp.v3.protocols import AuthProtocol, PrivProtocol

__all__ = [
    "LEVEL_NAMES",
    "AuthProtocol",
    "Community",
    "Credentials",
    "PrivProtocol",
    "SecurityLevel",
    "User",
    "Version",
]


class Version(IntEnum):
    """``msgVersion`` on the wire (RFC 3417, RFC 3412 section 6), which is also SNMP4J's number."""

    V1 = 0
    V2C = 1
    V3 = 3


class SecurityLevel(IntEnum):
    """RFC 3411 section 3.4.3, with its numbers."""

    NO_AUTH_NO_PRIV = 1
    AUTH_NO_PRIV = 2
    AUTH_PRIV = 3


LEVEL_NAMES = {
    SecurityLevel.NO_AUTH_NO_PRIV: "noAuthNoPriv",
    SecurityLevel.AUTH_NO_PRIV: "authNoPriv",
    SecurityLevel.AUTH_PRIV: "authPriv",
}


@dataclass(frozen=True, slots=True)
class Community:
    """A v1 or v2c community (RFC 1157 section 3.2.5, RFC 1901)."""

    version: Version = Version.V2C
    community: str = field(default="public", repr=False)


@dataclass(frozen=True, slots=True)
class User:
    """A v3 USM user (RFC 3414). ``context_engine_id`` empty means the agent's own engine."""

    name: str
    level: SecurityLevel = SecurityLevel.NO_AUTH_NO_PRIV
    auth_protocol: AuthProtocol = AuthProtocol.MD5
    auth_passphrase: str = field(default="", repr=False)
    priv_protocol: PrivProtocol = PrivProtocol.DES
    priv_passphrase: str = field(default="", repr=False)
    context_name: str = ""
    context_engine_id: bytes = b""

    @property
    def version(self) -> Version:
        return Version.V3


Credentials = Community | User
