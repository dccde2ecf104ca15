"""Reads and writes credentials in a document, for agents and seeds alike.

The rules of USM are checked here, when a document comes in: otherwise a missing or short passphrase would only show as
a device that never answers.
"""

from __future__ import annotations

from promsnmp.inventory.document.fields import MASK, Fields
from promsnmp.inventory.document.parsing import (
    read_auth_protocol,
    read_level,
    read_priv_protocol,
    read_version,
)
from promsnmp.inventory.model import COMMUNITY_AGENT, USER_AGENT
from promsnmp.snmp.credentials import (
    AuthProtocol,
    Community,
    Credentials,
    PrivProtocol,
    SecurityLevel,
    User,
    Version,
)

MIN_PASSPHRASE = 8
"""Octets, RFC 3414 section 11.2."""
MAX_USER_NAME = 32
"""Octets of a user's name: usmUserName, RFC 3414 section 5."""

_NOTHING = frozenset({"", "none", "noauth", "nopriv"})


def read_credentials(
    fields: Fields, type_key: str, previous: Credentials | None, *, lenient: bool = False
) -> Credentials | None:
    """The credentials of an agent or seed, whose kind is the value of ``type_key``; None when the kind is unclear.

    Masked secrets are taken from ``previous``. With ``lenient``, kind, version (v2c, v3) and security level may be
    missing when the other fields imply them. Problems are noted in ``fields``.
    """
    version = fields.value("version", read_version)
    kind = _kind(fields, type_key, version, lenient=lenient)
    if lenient and version is None and not fields.failed("version"):
        version = Version.V3 if kind == USER_AGENT else Version.V2C
    if kind == USER_AGENT:
        if version not in (None, Version.V3):
            fields.problem("version", f"{type_key} {USER_AGENT} needs 3 (v3), not {int(version)}")
        return _user(fields, previous if isinstance(previous, User) else None, lenient=lenient)
    if kind == COMMUNITY_AGENT:
        return _community(fields, type_key, version, previous if isinstance(previous, Community) else None)
    return None


def _kind(fields: Fields, type_key: str, version: Version | None, *, lenient: bool) -> str:
    """The given kind, or the only one that the version (with ``lenient``: the other fields) allows."""
    kind = fields.text(type_key).lower()
    if kind in (COMMUNITY_AGENT, USER_AGENT):
        return kind
    if kind:
        fields.problem(type_key, f"{kind[:40]!r} is neither {COMMUNITY_AGENT} nor {USER_AGENT}")
    elif version is not None:
        return USER_AGENT if version is Version.V3 else COMMUNITY_AGENT
    elif lenient and fields.text("securityName") and not fields.values.get("readCommunity"):
        return USER_AGENT
    elif lenient and fields.values.get("readCommunity") and not fields.text("securityName"):
        return COMMUNITY_AGENT
    elif not fields.failed(type_key) and not fields.failed("version"):
        fields.problem(type_key, f"is missing; it is {COMMUNITY_AGENT} or {USER_AGENT}")
    return ""


def _community(fields: Fields, type_key: str, version: Version | None, previous: Community | None) -> Community | None:
    if version is None and not fields.failed("version"):
        fields.problem("version", "is missing; 0 is v1, 1 is v2c")
    if version is Version.V3:
        fields.problem("version", f"{type_key} {COMMUNITY_AGENT} needs 0 (v1) or 1 (v2c), not 3")
    community = fields.secret("readCommunity", previous.community if previous else "")
    if not community and not fields.failed("readCommunity"):
        fields.problem("readCommunity", "is missing")
    return Community(version=version or Version.V1, community=community)


def _user(fields: Fields, previous: User | None, *, lenient: bool) -> User:
    name = fields.text("securityName")
    if not name and not fields.failed("securityName"):
        fields.problem("securityName", "is missing")
    elif len(name.encode()) > MAX_USER_NAME:
        fields.problem("securityName", f"is longer than {MAX_USER_NAME} octets (RFC 3414 section 5)")
    level = _implied_level(fields) if lenient else None
    level = level or fields.value("securityLevel", read_level)
    if level is None and not fields.failed("securityLevel"):
        fields.problem("securityLevel", "is missing; 1 is noAuthNoPriv, 2 is authNoPriv, 3 is authPriv")
    auth, auth_passphrase = _auth(fields, level, previous)
    priv, priv_passphrase = _priv(fields, level, previous)
    return User(
        name=name,
        level=level or SecurityLevel.NO_AUTH_NO_PRIV,
        auth_protocol=auth or AuthProtocol.MD5,
        auth_passphrase=auth_passphrase,
        priv_protocol=priv or PrivProtocol.DES,
        priv_passphrase=priv_passphrase,
        context_name=fields.text("contextName"),
        context_engine_id=bytes.fromhex(read_hex(fields, "contextEngineId")),
    )


