"""Notifications for tests, made from OIDs and values."""

from __future__ import annotations

from collections.abc import Mapping

from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import SecurityLevel, Version
from promsnmp.traps.model import Notification
from promsnmp.traps.names.definitions import builtin
from promsnmp.traps.names.model import NamedNotification
from promsnmp.traps.names.namer import Namer
from promsnmp.traps.rules.apply import RuleSet
from promsnmp.traps.rules.reader import default_rules, read_rules

LINK_DOWN, LINK_UP, COLD_START = (f"1.3.6.1.6.3.1.1.5.{number}" for number in (3, 4, 1))
IF_INDEX, ADMIN_STATUS, OPER_STATUS, IF_DESCR = (f"1.3.6.1.2.1.2.2.1.{column}" for column in (1, 7, 8, 2))
RECEIVED_AT = 1_800_000_000.0

NAMER = Namer(builtin)
"""Names by the built-in definitions, read once for all tests of a process."""


def varbind(name: str, value: int | str | bytes, tag: int = 0) -> ber.VarBind:
    """A varbind: a number is an INTEGER, text an OBJECT IDENTIFIER, octets an OCTET STRING; or the given tag."""
    if isinstance(value, int):
        content = ber.encode_integer(value)[2:]
        return ber.VarBind(oid.encode(name), tag or ber.INTEGER, content)
    if isinstance(value, bytes):
        return ber.VarBind(oid.encode(name), tag or ber.OCTET_STRING, value)
    return ber.VarBind(oid.encode(name), tag or ber.OBJECT_IDENTIFIER, oid.encode(value))


def notification(
    trap: str = LINK_DOWN,
    *varbinds: ber.VarBind,
    received_at: float = RECEIVED_AT,
    sender: str = "192.0.2.1",
    device_id: str = "core1-id",
    device_name: str = "core1",
    level: SecurityLevel = SecurityLevel.NO_AUTH_NO_PRIV,
) -> Notification:
    """A v2c trap of the device core1."""
    return Notification(
        received_at=received_at,
        sender=sender,
        version=Version.V2C,
        security_level=level,
        user="",
        is_inform=False,
        oid=oid.encode(trap),
        uptime=4711,
        varbinds=varbinds,
        engine_id=b"",
        request_id=1,
        device_id=device_id,
        device_name=device_name,
    )


def link(trap: str = LINK_DOWN, index: int = 3, *, received_at: float = RECEIVED_AT) -> Notification:
    """linkDown or linkUp of one interface, as net-snmp sends it."""
    status = 2 if trap == LINK_DOWN else 1
    return notification(
        trap,
        varbind(f"{IF_INDEX}.{index}", index),
        varbind(f"{ADMIN_STATUS}.{index}", 1),
        varbind(f"{OPER_STATUS}.{index}", status),
        received_at=received_at,
    )


def named(
    sent: Notification, rules: str = "", device_labels: Mapping[str, str] | None = None
) -> NamedNotification | None:
    """The notification with names and by rules: those of ``rules`` (YAML), then the default ones."""
    own = read_rules(rules.encode(), source="rules.yml") if rules else ()
    return RuleSet((*own, *default_rules())).apply(NAMER.name(sent), device_labels or {})


def passed(sent: Notification, rules: str = "") -> NamedNotification:
    """As ``named``, of a notification that no rule drops."""
    found = named(sent, rules)
    assert found is not None
    return found
