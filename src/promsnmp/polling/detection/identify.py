"""Identifies a device: reads its system group, probes which tables answer, and takes its fingerprint."""

from __future__ import annotations

from dataclasses import dataclass

from promsnmp.errors import SnmpError, SnmpTimeout
from promsnmp.modules.auto_modules import TABLE_PROBES, Fingerprint, fingerprint
from promsnmp.snmp import ber, oid
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.exists import ROOTS_PER_REQUEST, ExistsOperation
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.session import Session
from promsnmp.snmp.text_encodings import decode

SYS_DESCR = oid.encode("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid.encode("1.3.6.1.2.1.1.2.0")
SYS_UP_TIME = oid.encode("1.3.6.1.2.1.1.3.0")
SYS_NAME = oid.encode("1.3.6.1.2.1.1.5.0")
SYSTEM_GROUP = "1.3.6.1.2.1.1"
"""Probed with the tables: an agent that denies this one does not answer probes truthfully."""
SMALL_BATCH = 4
"""Tables probed by one packet after the agent did not answer a packet of many in time."""


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What a device says about itself, and which vendor, model and modules follow from it."""

    sys_descr: str
    sys_object_id: str
    sys_name: str
    match: Fingerprint
    packets: int
    sys_up_time: int | None = None
    """Hundredths of a second."""
    problem: str = ""
    """Why not all tables were probed: ``match`` then follows from those that were, and is provisional. "" when all
    were."""


async def identify(session: Session, *, limits: AgentLimits | None = None, encoding: str = "") -> DeviceIdentity:
    """Identifies the device of an open session, in few packets. Raises SnmpError when it does not answer.

    ``limits`` are the agent's known limits, and are updated; ``encoding`` is that of the device's texts, one of
    ``snmp.text_encodings.ENCODINGS``; empty: UTF-8. A device that answers but has no system group gets an
    identity of empty texts; a device that stops answering half-way gets an identity with a ``problem``.
    """
    limits = limits or AgentLimits()
    before = session.traffic.sent
    gets = GetOperation([SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME], limits=limits)
    await session.run(gets)
    values = {one.oid: one for one in gets.varbinds}
    answers, problem = await _tables(session, limits)
    has_system = answers.pop(SYSTEM_GROUP, None)
    if not problem and not any(answers.values()) and not has_system:
        problem = "the agent returned only a part of its system group" if values else "the agent returned no objects"
    descr, name = _text(values.get(SYS_DESCR), encoding), _text(values.get(SYS_NAME), encoding)
    object_id = _object_id(values.get(SYS_OBJECT_ID))
    return DeviceIdentity(
        sys_descr=descr,
        sys_object_id=object_id,
        sys_name=name,
        match=fingerprint(object_id, answers, descr),
        packets=session.traffic.sent - before,
        sys_up_time=_number(values.get(SYS_UP_TIME)),
        problem=problem,
    )


async def _tables(session: Session, limits: AgentLimits) -> tuple[dict[str, bool], str]:
    """Which of the TABLE_PROBES and SYSTEM_GROUP exist, and what stopped the probing early ("": nothing).

    An agent may need long to find that a table is absent: when it does not answer for many tables in time, it is asked
    again for few.
    """
    roots = {oid.encode(name): name for name in (SYSTEM_GROUP, *(probe.oid for probe in TABLE_PROBES))}
    present: dict[bytes, bool] = {}
    problem = ""
    for batch_size in (ROOTS_PER_REQUEST, SMALL_BATCH):
        operation = ExistsOperation(
            [root for root in roots if root not in present], limits=limits, batch_size=batch_size
        )
        failure: SnmpError | None = None
        try:
            await session.run(operation)
        except SnmpError as error:
            failure = error
        problem = failure.message if failure is not None else ""
        present |= operation.present
        if not isinstance(failure, SnmpTimeout):
            break
    return {roots[root]: is_present for root, is_present in present.items()}, problem


def _text(varbind: ber.VarBind | None, encoding: str) -> str:
    if varbind is None or varbind.tag != ber.OCTET_STRING:
        return ""
    return " ".join(decode(varbind.value, encoding or "utf-8").split())


def _object_id(varbind: ber.VarBind | None) -> str:
    return oid.to_text(varbind.value) if varbind is not None and varbind.tag == ber.OBJECT_IDENTIFIER else ""


def _number(varbind: ber.VarBind | None) -> int | None:
    return None if varbind is None else ber.integer_value(varbind.tag, varbind.value)
