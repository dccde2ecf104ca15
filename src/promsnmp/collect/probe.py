"""Finds out what a device is: reads its system group, asks which tables answer, and has the fingerprint taken."""

from __future__ import annotations

from dataclasses import dataclass

from promsnmp.modules.fingerprint import PROBES, Match, fingerprint
from promsnmp.snmp import ber, oid
from promsnmp.snmp.probe import Presence
from promsnmp.snmp.session import Session
from promsnmp.snmp.walk import AgentLimits, Gets

SYS_DESCR = oid.encode("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid.encode("1.3.6.1.2.1.1.2.0")
SYS_NAME = oid.encode("1.3.6.1.2.1.1.5.0")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device said of itself, and what it is taken for."""

    sys_descr: str
    sys_object_id: str
    sys_name: str
    match: Match
    packets: int


async def identify(session: Session, *, limits: AgentLimits | None = None) -> Identity:
    """Asks the device of an open session, in few packets. Raises SnmpError when it does not answer.

    ``limits`` is what is known of the agent, kept up to date. A device that answers but has no system group gets an
    identity of empty texts.
    """
    limits = limits or AgentLimits()
    before = session.traffic.sent
    gets = Gets([SYS_DESCR, SYS_OBJECT_ID, SYS_NAME], limits=limits)
    await session.run(gets)
    said = {one.oid: one for one in gets.varbinds}
    roots = {oid.encode(probe.oid): probe.oid for probe in PROBES}
    presence = Presence(list(roots), limits=limits)
    await session.run(presence)
    answers = {roots[root]: there for root, there in presence.present.items()}
    descr, name = _text(said.get(SYS_DESCR)), _text(said.get(SYS_NAME))
    object_id = _object_id(said.get(SYS_OBJECT_ID))
    packets = session.traffic.sent - before
    return Identity(descr, object_id, name, fingerprint(object_id, answers, descr), packets)


def _text(varbind: ber.VarBind | None) -> str:
    if varbind is None or varbind.tag != ber.OCTET_STRING:
        return ""
    return " ".join(varbind.value.decode(errors="replace").split())


def _object_id(varbind: ber.VarBind | None) -> str:
    return oid.to_text(varbind.value) if varbind is not None and varbind.tag == ber.OBJECT_IDENTIFIER else ""
