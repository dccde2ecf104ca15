"""Requests for the leader: forwarded, retried, resolved by the file, or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from promsnmp.cluster.election.backend_none import AlwaysLeader
from promsnmp.cluster.election.runner import Leader, Leadership
from promsnmp.cluster.peers import forward_write
from promsnmp.cluster.peers.client import PeerNotProven
from promsnmp.cluster.peers.forward_write import (
    NOT_LEADER,
    CommitStatus,
    ForwardedRequest,
    ForwardedWrite,
    WriteForwarder,
)
from promsnmp.errors import NotLeader, OutcomeUnknown, PeerError
from promsnmp.support.http_client import HttpResponse, RequestNotSent

REQUEST = ForwardedRequest("POST", b"/promsnmp/devices", [(b"content-type", b"application/json")], b"{}", "eva")
FIRST, SECOND = Leader("pod-1", "192.0.2.1:8080", 4), Leader("pod-2", "192.0.2.2:8080", 5)
CREATED = HttpResponse(201, [], b"device")
NOT_ME = HttpResponse(503, [(NOT_LEADER, b"1")], b"")


class Follower(AlwaysLeader):
    """A replica that does not lead."""

    leads = False
    problem = ""


class Cluster:
    """Leaders and answers in the order of use; the last ones are used again."""

    def __init__(self, leaders: Sequence[Leader | None], answers: Sequence[HttpResponse | Exception] = ()) -> None:
        self.leadership: Leadership = Follower("pod-0", "")
        self.leaders = list(leaders)
        self.answers = list(answers)
        self.commit_status: list[CommitStatus] = []
        self.asked: list[tuple[str, str]] = []
        self.options: dict[str, Any] = {}
        self.reloads = 0
        self.volume_hangs = False
        self.hangs_at = ""
        """The address that never answers."""
        self.write_forwarder = WriteForwarder(
            self.leadership,
            self,  # type: ignore[arg-type]
            leader=self.leader,
            last_known_write=lambda: "the last write",
            commit_status=self.look,
            reload=self.reload,
        )

    def leader(self) -> Leader | None:
        return self.leaders.pop(0) if len(self.leaders) > 1 else self.leaders[0]

    async def request(self, address: str, method: str, target: bytes, *_: object, **options: Any) -> HttpResponse:
        self.asked.append((address, options["request_id"]))
        self.options = options
        if address == self.hangs_at:
            await asyncio.Event().wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def reload(self) -> None:
        assert self.asked, "the file is read after the leader's answer"
        if self.volume_hangs:
            await asyncio.Event().wait()
        self.reloads += 1

    async def look(self, sent: ForwardedWrite) -> CommitStatus:
        assert sent in [ForwardedWrite(one, FIRST.fencing_token, "the last write") for _, one in self.asked]
        return self.commit_status.pop(0) if len(self.commit_status) > 1 else self.commit_status[0]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward_write, "FIND_LEADER_TIMEOUT", 0.2)
    monkeypatch.setattr(forward_write, "SETTLE_TIMEOUT", 0.2)
    monkeypatch.setattr(forward_write, "RETRY_INTERVAL", 0.01)
    monkeypatch.setattr(forward_write, "SUPERSEDED_CHECK_INTERVAL", 0.01)


async def test_the_leaders_answer_is_the_answer_whatever_it_is() -> None:
    refused, unknown = HttpResponse(503, [], b"the disk is full"), HttpResponse(504, [], b"outcome unknown")
    for answer in (CREATED, HttpResponse(409, [], b"exists"), refused, unknown):
        cluster = Cluster([FIRST], [answer])
        assert await cluster.write_forwarder.forward(REQUEST) == answer
        assert [address for address, _ in cluster.asked] == [FIRST.address]
        assert (cluster.options["user"], cluster.options["fresh"]) == ("eva", True)


async def test_a_replica_has_read_the_file_when_it_relays_the_answer_to_a_write() -> None:
    """What was written through a replica can be read there at once."""
    cluster = Cluster([FIRST], [CREATED])
    await cluster.write_forwarder.forward(REQUEST)
    assert cluster.reloads == 1
    await cluster.write_forwarder.forward(replace(REQUEST, method="GET"))
    assert cluster.reloads == 1


async def test_a_volume_that_hangs_does_not_hold_up_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward_write, "CATCH_UP_TIMEOUT", 0.01)
    cluster = Cluster([FIRST], [CREATED])
    cluster.volume_hangs = True
    assert await cluster.write_forwarder.forward(REQUEST) == CREATED


async def test_a_leader_that_is_elected_meanwhile_is_waited_for() -> None:
    cluster = Cluster([None, None, FIRST], [CREATED])
    assert await cluster.write_forwarder.forward(REQUEST) == CREATED


@pytest.mark.parametrize("answer", [RequestNotSent("refused"), NOT_ME])
async def test_a_request_without_effect_is_forwarded_to_the_next_leader(answer: HttpResponse | Exception) -> None:
    cluster = Cluster([FIRST, SECOND], [answer, CREATED])
    assert await cluster.write_forwarder.forward(REQUEST) == CREATED
    assert [address for address, _ in cluster.asked] == [FIRST.address, SECOND.address]
    assert cluster.asked[0][1] != cluster.asked[1][1]


async def test_a_leader_that_does_not_prove_itself_is_asked_again_and_then_named_with_the_reason() -> None:
    unproven = PeerNotProven("it has another key")
    assert await Cluster([FIRST], [unproven, CREATED]).write_forwarder.forward(REQUEST) == CREATED
    with pytest.raises(NotLeader, match=r"leader pod-1 is not trusted: it has another key"):
        await Cluster([FIRST], [unproven]).write_forwarder.forward(REQUEST)


@pytest.mark.parametrize("leader", [None, FIRST])
async def test_without_a_leader_the_request_fails_with_the_reason(leader: Leader | None) -> None:
    cluster = Cluster([leader], [RequestNotSent("refused")])
    with pytest.raises(NotLeader, match=r"election is in progress|does not answer"):
        await cluster.write_forwarder.forward(REQUEST)
    assert cluster.write_forwarder.counts["no leader"] == 1


async def test_a_replica_that_becomes_the_leader_does_it_itself() -> None:
    cluster = Cluster([None])
    asking = asyncio.create_task(cluster.write_forwarder.forward(REQUEST))
    await asyncio.sleep(0.02)
    cluster.leadership.leads = True  # type: ignore[misc]
    assert await asking is None
    assert not cluster.asked


async def test_a_change_without_an_answer_counts_as_made_when_the_file_has_it() -> None:
    cluster = Cluster([FIRST], [PeerError("the connection broke")])
    cluster.commit_status = [CommitStatus.PENDING, CommitStatus.PENDING, CommitStatus.COMMITTED]
    answer = await cluster.write_forwarder.forward(REQUEST)
    assert answer is not None
    assert answer.status == 200
    assert len(cluster.asked) == 1
    assert cluster.write_forwarder.counts["settled"] == 1


async def test_a_change_that_was_certainly_not_made_is_forwarded_again() -> None:
    cluster = Cluster([FIRST, SECOND], [PeerError("the connection broke"), CREATED])
    cluster.commit_status = [CommitStatus.PENDING, CommitStatus.NOT_COMMITTED]
    assert await cluster.write_forwarder.forward(REQUEST) == CREATED
    assert [address for address, _ in cluster.asked] == [FIRST.address, SECOND.address]


async def test_while_the_outcome_is_unknown_there_is_no_answer() -> None:
    cluster = Cluster([FIRST], [PeerError("the connection broke")])
    cluster.commit_status = [CommitStatus.PENDING]
    with pytest.raises(OutcomeUnknown):
        await cluster.write_forwarder.forward(REQUEST)
    assert len(cluster.asked) == 1


async def test_a_suspended_leader_is_awaited_until_another_one_leads_and_the_file_shows_the_outcome() -> None:
    cluster = Cluster([FIRST, FIRST, SECOND], [CREATED])
    cluster.hangs_at = FIRST.address
    cluster.commit_status = [CommitStatus.PENDING, CommitStatus.PENDING, CommitStatus.NOT_COMMITTED]
    assert await cluster.write_forwarder.forward(REQUEST) == CREATED
    assert [address for address, _ in cluster.asked] == [FIRST.address, SECOND.address]


async def test_a_change_written_before_the_leader_was_paused_is_not_written_again() -> None:
    cluster = Cluster([FIRST, SECOND], [CREATED])
    cluster.hangs_at = FIRST.address
    cluster.commit_status = [CommitStatus.PENDING, CommitStatus.COMMITTED]
    answer = await cluster.write_forwarder.forward(REQUEST)
    assert answer is not None
    assert answer.status == 200
    assert len(cluster.asked) == 1
