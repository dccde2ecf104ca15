"""What follows after a notification was passed on: other replicas end its alert, outputs hear what a poll found."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from promsnmp.cluster.members.members import Member
from promsnmp.errors import PeerError
from promsnmp.traps.confirm.object_states import Finding, Said
from promsnmp.traps.follow_up import peer_notes
from promsnmp.traps.follow_up.peer_notes import FINDINGS, GIVE_UP, RESOLVED, Note, NoteQueue, PeerNotes, notes_in
from promsnmp.traps.follow_up.recent import MAX_TEXT, RecentTraps, read_recent
from promsnmp.traps.follow_up.service import FollowUp
from promsnmp.traps.names.confirmations import Confirmation
from promsnmp.traps.outputs.outputs import Outputs
from promsnmp.traps.outputs.queue.memory import MemoryQueue
from promsnmp.traps.outputs.worker import Worker
from tests.support.notifications import LINK_UP, link, notification, passed

CONFIRMATION = Confirmation(b"\x2b", "object")


class Kept:
    """An output that is asked only for what it wants."""

    name = kind = "alertmanager"
    batch = 1

    def wants(self, event: Any) -> bool:
        return True


class Others:
    """The other replicas: they fail so many times, and keep what they then get."""

    def __init__(self, *, failures: int = 0, status: int = 200) -> None:
        self.failures, self.status = failures, status
        self.got: list[tuple[str, str, Any]] = []
        self.attempts = 0

    async def request(self, address: str, *arguments: object, timeout: float) -> object:
        self.attempts += 1
        if self.failures:
            self.failures -= 1
            raise PeerError("it does not answer")
        self.got += [(address, *note) for note in notes_in(json.loads(cast("bytes", arguments[3])))]
        return SimpleNamespace(status=self.status)

    def notes(self, **clock: Any) -> PeerNotes:
        """The notes of the replica "me"."""
        members = [Member(name, name, name, 0.0) for name in ("me", "a", "b")]
        by_name = {one.name: one for one in members}
        of_cluster = SimpleNamespace(me=members[0], others=tuple(members[1:]), find=by_name.get)
        cluster = SimpleNamespace(has_peers=True, peers=self, members=of_cluster)
        return PeerNotes(cluster, **clock)  # type: ignore[arg-type]  # as far as it is used


async def finish(notes: PeerNotes) -> None:
    await asyncio.gather(*(one.task for one in notes._queues.values() if one.task is not None))


async def at_once(_: float) -> None:
    """A pause that takes no time."""


def follow_up(others: Others) -> tuple[FollowUp, MemoryQueue, RecentTraps, PeerNotes]:
    queue, recent, notes = MemoryQueue(max_count=10, max_octets=1 << 20), RecentTraps(), others.notes()
    outputs = Outputs([Worker(Kept(), queue, max_age=0)])  # type: ignore[arg-type]
    return FollowUp(outputs, notes, recent, clock=lambda: 1_800_000_003.0), queue, recent, notes


async def events(queue: MemoryQueue) -> list[dict[str, Any]]:
    return [json.loads(one) for one in (await queue.peek(10, 1 << 20)).records]


async def test_what_resolves_an_alert_is_told_to_all_other_replicas_and_they_queue_it() -> None:
    others = Others()
    follow, _, _, notes = follow_up(others)
    follow.passed_on(passed(link()))
    follow.passed_on(passed(link(LINK_UP)))
    await finish(notes)
    assert [(address, kind) for address, kind, _ in others.got] == [("a", RESOLVED), ("b", RESOLVED)]
    there, queue, _, _ = follow_up(Others())
    await there.receive(*others.got[0][1:])
    (event,) = await events(queue)
    assert event["state"] == "resolved"
    assert event["resolves"] == [{"device": "core1-id", "name": "linkDown", "group": [["ifIndex", "3"]]}]


async def test_a_finding_goes_to_the_replica_that_received_the_trap_and_to_its_outputs() -> None:
    others = Others()
    follow, queue, recent, notes = follow_up(others)
    follow.found(Said(CONFIRMATION, id="some-id", receiver="b"), Finding.NOT_CONFIRMED)
    await finish(notes)
    assert others.got == [("b", FINDINGS, {"id": "some-id", "finding": "not_confirmed"})]
    named = passed(link())
    follow.passed_on(named)
    await follow.receive(FINDINGS, {"id": named.notification.id, "finding": "not_confirmed"})
    await follow.stop()
    (event,) = await events(queue)
    assert (event["confirmation"], event["confirms"]) == ("not_confirmed", named.notification.id)
    assert event["id"] != named.notification.id
    assert event["trap"] == "linkDown"
    assert event["receivedAt"] == 1_800_000_003.0
    assert [one.confirmation for one in recent] == ["not_confirmed"]


async def test_a_finding_that_comes_before_its_notification_is_queued_is_not_lost() -> None:
    follow, queue, _, _ = follow_up(Others())
    named = passed(link())
    follow.found(Said(CONFIRMATION, id=named.notification.id, receiver="me"), Finding.CONFIRMED)
    follow.passed_on(named)
    await follow.stop()
    assert [one["confirmation"] for one in await events(queue)] == ["confirmed"]


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (RESOLVED, None), (RESOLVED, {}), (RESOLVED, {"receivedAt": "nan", "resolves": [{}]}),
        (RESOLVED, {"receivedAt": 1, "resolves": [{"device": "d", "name": "n", "group": [1]}]}),
        (RESOLVED, {"receivedAt": 1, "resolves": [], "authenticated": True}),
        (FINDINGS, []), (FINDINGS, {"id": "x", "finding": "bad"}),
    ],
)  # fmt: skip
async def test_a_note_that_makes_no_sense_is_refused(kind: str, document: Any) -> None:
    follow, queue, _, _ = follow_up(Others())
    with pytest.raises(PeerError):
        await follow.receive(kind, document)
    assert len(queue) == 0


async def test_notes_are_repeated_until_they_arrive_and_given_up_when_they_are_too_old() -> None:
    others, now = Others(failures=3), [0.0]
    notes = others.notes(sleep=at_once, clock=lambda: now[0])
    notes.tell("a", FINDINGS, 1)
    notes.tell("a", FINDINGS, 2)
    await finish(notes)
    assert [document for _, _, document in others.got] == [1, 2]
    assert (others.attempts, notes.given_up) == (4, 0)

    async def later(_: float) -> None:
        now[0] += GIVE_UP

    gone = Others(failures=10).notes(sleep=later, clock=lambda: now[0])
    gone.tell("a", FINDINGS, 1)
    await finish(gone)
    assert gone.given_up == 1


async def test_a_replica_that_does_not_understand_notes_is_not_asked_again() -> None:
    others = Others(status=400)
    notes = others.notes(sleep=at_once)
    notes.tell("a", FINDINGS, 1)
    await finish(notes)
    assert others.attempts == 1


def test_notes_that_wait_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_notes, "MAX_OCTETS", 3000)
    queue = NoteQueue()
    for number in range(100):
        queue.add(Note(FINDINGS, str(number) * 100, 1.0))
    assert queue.octets <= 3000
    assert len(queue.notes) + queue.given_up == 100
    assert queue.notes[-1].text == "99" * 100


def test_recent_traps_are_bounded_and_survive_the_way_to_another_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promsnmp.traps.follow_up.recent.MAX_OCTETS", 20_000)
    recent = RecentTraps()
    for number in range(100):
        recent.add(passed(notification(LINK_UP, device_name="x" * 10_000, received_at=1000.0 + number)))
    found = list(recent)
    assert 0 < len(found) < 10
    assert found[0].at == 1099.0
    assert len(found[0].device) == MAX_TEXT
    assert read_recent(json.loads(json.dumps(found[0].document()))) == found[0]
    with pytest.raises(ValueError, match="bad"):
        read_recent({**found[0].document(), "confirmation": "bad"})
