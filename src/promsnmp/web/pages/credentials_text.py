"""Credentials in a few words, the same on all pages."""

from __future__ import annotations

from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.snmp.credentials import LEVEL_NAMES, Credentials, SecurityLevel, User


def credentials_text(credentials: Credentials) -> str:
    """The kind of credentials, and the name of a user; never a secret."""
    if not isinstance(credentials, User):
        return f"SNMP {VERSION_NAMES[credentials.version]}, community"
    parts = [f"SNMP {VERSION_NAMES[credentials.version]}, user {credentials.name}", LEVEL_NAMES[credentials.level]]
    if credentials.level >= SecurityLevel.AUTH_NO_PRIV:
        parts.append(str(credentials.auth_protocol))
    if credentials.level >= SecurityLevel.AUTH_PRIV:
        parts.append(str(credentials.priv_protocol))
    return ", ".join(parts)
