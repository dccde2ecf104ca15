"""What the receiver accepts: copies, clocks of engines, limits, addresses behind proxies. No network."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field

import pytest

from promsnmp.snmp import ber
from promsnmp.snmp.credentials import AuthProtocol, Community, PrivProtocol, SecurityLevel, User
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.reports import Report, report_of
from promsnmp.snmp.v3.usm import UsmModel
from promsnmp.traps.receive.counts import Dropped, TrapCounts
from promsnmp.traps.receive.engine_clocks import EngineClocks
from promsnmp.traps.receive.listener import Datagram
from promsnmp.traps.receive.own_engine import OwnEngine
from promsnmp.traps.receive.pdu import INFORM
from promsnmp.traps.receive.usm import TrapReceiverModel
from tests.support.traps.messages import ENGINE_ID, KEYS, community_message, trap, v1_pdu, v3_message
from tests.support.traps.receiving import Receiving, device, make

AUTH = User("careful", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA256, "auth-secret")
PRIV = User("secret", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA, "auth-secret", PrivProtocol.AES, "priv-secret")
ROUTER = device("router", "192.0.2.1", Community(), AUTH, PRIV)


@dataclass
class Sender:
    """A socket that keeps what is sent to it."""

    replies: list[bytes] = field(default_factory=list)

    def sendmsg(self, buffers: list[bytes], *_: object) -> None:
        self.replies += buffers


def datagram(data: bytes, sender: str = "192.0.2.1", answers: Sender | None = None) -> Datagram:
    place = answers or Sender()
    return Datagram(data, sender, 1234, place, (sender, 1234), ())  # type: ignore[arg-type]  # as far as it is used


async def given(made: Receiving, *messages: bytes, sender: str = "192.0.2.1") -> list[bytes]:
    """The replies to messages, processed one after the other."""
    answers = Sender()
    for one in messages:
        await made.receiver.process(datagram(one, sender, answers))
    return answers.replies


async def test_copies_are_recognised_by_sender_request_id_and_content() -> None:
    other = device("other", "192.0.2.2", number=2)
    made = make([ROUTER, other])
    await given(made, trap(1), trap(1), trap(2), trap(1, uptime=4712))
    await given(made, trap(1), sender="192.0.2.2")
    assert (len(made.got), made.dropped) == (4, {Dropped.DUPLICATE: 1})


async def test_a_copy_of_an_inform_is_acknowledged_only_when_the_first_one_is_safe() -> None:
    made = make([ROUTER])
    assert len(await given(made, trap(1, kind=INFORM), trap(1, kind=INFORM))) == 2
    assert len(made.got) == 1
    made.failing = True
    assert await given(made, trap(2, kind=INFORM), trap(2, kind=INFORM)) == []
    assert made.dropped == {Dropped.DUPLICATE: 1, Dropped.SINK: 2}


async def test_engine_ids_of_authenticated_traps_are_proof_wherever_they_come_from() -> None:
    known = device("known", "192.0.2.9", AUTH, engine_id=ENGINE_ID.hex(), number=3)
    made = make([ROUTER, known])
    await given(made, v3_message(AUTH), sender="203.0.113.5")
    assert [(got.device_name, got.sender) for got in made.got] == [("known", "203.0.113.5")]


async def test_addresses_in_traps_count_for_proxies_only() -> None:
    """Of v1 traps that name the router, only that of the proxy is the router's."""
    made = make([ROUTER], proxies="198.51.100.0/24")
    message = community_message(v1_pdu(address=bytes((192, 0, 2, 1))), version=0)
    await given(made, message, sender="198.51.100.7")
    await given(made, message, sender="203.0.113.5")
    assert [(got.device_name, got.sender) for got in made.got] == [("router", "192.0.2.1")]
    assert made.dropped == {Dropped.SENDER: 1}


