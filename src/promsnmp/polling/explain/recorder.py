"""A poll that is listened to: the collector's own, with a note of every request and of every varbind that came back.

A page keeps only what its metrics want. Who asks why a metric is not there needs the rest too, and must see exactly the
poll that the service makes; so this stands between the session and its security model, where all messages pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from promsnmp.exposition.plan import Plan
from promsnmp.modules.catalogue import Catalogues
from promsnmp.polling.collector import Collector, Known, Options
from promsnmp.polling.poll import Harvest
from promsnmp.polling.target import Source
from promsnmp.snmp import ber
from promsnmp.snmp.operations.walk import ERROR_STATUS, FIRST, NO_SUCH_NAME
from promsnmp.snmp.security import SecurityModel
from promsnmp.snmp.session import Session

EXCEPTIONS = {
    ber.NO_SUCH_OBJECT: "noSuchObject",
    ber.NO_SUCH_INSTANCE: "noSuchInstance",
    ber.END_OF_MIB_VIEW: "endOfMibView",
}
"""What stands in place of a value that there is not (RFC 3416 section 3), by tag."""


@dataclass(slots=True)
class Trace:
    """What was seen of one walk."""

    sent: int = 0
    """Packets, retransmissions included."""
    last: bytes = b""
    """The last OID in the subtree that came back; empty: none did."""


@dataclass(slots=True)
class Record:
    """Everything that was asked and came back. OIDs are content octets."""

    varbinds: dict[bytes, ber.VarBind] = field(default_factory=dict)
    """The first value of every OID that came back with one, in the order in which they came."""
    walks: dict[bytes, Trace] = field(default_factory=dict)
    """By root, in the order in which they began."""
    gets: dict[bytes, str] = field(default_factory=dict)
    """Objects that were asked for by GET: "" when a value came, else what came instead, "no answer" at first."""
    asking: bytes = b""
    """The OID that was asked for last."""
    _request_id: int = 0
    _asked: tuple[bytes, ...] = ()
    _walk: bytes | None = None

    def request(self, octets: bytes) -> None:
        """Notes a PDU that is sent, or sent again."""
        pdu = ber.read_pdu(octets, 0, len(octets))
        self._request_id = pdu.request_id
        self._asked = tuple(one.oid for one in ber.varbinds(octets, pdu.start, pdu.end))
        self.asking = self._asked[0]
        if pdu.type == ber.GET and self.asking != self._walk:  # a walk's root may be an instance, which it then GETs
            self._walk = None
            for one in self._asked:
                self.gets.setdefault(one, "no answer")
            return
        if self._walk is None or not self.asking.startswith(self._walk):
            self._walk = b"" if self.asking == FIRST else self.asking
        self.walks.setdefault(self._walk, Trace()).sent += 1

    def answer(self, buffer: bytes, pdu: ber.Pdu) -> None:
        """Notes what came back; whatever is no answer to the last request is passed over."""
        if pdu.type != ber.RESPONSE or pdu.request_id != self._request_id:
            return
        if pdu.status:
            self._refused(pdu)
            return
        try:
            found = ber.varbinds(buffer, pdu.start, pdu.end)
        except ber.Malformed:
            return
        for one in found:
            self._take(one)

    def _refused(self, pdu: ber.Pdu) -> None:
        if self._walk is None and 0 < pdu.index <= len(self._asked):
            known = 0 <= pdu.status < len(ERROR_STATUS)
            self.gets[self._asked[pdu.index - 1]] = ERROR_STATUS[pdu.status] if known else f"error {pdu.status}"
        elif self._walk is None and pdu.status == NO_SUCH_NAME and len(self._asked) == 1:
            self.gets[self._asked[0]] = ERROR_STATUS[NO_SUCH_NAME]

    def _take(self, one: ber.VarBind) -> None:
        if self._walk is None and one.oid not in self._asked:
            return
        missing = EXCEPTIONS.get(one.tag, "")
        if self._walk is None:
            self.gets[one.oid] = missing
        elif one.oid.startswith(self._walk) and not missing:
            self.walks[self._walk].last = one.oid
        if not missing:
            self.varbinds.setdefault(one.oid, one)


class Tap:
    """A security model that another one does the work of, while a record is kept of the PDUs."""

    def __init__(self, model: SecurityModel, record: Record) -> None:
        self._model = model
        self._record = record

    def ready(self) -> bool:
        return self._model.ready()

    def discovery(self) -> bytes:
        return self._model.discovery()

    def encode(self, pdu: bytes) -> bytes:
        self._record.request(pdu)
        return self._model.encode(pdu)

    def decode(self, datagram: bytes) -> tuple[bytes, ber.Pdu]:
        buffer, pdu = self._model.decode(datagram)
        self._record.answer(buffer, pdu)
        return buffer, pdu

    def silence(self) -> str:
        return self._model.silence()


class ListeningCollector(Collector):
    """A collector for one poll; ``record``, ``session`` and ``harvest`` tell afterwards what there was to see."""

    def __init__(self, catalogues: Catalogues, record: Record) -> None:
        super().__init__(catalogues, Options(utilization=False))
        self.record = record
        self.session: Session | None = None
        self.harvest: Harvest | None = None
        self._listens = False

    def _session(self, source: Source, plan: Plan, known: Known, deadline: float) -> Session:
        session = super()._session(source, plan, known, deadline)
        if self._listens:
            self.session = session
        return session

    def _security(self, source: Source, known: Known) -> SecurityModel:
        model = super()._security(source, known)
        return Tap(model, self.record) if self._listens else model

    async def _harvest(self, source: Source, plan: Plan, known: Known, deadline: float) -> Harvest:
        self._listens = True  # but not while the device is asked what it is
        try:
            self.harvest = await super()._harvest(source, plan, known, deadline)
        finally:
            self._listens = False
        return self.harvest
