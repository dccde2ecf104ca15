"""Probes one address with all credentials until one is accepted; without sockets and clock.

What is asked first is PROBE_OBJECTS; ``discovery/examine/examine.py`` uses the answer and asks for the rest.

Credentials are tried in order; the first for which the agent shows something of its system group is kept. A v3 user is
tried as in RFC 3414 section 4: engine discovery first, which shows whether there is a v3 agent at all. An answer is
checked by request id or msgID, community or MAC; the owner of the socket checks the source address.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from promsnmp.errors import AuthenticationError
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Community, Credentials, User
from promsnmp.snmp.operations.base import TOO_BIG
from promsnmp.snmp.security import CommunityModel, Refused, Resynchronise, SecurityModel, Unauthentic, Unexpected
from promsnmp.snmp.session import MAX_RESYNCHRONISATIONS
from promsnmp.snmp.silence import telling_id, usable_bits
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.reports import missing_passphrase
from promsnmp.snmp.v3.usm import UsmModel

SYS_DESCR = oid.encode("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid.encode("1.3.6.1.2.1.1.2.0")
SYS_NAME = oid.encode("1.3.6.1.2.1.1.5.0")
PROBE_OBJECTS = (SYS_DESCR, SYS_OBJECT_ID, SYS_NAME)
"""Objects that every agent has (RFC 3418), and that say most in one packet."""

_UNKNOWN_ENGINE = EngineState()
"""For an address that was not asked by v3; never modified."""
_NO_VALUE_TAGS = frozenset({ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE, ber.END_OF_MIB_VIEW, ber.NULL})


class ProbeStep(Enum):
    """What to do after a datagram or a timeout."""

    WAIT = "continue waiting"
    SEND = "send the next datagram now"
    FOUND = "the agent answers"
    OVER = "all credentials have been tried"


@dataclass(frozen=True, slots=True)
class AgentAnswer:
    """An agent that accepts ``credentials``."""

    address: str
    port: int
    credentials: Credentials
    varbinds: Mapping[bytes, ber.VarBind] = field(repr=False)
    """Its values of PROBE_OBJECTS, by OID; may be empty when the answer did not fit into a packet."""
    engine: EngineState
    """Known for a v3 user, so that the next request needs no engine discovery."""
    answers_from: str = ""
    """Where its answers come from, when that is not where it was asked."""


class CandidateCredentials:
    """One of the credentials of a sweep, with the parts that are the same for all addresses.

    Raises AuthenticationError when it lacks a passphrase that its security level needs.
    """

    __slots__ = ("credentials", "shared")

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.shared = CommunityModel(credentials) if isinstance(credentials, Community) else None
        if isinstance(credentials, User) and (missing := missing_passphrase(credentials)):
            raise AuthenticationError(missing)

    def model(self, engine: EngineState, keys: KeyCache) -> SecurityModel:
        """The security model for one address; ``engine`` is the state of its v3 agent."""
        if isinstance(self.credentials, User):
            return UsmModel(self.credentials, engine=engine, keys=keys)
        assert self.shared is not None
        return self.shared


class Probe:
    """The exchange with one address. ``count`` is called with the kind of each error; ``answered``: it speaks SNMP.

    ``candidates``, at least one, are shared by all addresses.
    """

    __slots__ = (
        "_candidates", "_count", "_engine", "_keys", "_model", "_number", "_oids", "_request_id", "_resynchronised",
        "address", "answered", "port",
    )  # fmt: skip
    _request_id: int

    def __init__(
        self,
        address: str,
        port: int,
        candidates: Sequence[CandidateCredentials],
        *,
        keys: KeyCache,
        count: Callable[[str], None],
    ) -> None:
        self.address = address
        self.port = port
        self.answered = False
        self._candidates = candidates
        self._keys = keys
        self._count = count
        self._engine = _UNKNOWN_ENGINE
        self._begin(0)

    def datagram(self) -> bytes:
        """The datagram to send; a new one each time, as v3 requires."""
        model = self._model
        if not model.ready():
            return model.discovery()
        varbinds = b"".join(map(ber.encode_varbind, self._oids))
        return model.encode(ber.encode_pdu(ber.GET, self._request_id, 0, 0, varbinds))

    @property
    def authenticates(self) -> bool:
        """Whether answers to the present credentials are authenticated, so that they may come from anywhere."""
        return self._model.authenticates

    def is_response(self, datagram: bytes) -> bool:
        """Whether a datagram looks like an answer to the last request."""
        return self._model.is_response(datagram)

    def on_datagram(self, datagram: bytes) -> ProbeStep | AgentAnswer:
        """Processes a datagram from the address."""
        try:
            buffer, pdu = self._model.decode(datagram)
            if pdu.type != ber.RESPONSE or pdu.request_id != self._request_id:
                return self._on_other_id(pdu)
            varbinds = ber.varbinds(buffer, pdu.start, pdu.end)
        except ber.Malformed:
            return self._dropped("malformed")
        except Unexpected:
            return self._dropped("unexpected")
        except Refused:  # a search does not wait for a better answer: it would take days
            self.answered = True
            return self._refused("authentication")
        except Unauthentic:
            return self._dropped("unauthentic")
        except Resynchronise:
            self.answered = True
            self._resynchronised += 1
            return ProbeStep.SEND if self._resynchronised <= MAX_RESYNCHRONISATIONS else self._refused("authentication")
        except AuthenticationError:
            self.answered = True
            return self._refused("authentication")
        self.answered = True
        return self._on_response(pdu, varbinds)

    def _on_other_id(self, pdu: ber.Pdu) -> ProbeStep:
        """Asks an agent that cuts request-ids again, with one that it need not cut."""
        bits = usable_bits(self._request_id, pdu.request_id) if pdu.type == ber.RESPONSE else 0
        if not bits or self._resynchronised >= MAX_RESYNCHRONISATIONS:
            return self._dropped("unexpected")
        self._resynchronised += 1
        self._request_id = secrets.randbits(bits)
        return ProbeStep.SEND

    def on_timeout(self) -> ProbeStep:
        """Processes a timeout: no answer to any datagram with these credentials."""
        is_user = self._candidates[self._number].shared is None
        return self._next(no_users=is_user and not self._engine.engine_id)

    def _dropped(self, kind: str) -> ProbeStep:
        self._count(kind)
        return ProbeStep.WAIT

    def _on_response(self, pdu: ber.Pdu, varbinds: Sequence[ber.VarBind]) -> ProbeStep | AgentAnswer:
        """Drops an object that the agent rejects (v1 rejects all objects for one: RFC 1157 section 4.1.2)."""
        if pdu.status and pdu.status != TOO_BIG:
            if not 0 < pdu.index <= len(self._oids) or len(self._oids) == 1:
                return self._refused("error_status")
            del self._oids[pdu.index - 1]
            self._request_id = secrets.randbits(31)
            return ProbeStep.SEND
        values = {one.oid: one for one in varbinds if one.oid in self._oids and one.tag not in _NO_VALUE_TAGS}
        if not values and not pdu.status:
            return self._refused("empty")
        return AgentAnswer(self.address, self.port, self._candidates[self._number].credentials, values, self._engine)

    def _refused(self, kind: str) -> ProbeStep:
        self._count(kind)
        return self._next()

    def _next(self, *, no_users: bool = False) -> ProbeStep:
        """Continues with the next credentials; without a v3 agent, skips all users."""
        for number in range(self._number + 1, len(self._candidates)):
            if self._candidates[number].shared is not None or not no_users:
                self._begin(number)
                return ProbeStep.SEND
        return ProbeStep.OVER

    def _begin(self, number: int) -> None:
        candidate = self._candidates[number]
        if candidate.shared is None and self._engine is _UNKNOWN_ENGINE:
            self._engine = EngineState()
        self._number = number
        self._model = candidate.model(self._engine, self._keys)
        self._oids = list(PROBE_OBJECTS)
        self._resynchronised = 0
        self._request_id = telling_id()