async def test_several_devices_behind_one_address_are_not_mixed_up() -> None:
    made = make([ROUTER, device("neighbour", "192.0.2.1", port=1161, number=2)])
    await given(made, trap(1))
    assert made.dropped == {Dropped.SENDER: 1}


@pytest.mark.parametrize(
    ("boots", "time", "accepted"), [(4, 1000, True), (4, 849, False), (3, 9999, False), (5, 0, True)]
)
async def test_the_clock_of_a_sender_may_not_go_back(boots: int, time: int, accepted: bool) -> None:
    made = make([ROUTER])
    await given(made, v3_message(AUTH, boots=4, time=1000), v3_message(AUTH, boots=boots, time=time, request_id=2))
    assert len(made.got) == 1 + accepted
    assert made.dropped == ({} if accepted else {Dropped.TIME_WINDOW: 1})


async def test_what_polls_know_of_a_clock_protects_the_first_trap_from_replay() -> None:
    polled = EngineState(ENGINE_ID)
    polled.set_clock(7, 50, 1000.0)
    model = TrapReceiverModel(OwnEngine(None), clocks=EngineClocks(polled_clock=lambda _: polled, clock=lambda: 1000.0))
    made = make([ROUTER])
    model.accepted = made.usm.accepted
    made.receiver._usm = model
    await given(made, v3_message(AUTH, boots=6, time=100))
    assert made.dropped == {Dropped.TIME_WINDOW: 1}


async def test_users_of_one_name_are_told_apart_by_their_passphrases() -> None:
    users = [User("same", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA, f"passphrase-{at}") for at in range(3)]
    made = make([device(f"d{at}", f"192.0.2.{at + 1}", one, number=at) for at, one in enumerate(users)])
    for at, one in enumerate(users):
        await given(made, v3_message(one, request_id=at, engine_id=ENGINE_ID + bytes((at,))))
    assert len(made.got) == 3
    stranger = User("same", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA, "something-else")
    await given(made, v3_message(stranger))
    assert made.dropped == {Dropped.DIGEST: 1}


async def test_a_user_may_leave_encryption_out_but_not_authentication() -> None:
    made = make([ROUTER])
    await given(made, v3_message(PRIV, level=SecurityLevel.AUTH_NO_PRIV))
    await given(made, v3_message(PRIV, level=SecurityLevel.NO_AUTH_NO_PRIV, request_id=2))
    assert [got.security_level for got in made.got] == [SecurityLevel.AUTH_NO_PRIV]
    assert made.dropped == {Dropped.LEVEL: 1}


async def test_traps_that_ask_for_reports_are_accepted_and_informs_to_another_engine_get_one() -> None:
    made = make([ROUTER])
    assert await given(made, v3_message(AUTH, reportable=True)) == []
    assert len(made.got) == 1
    assert len(await given(made, v3_message(AUTH, reportable=True, kind=INFORM, request_id=2))) == 1
    assert await given(made, v3_message(AUTH, kind=INFORM, request_id=3)) == []
    assert (len(made.got), made.dropped) == (1, {Dropped.ENGINE: 2})


@pytest.mark.parametrize("user", [AUTH, PRIV])
async def test_a_manager_that_asks_for_our_engine_learns_its_id_and_authentic_time(user: User) -> None:
    """The reports are those that the manager's side of USM accepts: engine discovery, then notInTimeWindows."""
    made = make([ROUTER])
    manager = UsmModel(user, engine=(engine := EngineState()), keys=KEYS)
    for wanted in (Report.UNKNOWN_ENGINE, Report.NOT_IN_TIME_WINDOW):
        (reply,) = await given(made, manager.discovery())
        message = usm_message.parse_message(reply)
        if wanted is Report.NOT_IN_TIME_WINDOW:
            assert message.header.level is SecurityLevel.AUTH_NO_PRIV
        else:
            scoped = usm_message.decode_scoped_pdu(reply, message, None)  # type: ignore[arg-type]  # not encrypted
            (counter,) = ber.varbinds(scoped.buffer, scoped.pdu.start, scoped.pdu.end)
            assert report_of(counter.oid) is wanted
        with pytest.raises(Exception):  # noqa: B017, PT011  # Resynchronise
            manager.decode(reply)
    assert manager.ready()
    assert (engine.engine_id, engine.boots) == (made.usm._engine.engine_id, 1)


