"""What the owner of a device does with traps: one poll for a storm, findings about interfaces, claims of replicas."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.cluster.members.members import Member
from promsnmp.errors import PeerError
from promsnmp.inventory.model import Device
from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import VarBind
from promsnmp.traps.confirm.missed import MissedTraps
from promsnmp.traps.confirm.object_states import IF_INDEX, IF_OPER_STATUS, Finding, Said, if_index
from promsnmp.traps.confirm.poll_requests import PollRequests
from promsnmp.traps.device_traps import MAX_NAMES, DeviceTraps
from promsnmp.traps.events import DeviceEvents, TrapEvent
from promsnmp.traps.metrics import TrapMeters
from promsnmp.traps.names.definitions import builtin
from promsnmp.traps.peers import CLAIM_SECONDS, HeldClaims, TrapPeers
from promsnmp.traps.receive.receiver import Claim
from tests.support.tools import until
from tests.support.traps.messages import LINK_DOWN, LINK_UP
from tests.support.traps.receiving import device

CONFIRMATIONS = builtin().confirmations
SWITCH = device("switch", "192.0.2.1")


def link_binds(row: int) -> tuple[VarBind, ...]:
    return (VarBind(IF_INDEX + oid.encode_subids((row,)), ber.INTEGER, bytes((row,))),)


def event(notification: bytes = LINK_DOWN, *, row: int = 7, at: float = 1000.0, name: str = "linkDown") -> TrapEvent:
    return TrapEvent(SWITCH.id, notification, name, at, False, link_binds(row))


class Polls:
    """Polling that notes what it is asked for; ``states`` are those of interfaces, by row."""

    def __init__(self) -> None:
        self.asked = 0
        self.states: dict[int, int] = {}
        self.updates: list[dict[bytes, VarBind]] = []

    def poll_again(self, _: Device) -> bool:
        self.asked += 1
        return True

    async def get_rows(self, _: Device, names: list[bytes]) -> Mapping[bytes, VarBind]:
        rows = {IF_OPER_STATUS + oid.encode_subids((row,)): state for row, state in self.states.items()}
        return {name: VarBind(name, ber.INTEGER, bytes((rows[name],))) for name in names if name in rows}

    async def update_page(self, _: Device, answers: Mapping[bytes, VarBind], *__: object) -> bool:
        self.updates.append(dict(answers))
        return True


def events_of(polls: Polls, meters: TrapMeters, traps: DeviceTraps, which: str = "known") -> DeviceEvents:
    return DeviceEvents(
        polls, {SWITCH.id: SWITCH}.get, meters, traps, which=which, interval=0.0,  # type: ignore[arg-type]
        unauthenticated_interval=0.3, confirmation_of=CONFIRMATIONS.get, clock=lambda: 50.0, wall=lambda: 1000.0,
    )  # fmt: skip


async def test_a_storm_of_one_device_becomes_one_poll_now_and_one_after_it() -> None:
    polled: list[str] = []
    requests = PollRequests(polled.append, interval=0.0, unauthenticated_interval=0.5)
    for _ in range(1000):
        requests.request("one", is_authenticated=False)
    await until(lambda: polled == ["one"])
    for _ in range(1000):
        requests.request("one", is_authenticated=False)
    requests.request("two", is_authenticated=False)
    await until(lambda: polled == ["one", "two", "one"])
    requests.stop()


async def test_what_traps_said_is_compared_with_what_the_device_answers() -> None:
    polls, meters, told = Polls(), TrapMeters(), list[tuple[Said, Finding]]()
    events = events_of(polls, meters, DeviceTraps())
    events._tell = lambda said, finding: told.append((said, finding))
    polls.states = {1: 2, 2: 1, 3: 1, 4: 7}
    for notification, row in (
        (LINK_DOWN, 1),
        (LINK_DOWN, 2),
        (LINK_DOWN, 3),
        (LINK_UP, 3),
        (LINK_DOWN, 4),
        (LINK_UP, 5),
    ):
        events.handle(event(notification, row=row))
    events.on_polled(SWITCH.id, 49.0, has_page=True)  # a poll that began before the traps proves nothing
    assert meters.delay.count == 0
    events.on_polled(SWITCH.id, 51.0, has_page=True)
    assert meters.delay.count == 6
    await until(lambda: sum(meters.findings.values()) == 6)
    assert len(told) == 6
    assert meters.findings == Counter(
        {Finding.CONFIRMED: 3, Finding.NOT_CONFIRMED: 1, Finding.SUPERSEDED: 1, Finding.UNKNOWN: 1}
    )
    await events.stop()


def test_changes_without_a_trap_count_as_missed_for_devices_that_send_link_traps() -> None:
    missed, up, down = MissedTraps(), 1, 2
    assert missed.on_polled("silent", 1.0, {b"\x01": down}) == 0
    missed.add("one", b"\x01", 5.0)
    assert missed.on_polled("one", 6.0, {b"\x01": down, b"\x02": down}) == 0  # there may have been no traps before
    missed.add("one", b"\x01", 7.0)
    assert missed.on_polled("one", 8.0, {b"\x01": up, b"\x02": up, b"\x03": 7}) == 1
    assert missed.on_polled("one", 9.0, {b"\x01": down}) == 1
    missed.retain(set())
    assert missed.on_polled("one", 10.0, {b"\x01": up}) == 0


@pytest.mark.parametrize(("which", "name", "polls_it"), [("known", "", False), ("all", "", True), ("none", "a", False)])
async def test_which_traps_cause_a_poll(which: str, name: str, polls_it: bool) -> None:
    polls, traps = Polls(), DeviceTraps()
    events = events_of(polls, TrapMeters(), traps, which)
    events.handle(event(name=name))
    assert bool(events._requests._devices) == polls_it
    assert traps.families(SWITCH.id)
    await events.stop()


def test_the_interface_is_the_value_of_if_index_or_the_row_of_a_status() -> None:
    status = VarBind(IF_OPER_STATUS + b"\x09", ber.INTEGER, b"\x02")
    assert if_index([status]) == b"\x09"
    assert if_index([status, *link_binds(7)]) == b"\x07"
    assert if_index([VarBind(IF_INDEX, ber.INTEGER, b"\xff")]) == b""
    assert if_index([]) == b""


def test_traps_on_a_page_are_bounded_and_go_with_their_device() -> None:
    traps = DeviceTraps()
    for number in range(MAX_NAMES * 2):
        traps.add("one", f"trap{number}", float(number))
    (_, _, _, totals), (_, _, _, last) = traps.families("one")
    assert len(totals) == MAX_NAMES + 1
    assert {labels["trap"]: number for labels, number in last}["other"] == MAX_NAMES * 2 - 1
    traps.retain(set())
    assert traps.families("one") == []


def test_a_claim_is_held_until_it_is_done_released_or_too_old() -> None:
    now = [0.0]
    held = HeldClaims(lambda: now[0])
    assert [held.claim(b"a"), held.claim(b"a")] == [Claim.NEW, Claim.PENDING]
    now[0] = CLAIM_SECONDS + 1
    assert held.claim(b"a") is Claim.NEW
    held.release(b"a")
    assert held.claim(b"a") is Claim.NEW
    held.done(b"a")
    assert held.claim(b"a") is Claim.DONE


def peers_of(mine: str, handled: list[TrapEvent], replicas: dict[str, TrapPeers]) -> TrapPeers:
    """The claims of one of two replicas that hear each other; without the other one there is no answer."""

    class Client:
        async def request(self, address: str, *_: object, timeout: float) -> object:
            if address not in replicas:
                raise PeerError("it does not answer")
            return SimpleNamespace(status=200, body=await replicas[address].receive(_[3]))  # type: ignore[arg-type]

    members = [Member(name, name, name, 0.0) for name in ("a:1", "b:1")]
    cluster = SimpleNamespace(
        has_peers=True,
        peers=Client(),
        members=SimpleNamespace(
            ring=HashRing([one.name for one in members], mine),
            me=next(one for one in members if one.name == mine),
            find=lambda name: next(one for one in members if one.name == name),
        ),
    )
    return TrapPeers(cluster, handled.append, confirmation_of=CONFIRMATIONS.get)  # type: ignore[arg-type]  # as far as it is used


async def test_only_the_owner_of_a_device_handles_its_traps_and_knows_their_copies() -> None:
    replicas: dict[str, TrapPeers] = {}
    handled: dict[str, list[TrapEvent]] = {"a:1": [], "b:1": []}
    for name, got in handled.items():
        replicas[name] = peers_of(name, got, replicas)
    owner = HashRing(["a:1", "b:1"], "").owner(SWITCH.id)
    other = "b:1" if owner == "a:1" else "a:1"
    assert await replicas[other].claim(event(), b"key") is Claim.NEW
    assert await replicas[owner].claim(event(), b"key") is Claim.PENDING
    replicas[other].done(SWITCH.id, b"key")
    await asyncio.gather(*(box.task for box in replicas[other]._outboxes.values() if box.task is not None))
    assert await replicas[owner].claim(event(), b"key") is Claim.DONE
    assert handled == {owner: [event()], other: []}
    del replicas[owner]
    alone = peers_of(other, handled[other], replicas)
    assert await alone.claim(event(), b"key") is Claim.NEW  # better twice than never
    with pytest.raises(PeerError):
        await alone.receive(json.dumps({"claims": [{"key": "00"}], "done": [], "released": []}).encode())
