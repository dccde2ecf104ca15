"""Checks whether the device that answers polls is the one that the inventory knows, in one packet where it can.

Mostly name, kind, engine id and start say that it is; only otherwise are serial numbers and MAC addresses read.
``polling/detection/identity_watch.py`` decides when; ``app.py`` brings both together.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from promsnmp.discovery.examine.examine import ENGINE_ID, SYS_UP_TIME
from promsnmp.discovery.examine.hardware import read_hardware
from promsnmp.discovery.examine.values import engine_id_of, number_of, object_id_of, text_of
from promsnmp.discovery.reconcile.distinctive import distinctive_engines
from promsnmp.discovery.reconcile.identity import (
    Traits,
    differences,
    known_traits,
    name_beside,
    runs_on,
)
from promsnmp.discovery.reconcile.merge import instant
from promsnmp.discovery.scan.credential_probe import SYS_NAME, SYS_OBJECT_ID
from promsnmp.inventory.model import Device, DeviceIdentifiers, SeenIdentity
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.session import Session
from promsnmp.snmp.v3.engine import EngineState


async def check_identity(
    session: Session, device: Device, version: Version, *, engine: EngineState, limits: AgentLimits, seen: float
) -> SeenIdentity:
    """The identity of the device in an open session, compared with what is known of ``device``.

    ``engine`` is that of a v3 session, ``seen`` as for ``known_traits``. Raises SnmpError.
    """
    gets = GetOperation([SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME, ENGINE_ID], limits=limits)
    await session.run(gets)
    values = {one.oid: one for one in gets.varbinds}
    known, new = known_traits(device, seen), _traits(device, values, engine)
    if not runs_on(known, new) or not (known.serials or known.macs or known.local_macs):
        hardware = await read_hardware(session, version)
        new = replace(
            new,
            serials=hardware.serial_numbers,
            macs=hardware.mac_addresses,
            local_macs=hardware.local_mac_addresses,
        )
    if differing := differences(known, new):
        engine_id = device.primary.engine_id if device.primary is not None else ""
        return SeenIdentity(differing, device.identifiers, engine_id)
    return SeenIdentity(
        differences=(),
        identifiers=DeviceIdentifiers(
            sys_name=text_of(values.get(SYS_NAME), device.overrides.text_encoding) or "",
            serial_numbers=tuple(sorted(new.serials)),
            mac_addresses=tuple(sorted(new.macs)),
            booted_at=instant(new.booted) if new.booted is not None else None,
            local_mac_addresses=tuple(sorted(new.local_macs)),
            sys_object_id=new.object_id,
        ),
        engine_id=next(iter(new.engines), ""),
    )


def _traits(device: Device, values: Mapping[bytes, ber.VarBind], engine: EngineState) -> Traits:
    now, ticks = time.time(), number_of(values.get(SYS_UP_TIME))
    engine_id = engine.engine_id or engine_id_of(values.get(ENGINE_ID))
    return Traits(
        name=name_beside(device, lambda encoding: text_of(values.get(SYS_NAME), encoding)),
        object_id=object_id_of(values.get(SYS_OBJECT_ID)) or "",
        engines=distinctive_engines([engine_id.hex()]),
        booted=None if ticks is None else now - ticks / 100,
        seen=now,
    )