async def test_limits_are_per_sender_and_for_strangers() -> None:
    made = make([ROUTER], rate=100, sender_rate=10)
    for number in range(1000):
        made.receiver.take(datagram(trap(number)))
    assert made.dropped[Dropped.SENDER_RATE] >= 900
    for number in range(1000):
        made.receiver.take(datagram(trap(number), sender=f"198.51.100.{number % 250}"))
    assert made.receiver.waiting < 100
    assert made.dropped[Dropped.RATE] + made.dropped[Dropped.SENDER_RATE] + made.receiver.waiting >= 1990


async def test_what_waits_is_bounded_in_bytes() -> None:
    made = make([ROUTER], rate=1e9, sender_rate=1e9, queue_octets=1_000_000)
    for _ in range(100):
        made.receiver.take(datagram(bytes(60_000)))
    assert made.receiver.waiting_octets <= 1_000_000
    assert made.dropped[Dropped.QUEUE] == 100 - made.receiver.waiting


def test_drops_are_logged_once_a_minute_for_each_reason(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    counts = TrapCounts(clock=lambda: now[0])
    for _ in range(1000):
        counts.drop(Dropped.COMMUNITY, "192.0.2.1")
    assert len(caplog.records) == 1
    now[0] = 61.0
    counts.drop(Dropped.COMMUNITY, "192.0.2.2")
    assert "999 more" in caplog.records[1].getMessage()


async def test_what_the_system_drops_is_counted() -> None:
    made = make([ROUTER])
    made.listener.open("127.0.0.1", 0)
    made.listener._sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(200):
            sender.sendto(bytes(500), ("127.0.0.1", made.listener.port))
    await made.listener.count_overflows()
    await made.listener.count_overflows()
    dropped = made.dropped[Dropped.KERNEL]
    made.listener.start()
    while made.counts.received < 200:
        await asyncio.sleep(0.01)
    assert 0 < dropped < 200
    assert made.counts.received == 200
    made.listener.stop()


async def test_what_is_not_snmp_is_malformed() -> None:
    made = make([ROUTER])
    await given(made, b"", b"\x30", b"hello", trap(1)[:-3], community_message(v1_pdu(), version=2))
    assert made.dropped == {Dropped.MALFORMED: 5}
    await given(made, community_message(ber.encode_pdu(ber.GET, 1, 0, 0, b"")), community_message(v1_pdu(), version=1))
    assert made.dropped[Dropped.UNSUPPORTED] + made.dropped[Dropped.MALFORMED] == 7


async def test_strangers_get_no_answer_that_is_worth_making_up_an_address_for() -> None:
    made = make([ROUTER])
    assert await given(made, trap(1, kind=INFORM, community=b"wrong"), b"\x30\x00", sender="203.0.113.5") == []
    manager = UsmModel(User("", SecurityLevel.NO_AUTH_NO_PRIV), engine=EngineState(), keys=KEYS)
    question = manager.discovery()
    (report,) = await given(made, question, sender="203.0.113.5")
    assert len(report) < 2 * len(question)


async def test_an_engine_id_without_authentication_is_no_proof() -> None:
    nobody = User("nobody", SecurityLevel.NO_AUTH_NO_PRIV)
    made = make([device("known", "192.0.2.9", nobody, engine_id=ENGINE_ID.hex())])
    await given(made, v3_message(nobody), sender="203.0.113.5")
    assert (made.got, made.dropped) == ([], {Dropped.SENDER: 1})
