"""Asks the agent of a device that is about to be added whether it answers, and what the device's name is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from promsnmp.inventory.model import Device
from promsnmp.polling.detection.identify import SYS_DESCR, SYS_NAME
from promsnmp.polling.poll import SessionFactory
from promsnmp.polling.target import device_target
from promsnmp.snmp import ber
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.text_encodings import line_of
from promsnmp.snmp.v3.engine import EngineState

DEADLINE = 15.0
"""Seconds for the whole, whatever timeout and retries the agent has."""


@dataclass(frozen=True, slots=True)
class SystemNames:
    """sysName and sysDescr of a device (RFC 3418 section 2), safe to show; empty when it has none."""

    sys_name: str = ""
    sys_descr: str = ""


async def ask_device(device: Device, sessions: SessionFactory) -> SystemNames:
    """Asks the primary agent of ``device`` with its credentials, timeout and retries, in one GET.

    Raises SnmpError when it does not answer. A device without an agent is not asked.
    """
    if device.primary is None:
        return SystemNames()
    target = device_target(device, device.primary, ())
    deadline = asyncio.get_running_loop().time() + DEADLINE
    gets = GetOperation([SYS_NAME, SYS_DESCR], limits=AgentLimits())
    async with sessions.create(target, (), EngineState(), deadline=deadline) as session:
        await session.run(gets)
    texts = {one.oid: one for one in gets.varbinds}
    encoding = device.overrides.text_encoding
    return SystemNames(_text(texts.get(SYS_NAME), encoding), _text(texts.get(SYS_DESCR), encoding))


async def named_by_itself(device: Device, ask: Callable[[Device], Awaitable[SystemNames]]) -> Device:
    """The device with the names that it gives, where it has none. Raises SnmpError when it does not answer."""
    names = await ask(device)
    return replace(device, sys_name=device.sys_name or names.sys_name, sys_descr=device.sys_descr or names.sys_descr)


def _text(varbind: ber.VarBind | None, encoding: str) -> str:
    return line_of(varbind.value, encoding) if varbind is not None and varbind.tag == ber.OCTET_STRING else ""