def _implied_level(fields: Fields) -> SecurityLevel | None:
    """The level that the given passphrases imply when none is given; the original writes 0 for that."""
    if fields.values.get("securityLevel") not in (None, 0, "", "0"):
        return None
    if fields.values.get("privPassphrase"):
        return SecurityLevel.AUTH_PRIV
    return SecurityLevel.AUTH_NO_PRIV if fields.values.get("authPassphrase") else SecurityLevel.NO_AUTH_NO_PRIV


def _auth(fields: Fields, level: SecurityLevel | None, previous: User | None) -> tuple[AuthProtocol | None, str]:
    needed = level is not None and level >= SecurityLevel.AUTH_NO_PRIV
    protocol = None
    if fields.text("authProtocol").lower() not in _NOTHING:
        protocol = fields.convert("authProtocol", read_auth_protocol)
    elif needed and not fields.failed("authProtocol"):
        fields.problem("authProtocol", f"is missing; securityLevel {level} needs one of {', '.join(AuthProtocol)}")
    return protocol, _passphrase(fields, "authPassphrase", previous.auth_passphrase if previous else "", level, needed)


def _priv(fields: Fields, level: SecurityLevel | None, previous: User | None) -> tuple[PrivProtocol | None, str]:
    needed = level is SecurityLevel.AUTH_PRIV
    protocol = None
    if fields.text("privProtocol").lower() not in _NOTHING:
        protocol = fields.convert("privProtocol", read_priv_protocol)
    elif needed and not fields.failed("privProtocol"):
        fields.problem("privProtocol", f"is missing; securityLevel 3 needs one of {', '.join(PrivProtocol)}")
    return protocol, _passphrase(fields, "privPassphrase", previous.priv_passphrase if previous else "", level, needed)


def _passphrase(fields: Fields, key: str, previous: str, level: SecurityLevel | None, needed: bool) -> str:
    passphrase = fields.secret(key, previous)
    if needed and not passphrase and not fields.failed(key):
        fields.problem(key, f"is missing; securityLevel {level} needs it")
    elif passphrase and len(passphrase.encode()) < MIN_PASSPHRASE:
        fields.problem(key, f"is shorter than {MIN_PASSPHRASE} octets (RFC 3414 section 11.2)")
    return passphrase


def read_hex(fields: Fields, key: str) -> str:
    """Hexadecimal text, with or without colons and ``0x``, in plain lower case."""
    text = fields.text(key).lower().removeprefix("0x").replace(":", "").replace(" ", "")
    try:
        return bytes.fromhex(text).hex()
    except ValueError:
        fields.problem(key, "is not hexadecimal, like 80001f8880e9630000d61ff449")
        return ""


def write_credentials(credentials: Credentials, *, mask: bool) -> dict[str, object]:
    """The keys of credentials in a document, without kind and version; empty ones are left out."""
    if isinstance(credentials, Community):
        return {"readCommunity": mask_secret(credentials.community, mask=mask)}
    written: dict[str, object] = {"securityName": credentials.name, "securityLevel": int(credentials.level)}
    if credentials.level >= SecurityLevel.AUTH_NO_PRIV or credentials.auth_passphrase:
        written["authProtocol"] = credentials.auth_protocol.value
        written["authPassphrase"] = mask_secret(credentials.auth_passphrase, mask=mask)
    if credentials.level is SecurityLevel.AUTH_PRIV or credentials.priv_passphrase:
        written["privProtocol"] = credentials.priv_protocol.document_name
        written["privPassphrase"] = mask_secret(credentials.priv_passphrase, mask=mask)
    if credentials.context_name:
        written["contextName"] = credentials.context_name
    if credentials.context_engine_id:
        written["contextEngineId"] = credentials.context_engine_id.hex()
    return written


def mask_secret(secret: str, *, mask: bool) -> str:
    """The secret, or the mask instead of it; an empty secret stays empty."""
    return MASK if mask and secret else secret
