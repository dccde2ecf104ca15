"""Examines an agent that a sweep found: what identifies its device, its neighbours; some ten packets in one session.

It starts from the answers in the sweep, so a device that does not answer again is still known by those. The vendor and
the modules come from a function that is passed in, ``polling.detection.identify``, as for scrapes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from promsnmp.discovery.examine import neighbours
from promsnmp.discovery.examine.hardware import read_hardware
from promsnmp.discovery.examine.values import engine_id_of, number_of, object_id_of, text_of
from promsnmp.discovery.reconcile.identity import MOST_OCTETS, Facts
from promsnmp.discovery.scan.credential_probe import SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, AgentAnswer
from promsnmp.errors import SnmpError
from promsnmp.inventory.address import normal_address
from promsnmp.inventory.model import AgentEndpoint
from promsnmp.snmp import ber, oid, transport
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.security import CommunityModel, SecurityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel

SYS_UP_TIME = oid.encode("1.3.6.1.2.1.1.3.0")
SYS_CONTACT = oid.encode("1.3.6.1.2.1.1.4.0")
SYS_LOCATION = oid.encode("1.3.6.1.2.1.1.6.0")
ENGINE_ID = oid.encode("1.3.6.1.6.3.10.2.1.1.0")  # snmpEngineID, RFC 3411 section 5
SYSTEM_OBJECTS = (SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_CONTACT, SYS_NAME, SYS_LOCATION, ENGINE_ID)

DEADLINE = 30.0
"""Seconds for all requests to one device."""


class FingerprintMatch(Protocol):
    """Vendor, model and modules of a device; empty where unknown."""

    @property
    def vendor(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def names(self) -> tuple[str, ...]: ...


class IdentifiedDevice(Protocol):
    """The result of identifying a device; ``problem`` says why it is incomplete, empty when it is complete."""

    @property
    def match(self) -> FingerprintMatch: ...

    @property
    def problem(self) -> str: ...


class Identify(Protocol):
    """Identifies the device of an open session. Raises SnmpError when it does not answer."""

    async def __call__(self, session: Session, *, limits: AgentLimits) -> IdentifiedDevice: ...


@dataclass(frozen=True, slots=True)
class Examined:
    """The facts about a device, the addresses of its neighbours, and the packets sent."""

    facts: Facts
    neighbours: tuple[str, ...]
    packets: int


class Examiner:
    """Examines agents; ``timeout`` (seconds) and ``retries`` are per packet, ``clock`` returns Unix time."""

    def __init__(
        self, *, keys: KeyCache, timeout: float, retries: int, identify: Identify, clock: Callable[[], float]
    ) -> None:
        self._keys = keys
        self._timeout = timeout
        self._retries = retries
        self._identify = identify
        self._clock = clock

    def facts_from_answer(self, answer: AgentAnswer) -> Facts:
        """The facts from an agent's answer in the sweep, without further requests."""
        return _facts(answer, answer.varbinds, self._clock())

    async def examine(self, answer: AgentAnswer, *, with_neighbours: bool) -> Examined:
        """All facts; when the agent stops answering half way, those up to there."""
        facts = self.facts_from_answer(answer)
        session = Session(
            transport.SnmpEndpoint(answer.address, answer.port),
            self._security(answer),
            timeout=self._timeout,
            retries=self._retries,
            deadline=asyncio.get_running_loop().time() + DEADLINE,
            connected=not answer.answers_from,
        )
        neighbour_addresses: list[str] = []
        try:
            async with session:
                limits = session.limits
                facts = await self._system(session, limits, answer, facts)
                facts = await self._hardware(session, facts)
                if with_neighbours:
                    table = neighbours.neighbour_rows(answer.credentials.version, limits)
                    await session.run(table)
                    neighbour_addresses = neighbours.neighbour_addresses(table)
                identity = await self._identify(session, limits=limits)
                modules = () if identity.problem else identity.match.names
                facts = replace(facts, vendor=identity.match.vendor, model=identity.match.model, modules=modules)
        except SnmpError:
            pass  # it answered in the sweep: keep those facts
        return Examined(facts, tuple(neighbour_addresses), session.traffic.sent)

    def _security(self, answer: AgentAnswer) -> SecurityModel:
        if isinstance(answer.credentials, Community):
            return CommunityModel(answer.credentials)
        return UsmModel(answer.credentials, engine=answer.engine, keys=self._keys)

    async def _system(self, session: Session, limits: AgentLimits, answer: AgentAnswer, facts: Facts) -> Facts:
        gets = GetOperation(SYSTEM_OBJECTS, limits=limits)
        await session.run(gets)
        values = {one.oid: one for one in gets.varbinds}
        return _facts(answer, {**answer.varbinds, **values}, self._clock()) if values else facts

    async def _hardware(self, session: Session, facts: Facts) -> Facts:
        found = await read_hardware(session, facts.credentials.version)
        return replace(
            facts,
            serial_numbers=found.serial_numbers,
            mac_addresses=found.mac_addresses,
            local_mac_addresses=found.local_mac_addresses,
        )


_TEXTS = {"sys_name": SYS_NAME, "sys_descr": SYS_DESCR, "sys_contact": SYS_CONTACT, "sys_location": SYS_LOCATION}
"""Fields of ``Facts`` that are texts of the device."""


def _facts(answer: AgentAnswer, values: Mapping[bytes, ber.VarBind], now: float) -> Facts:
    ticks = number_of(values.get(SYS_UP_TIME))
    texts = {field: values[name] for field, name in _TEXTS.items() if name in values}
    return Facts(
        endpoint=AgentEndpoint(normal_address(answer.address), answer.port),
        credentials=answer.credentials,
        seen=now,
        sys_name=text_of(values.get(SYS_NAME)),
        sys_descr=text_of(values.get(SYS_DESCR)),
        sys_object_id=object_id_of(values.get(SYS_OBJECT_ID)),
        sys_contact=text_of(values.get(SYS_CONTACT)),
        sys_location=text_of(values.get(SYS_LOCATION)),
        engine_id=(answer.engine.engine_id or engine_id_of(values.get(ENGINE_ID))).hex(),
        booted=None if ticks is None else now - ticks / 100,
        octets={field: one.value[:MOST_OCTETS] for field, one in texts.items() if one.tag == ber.OCTET_STRING},
    )
