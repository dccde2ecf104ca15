"""Sends a notification as a trap or an inform: SNMPv1, v2c and v3. For tests of receivers, from the command line.

Sources: RFC 1157 section 4.1.6 (v1), RFC 3416 sections 4.2.6 and 4.2.7, RFC 3584 section 3.2 (v2 to v1), RFC 3414
section 2.2 (of a trap, the sender's engine is the authoritative one; of an inform, the receiver's).
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from promsnmp.errors import AddressError, AuthenticationError, SnmpRefused, SnmpTimeout
from promsnmp.snmp import ber
from promsnmp.snmp import oid as oids
from promsnmp.snmp.credentials import Community, Credentials, User, Version
from promsnmp.snmp.security import CommunityModel, Refused, Resynchronise, SecurityModel, Unauthentic
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3.crypto import security_protocols
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.message import Header, build_message, encode_scoped_pdu
from promsnmp.snmp.v3.reports import missing_passphrase
from promsnmp.snmp.v3.usm import UsmModel

TRAP_V1, INFORM, TRAP_V2 = 0xA4, 0xA6, 0xA7
SYS_UPTIME = oids.encode("1.3.6.1.2.1.1.3.0")
SNMP_TRAP_OID = oids.encode("1.3.6.1.6.3.1.1.4.1.0")
SNMP_TRAPS = oids.encode("1.3.6.1.6.3.1.1.5")
ENTERPRISE_SPECIFIC = 6
MAX_DATAGRAM = 65_507


@dataclass(frozen=True, slots=True)
class SentNotification:
    """What is sent. ``uptime`` is in hundredths of a second."""

    oid: bytes
    varbinds: Sequence[ber.VarBind] = ()
    uptime: int = 0


@dataclass(frozen=True, slots=True)
class SenderEngine:
    """The engine of the sender, for traps of SNMPv3."""

    engine_id: bytes
    boots: int
    time: int
    """Seconds since the last boot."""


def pdu_v2(sent: SentNotification, kind: int, request_id: int) -> bytes:
    """The PDU of a trap or inform of SNMPv2."""
    varbinds = ber.encode_varbind(SYS_UPTIME, ber.encode_integer(sent.uptime, ber.TIME_TICKS))
    varbinds += ber.encode_varbind(SNMP_TRAP_OID, ber.tlv(ber.OBJECT_IDENTIFIER, sent.oid))
    return ber.encode_pdu(kind, request_id, 0, 0, varbinds + _encoded(sent.varbinds))


def pdu_v1(sent: SentNotification, agent_address: bytes) -> bytes:
    """The PDU of a trap of SNMPv1; ``agent_address`` has four octets. Raises ValueError for a value of Counter64."""
    if any(one.tag == ber.COUNTER64 for one in sent.varbinds):
        raise ValueError("SNMPv1 has no Counter64")
    enterprise, generic, specific = v1_numbers(sent.oid)
    fields = (
        ber.tlv(ber.OBJECT_IDENTIFIER, enterprise)
        + ber.tlv(ber.IP_ADDRESS, agent_address)
        + ber.encode_integer(generic)
        + ber.encode_integer(specific)
        + ber.encode_integer(sent.uptime, ber.TIME_TICKS)
        + ber.tlv(ber.SEQUENCE, _encoded(sent.varbinds))
    )
    return ber.tlv(TRAP_V1, fields)


def v1_numbers(oid: bytes) -> tuple[bytes, int, int]:
    """Enterprise, generic-trap and specific-trap of a notification (RFC 3584 section 3.2)."""
    if oid.startswith(SNMP_TRAPS) and len(oid) == len(SNMP_TRAPS) + 1 and 1 <= oid[-1] <= ENTERPRISE_SPECIFIC:
        return SNMP_TRAPS, oid[-1] - 1, 0
    *parent, specific = oids.decode(oid)
    if parent[-1:] == [0]:
        parent.pop()
    return oids.encode(tuple(parent)), ENTERPRISE_SPECIFIC, specific


def message_v3(sent: SentNotification, user: User, engine: SenderEngine) -> bytes:
    """The message of a trap of SNMPv3. Raises AuthenticationError when a passphrase is missing."""
    if reason := missing_passphrase(user):
        raise AuthenticationError(reason)
    protocols = security_protocols(user, KeyCache(size=1, users=2).keys(user, engine.engine_id))
    header = Header(
        secrets.randbits(31), user.level, False, engine.engine_id, engine.boots, engine.time, user.name.encode()
    )
    context = user.context_engine_id or engine.engine_id
    scoped = encode_scoped_pdu(context, user.context_name.encode(), pdu_v2(sent, TRAP_V2, secrets.randbits(31)))
    return build_message(header, scoped, protocols, secrets.randbits(64))


def send_trap(endpoint: SnmpEndpoint, credentials: Credentials, sent: SentNotification, engine: SenderEngine) -> None:
    """Sends one datagram. Raises SnmpError, ValueError."""
    with _connected(endpoint) as connection:
        if isinstance(credentials, User):
            message = message_v3(sent, credentials, engine)
        elif credentials.version is Version.V1:
            message = CommunityModel(credentials).encode(pdu_v1(sent, _local_address(connection)))
        else:
            message = CommunityModel(credentials).encode(pdu_v2(sent, TRAP_V2, secrets.randbits(31)))
        _send(connection, message, endpoint)


def send_inform(
    endpoint: SnmpEndpoint, credentials: Credentials, sent: SentNotification, *, timeout: float, retries: int
) -> None:
    """Sends an inform until it is acknowledged, ``retries`` more times at most. Raises SnmpError."""
    model: SecurityModel
    if isinstance(credentials, Community):
        model = CommunityModel(credentials)
    else:
        model = UsmModel(credentials, engine=EngineState(), keys=KeyCache(size=4, users=4))
    request_id = secrets.randbits(31)
    pdu = pdu_v2(sent, INFORM, request_id)
    with _connected(endpoint) as connection:
        for _ in range(retries + 1):
            if _is_acknowledged(connection, endpoint, model, pdu, request_id, timeout):
                return
    hint = model.timeout_hint()
    raise SnmpTimeout(f"no acknowledgement{f'; {hint}' if hint else ''}", target=str(endpoint))


def _is_acknowledged(
    connection: socket.socket,
    endpoint: SnmpEndpoint,
    model: SecurityModel,
    pdu: bytes,
    request_id: int,
    timeout: float,
) -> bool:
    """One attempt, with the discovery of the receiver's engine if it is not known."""
    end = time.monotonic() + timeout
    _send(connection, model.encode(pdu) if model.ready() else model.discovery(), endpoint)
    while (left := end - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            datagram = connection.recv(MAX_DATAGRAM)
            _, answer = model.decode(datagram)
        except TimeoutError:
            return False
        except ConnectionRefusedError:
            raise SnmpRefused("nothing listens there", target=str(endpoint)) from None
        except Resynchronise:
            _send(connection, model.encode(pdu) if model.ready() else model.discovery(), endpoint)
            continue
        except Refused as error:
            raise AuthenticationError(str(error), target=str(endpoint)) from None
        except (ber.Malformed, Unauthentic):
            continue
        if answer.type == ber.RESPONSE and answer.request_id == request_id:
            return True
    return False


def _connected(endpoint: SnmpEndpoint) -> socket.socket:
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise AddressError(f"cannot be resolved: {error.strerror}", target=str(endpoint)) from None
    family, kind, protocol, _, address = found[0]
    connection = socket.socket(family, kind, protocol)
    try:
        connection.connect(address)
    except OSError as error:
        connection.close()
        raise AddressError(f"cannot be reached: {error.strerror}", target=str(endpoint)) from None
    return connection


def _send(connection: socket.socket, message: bytes, endpoint: SnmpEndpoint) -> None:
    try:
        connection.send(message)
    except ConnectionRefusedError:
        raise SnmpRefused("nothing listens there", target=str(endpoint)) from None
    except OSError as error:
        raise AddressError(f"cannot be sent: {error.strerror}", target=str(endpoint)) from None


def _local_address(connection: socket.socket) -> bytes:
    """The agent's address in traps of v1; zeros over IPv6 (RFC 3584 section 3.2)."""
    return socket.inet_aton(connection.getsockname()[0]) if connection.family == socket.AF_INET else bytes(4)


def _encoded(varbinds: Sequence[ber.VarBind]) -> bytes:
    return b"".join(ber.encode_varbind(one.oid, ber.tlv(one.tag, one.value)) for one in varbinds)


def sender_engine(engine_id: bytes, *, clock: Callable[[], float] = time.time) -> SenderEngine:
    """An engine that was booted when this command was started, and never before within the same second.

    Its boots are Unix time in minutes, so that they grow from command to command, as RFC 3414 section 2.2 needs.
    """
    now = int(clock())
    return SenderEngine(engine_id, now // 60, now % 60)
