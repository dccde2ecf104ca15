"""Parses versions, security levels, protocols, times and durations in a document.

People, the original PromSNMP and other tools spell the same value in many ways; PromSNMP reads all, and writes one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, Version
from promsnmp.support.yaml_scalars import parse_duration

VERSION_NAMES = {Version.V1: "v1", Version.V2C: "v2c", Version.V3: "v3"}
"""Names of versions in seeds, and for people."""

_VERSIONS = {
    "0": Version.V1, "1": Version.V2C, "2": Version.V2C, "3": Version.V3,
    "v1": Version.V1, "v2c": Version.V2C, "2c": Version.V2C, "v2": Version.V2C, "v3": Version.V3,
}  # fmt: skip
_LEVELS = {
    "1": SecurityLevel.NO_AUTH_NO_PRIV, "noauthnopriv": SecurityLevel.NO_AUTH_NO_PRIV,
    "2": SecurityLevel.AUTH_NO_PRIV, "authnopriv": SecurityLevel.AUTH_NO_PRIV,
    "3": SecurityLevel.AUTH_PRIV, "authpriv": SecurityLevel.AUTH_PRIV,
}  # fmt: skip
_AUTH = AuthProtocol.names()
_PRIV = PrivProtocol.names()
_MILLISECONDS = 100_000_000_000
"""Times above this are milliseconds since 1970: as seconds, they would be after the year 5138."""
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_DAYS = re.compile(r"(\d{1,9})d")


def read_version(value: object) -> Version:
    """SNMP4J's number (0, 1, 3; 2 can only mean v2c), also as text, or ``v1``, ``v2c``, ``v3``. Raises ValueError."""
    if (version := _VERSIONS.get(_key(value))) is None:
        raise ValueError(f"{_shown(value)} is not a version: 0 is v1, 1 is v2c, 3 is v3")
    return version


def read_level(value: object) -> SecurityLevel:
    """1-3 (RFC 3411 section 3.4.3), also as text, or its name. Raises ValueError."""
    if (level := _LEVELS.get(_key(value))) is None:
        raise ValueError(f"{_shown(value)} is not a level: 1 is noAuthNoPriv, 2 is authNoPriv, 3 is authPriv")
    return level


def read_auth_protocol(text: str) -> AuthProtocol:
    """``SHA-256``, ``sha256``, ``HMAC-SHA-256``, ``usmHMAC192SHA256AuthProtocol`` (RFC 7860)... Raises ValueError."""
    compact = _compact(text).removeprefix("USM").removesuffix("AUTHPROTOCOL")
    compact = compact.removeprefix("AUTH").removeprefix("HMAC")
    for bits in ("96", "128", "192", "256", "384"):  # RFC 7860 section 4 puts the length of the truncated HMAC first
        compact = compact.removeprefix(bits)
    compact = compact.removesuffix("96") if compact in ("MD596", "SHA96", "SHA196") else compact
    compact = "SHA" + compact[4:] if compact.startswith("SHA2") and len(compact) == 7 else compact
    if (protocol := _AUTH.get(compact)) is None:
        raise ValueError(f"{text[:40]!r} is not one of {', '.join(AuthProtocol)}")
    return protocol


def read_priv_protocol(text: str) -> PrivProtocol:
    """``AES``, ``aes-128``, ``AES256C``, ``AES-256-C``, ``CFB128-AES-128``, ``DES``... Raises ValueError."""
    compact = _compact(text).removeprefix("PRIV").removeprefix("CBC").removeprefix("CFB128").removeprefix("CFB")
    compact = compact.replace("CISCO", "C")
    if (protocol := _PRIV.get(compact)) is None:
        raise ValueError(f"{text[:40]!r} is not one of {', '.join(PrivProtocol)}")
    return protocol


def read_instant(value: object) -> str:
    """ISO 8601 text in UTC, ending in ``Z``, from such text or from seconds (or milliseconds) since 1970.

    Text that is in UTC already keeps fractions finer than microseconds. Raises ValueError.
    """
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            if value.strip().endswith("Z") and "T" in value:
                return value.strip()
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) > _MILLISECONDS else value
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            raise ValueError
    except (ValueError, OverflowError, OSError):
        raise ValueError("is neither a time like 2025-01-31T12:00:00Z nor seconds since 1970") from None
    return moment.isoformat().replace("+00:00", "Z")


def duration_text(milliseconds: int) -> str:
    """A duration as Prometheus writes it: ``10s``, ``5m``, ``1h30m``, ``1d`` (prometheus.io, ``<duration>``)."""
    parts, rest = [], milliseconds
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"


def read_milliseconds(value: object) -> int:
    """Whole milliseconds of a number of milliseconds, or of text: digits, or a duration with units.

    Raises ValueError, also for negative ones.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
    elif isinstance(value, str):
        text = value.strip()
    else:
        raise ValueError("must be a duration such as 10s or 5m, or a number of milliseconds")
    try:
        number = float(text)
    except ValueError:
        number = _with_units(text)
    if not 0 <= number < 10**12:  # NaN is in no range
        raise ValueError(f"{text[:40]} is not a duration: write 10s, 5m, or a number of milliseconds")
    return round(number)


def _with_units(text: str) -> float:
    days = _DAYS.match(text)
    rest = text[days.end() :] if days else text
    seconds = parse_duration(rest) if rest or not days else 0.0
    return (seconds + (int(days[1]) * 86_400 if days else 0)) * 1000


def _key(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else ""
    return str(value).strip().lower()


def _compact(text: str) -> str:
    return "".join(letter for letter in text.upper() if letter.isalnum())


def _shown(value: object) -> str:
    return repr(value)[:40]
