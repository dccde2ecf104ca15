"""Whatever a Redis answers: a result that is checked, or a CoordinatorError; within bounds of time and memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

from promsnmp.cluster.clients.redis_client import MAX_REPLY, RedisClient
from promsnmp.cluster.clients.redis_url import parse_redis_address
from promsnmp.cluster.election.backend_redis import RedisLeaseStore
from promsnmp.cluster.election.lease import LeaseRecord, LeaseState
from promsnmp.cluster.election.rules import Candidate, Timing
from promsnmp.cluster.election.runner import ElectionRunner
from promsnmp.cluster.members.announcements import Announcements
from promsnmp.cluster.members.gossip import Gossip
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.members.peer_status import PeerStatus
from promsnmp.cluster.members.redis_heartbeat import RedisHeartbeats
from promsnmp.cluster.peers.client import PeerClient
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.errors import CoordinatorError
from tests.support.cluster.claim_file import ClaimFile
from tests.support.cluster.fake_redis import NONSENSE, FakeRedis, Nonsense

KEY = ClusterKey("a key of the tests of Redis, 32 or more")
ME = Member("pod-0", "instance", "192.0.2.1:8080", 1.0)
VERSION = (b"instance", b"1", b"beat", b"store")
SOCKET_BUFFERS = 16 * 1024 * 1024
"""Bytes that the kernel and asyncio may take beyond what the client reads."""


@asynccontextmanager
async def client_of(server: FakeRedis) -> AsyncIterator[RedisClient]:
    made = RedisClient(parse_redis_address(server.url), timeout=0.2)
    try:
        yield made
    finally:
        await made.close()


async def problem_of(request: Awaitable[object]) -> str:
    """Why the request failed; empty when it did not."""
    try:
        await request
    except CoordinatorError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
async def test_an_unexpected_answer_is_an_error_of_the_coordinator(nonsense: Nonsense) -> None:
    record = LeaseRecord("pod-0", "instance", "a:1", 1, 30.0)
    members = Members(ME, member_timeout=10.0)
    with FakeRedis(nonsense) as server:
        async with client_of(server) as client:
            store = RedisLeaseStore(client)
            problems = [
                await problem_of(store.read()),
                await problem_of(store.write(record, LeaseState(None, VERSION))),
                await problem_of(RedisHeartbeats(client, ME, KEY).refresh(Announcements(members))),
            ]
        assert server.sent < 6 * (MAX_REPLY + SOCKET_BUFFERS)
    assert all(problems) or nonsense.is_valid_somewhere, problems
    assert [one.name for one in members.present] == ["pod-0"]
    for text in problems:
        assert "secret-password" not in text
        assert text.isprintable()
        assert len(text) < 300


async def test_nonsense_is_logged_once_and_shown_and_never_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    quick = [one for one in NONSENSE if not one.is_valid_somewhere and not one.drips and one.name != "silence"]
    with FakeRedis(quick[0]) as server:
        async with client_of(server) as client:
            file, members = ClaimFile(), Members(ME, member_timeout=10.0)
            candidate = Candidate(LeaseRecord("pod-0", "instance", "a:1", 0, 0.0), Timing(duration=30.0))
            runner = ElectionRunner(candidate, RedisLeaseStore(client), file.write)
            gossip = Gossip(
                members,
                PeerClient(KEY, "pod-0", ME.instance),
                own_status=lambda: PeerStatus(ME),
                on_status=lambda status: None,
                heartbeats=RedisHeartbeats(client, ME, KEY),
            )
            for one in quick:
                server.nonsense = one
                await asyncio.gather(runner.run_once(), gossip.exchange_heartbeats())
                assert runner.backend_problem, one
                assert gossip.problems.all()["redis"], one
            assert not runner.leads
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "Traceback" not in caplog.text
