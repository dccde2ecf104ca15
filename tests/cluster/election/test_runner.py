"""The election runner with a lease store that hangs or fails: leadership ends on time, and listeners are called."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from promsnmp.cluster.election.backend_none import AlwaysLeader
from promsnmp.cluster.election.lease import LeaseRecord, LeaseState
from promsnmp.cluster.election.rules import Candidate, Timing, lease_clock
from promsnmp.cluster.election.runner import ElectionRunner, Leadership
from promsnmp.errors import CoordinatorError, NotLeader
from tests.support.cluster.claim_file import ClaimFile
from tests.support.tools import until

TIMING = Timing(duration=1.5, renew=0.3, read_interval=0.05)


class FakeLeaseStore:
    """A lease store in memory that can be made to hang (``hangs``) or to fail with a text (``fails``)."""

    backend = "redis"

    def __init__(self) -> None:
        self.record: LeaseRecord | None = None
        self.beats = 0
        self.hangs = False
        self.fails = ""

    async def read(self) -> LeaseState:
        await self._answer()
        return LeaseState(self.record, self.beats)

    async def write(self, record: LeaseRecord, expected: LeaseState) -> bool:
        await self._answer()
        if expected.version != self.beats:
            return False
        self.set(record)
        return True

    def set(self, record: LeaseRecord) -> None:
        self.beats += 1
        self.record = replace(record, beat=str(self.beats))

    async def _answer(self) -> None:
        while self.hangs:
            await asyncio.sleep(0.01)
        if self.fails:
            raise CoordinatorError(self.fails)


def election_runner(
    lease_store: FakeLeaseStore, name: str = "pod-0", file: ClaimFile | None = None, installation: str = ""
) -> ElectionRunner:
    file = file or ClaimFile()
    me = LeaseRecord(name, f"one {name}", f"{name}:8080", 0, 0, installation=installation)
    candidate = Candidate(me, TIMING, claim_in_file=lambda: file.claim)
    return ElectionRunner(candidate, lease_store, file.write, timeout=0.2)


@pytest.fixture
def lease_store() -> FakeLeaseStore:
    return FakeLeaseStore()


@pytest.fixture
async def one(lease_store: FakeLeaseStore) -> AsyncIterator[ElectionRunner]:
    made = election_runner(lease_store)
    made.start()
    yield made
    lease_store.hangs, lease_store.fails = False, ""
    await made.stop()


async def test_listeners_are_called_on_every_change_of_leadership(lease_store: FakeLeaseStore) -> None:
    made = election_runner(lease_store)
    heard: list[bool] = []
    made.subscribe(lambda: heard.append(made.leads))
    made.start()
    await until(lambda: made.leads)
    await made.step_down("asked to")
    await until(lambda: heard == [True, False, True])  # no other replica took over
    await made.stop()
    assert heard == [True, False, True, False]
    assert made.transitions == 2


async def test_a_failing_listener_does_not_stop_the_other_listeners(
    lease_store: FakeLeaseStore, caplog: pytest.LogCaptureFixture
) -> None:
    made, heard = election_runner(lease_store), []

    def fail() -> None:
        raise RuntimeError("a bug")

    made.subscribe(fail)
    made.subscribe(lambda: heard.append(made.leads))
    await made.run_once()
    await until(lambda: heard == [True])
    await made.run_once()
    assert heard == [True]
    assert "a listener failed: change of the leader" in caplog.text
    await made.stop()


@pytest.mark.parametrize("way", ["hangs", "fails"])
async def test_leadership_ends_on_time_whatever_the_lease_store_does(
    one: ElectionRunner, lease_store: FakeLeaseStore, way: str
) -> None:
    await until(lambda: one.leads)
    setattr(lease_store, way, "the server is gone")
    await until(lambda: one.candidate.expire() or not one.leads)
    assert lease_clock() - one.candidate.renewed_at >= TIMING.duration - TIMING.margin
    with pytest.raises(NotLeader):
        one.claim()
    assert one.problem in ("the server is gone", "no answer within 0.2 s")
    setattr(lease_store, way, "")
    await until(lambda: one.leads)
    assert not one.problem


async def test_listeners_are_called_when_a_lease_ends_without_an_answer(
    one: ElectionRunner, lease_store: FakeLeaseStore
) -> None:
    await until(lambda: one.leads)
    heard = asyncio.Event()
    one.subscribe(heard.set)
    lease_store.hangs = True
    async with asyncio.timeout(20):
        await heard.wait()
    assert not one.leads


async def test_stopping_ends_leadership_even_while_the_lease_store_hangs(lease_store: FakeLeaseStore) -> None:
    made = election_runner(lease_store)
    made.start()
    await until(lambda: made.leads)
    lease_store.hangs = True
    async with asyncio.timeout(10):
        await made.stop()
    assert not made.leads


async def test_after_stopping_the_lease_is_released(lease_store: FakeLeaseStore) -> None:
    made = election_runner(lease_store)
    made.start()
    await until(lambda: made.leads)
    await made.stop()
    assert lease_store.record is not None
    assert lease_store.record.released


async def test_another_leader_is_reported_with_name_address_and_fencing_token(
    one: ElectionRunner, lease_store: FakeLeaseStore
) -> None:
    await until(lambda: one.leads)
    lease_store.set(LeaseRecord("pod-9", "other", "192.0.2.9:8080", 77, 30.0))
    await until(lambda: one.leader is not None and one.leader.name == "pod-9")
    assert one.leader is not None
    assert (one.leader.address, one.leader.fencing_token) == ("192.0.2.9:8080", 77)
    assert 0 <= one.since_renewal < 10


async def test_the_log_has_the_start_and_end_of_leadership(
    lease_store: FakeLeaseStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    made, before = election_runner(lease_store), lease_clock()
    await made.run_once()
    await until(lambda: made.leads)
    await made.stop()
    began = re.search(r"this replica is the leader since ([\d.]+), term 1, lease until ([\d.]+)", caplog.text)
    ended = re.search(r"no longer the leader, since ([\d.]+), term 1: this replica is stopping", caplog.text)
    assert began is not None
    assert ended is not None
    times = [before, float(began[1]), float(ended[1]), float(began[2])]
    assert times == pytest.approx(sorted(times), abs=0.001)


async def test_a_lease_store_failure_and_its_recovery_are_logged_once_each(
    lease_store: FakeLeaseStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    made = election_runner(lease_store)
    lease_store.fails = "the server is gone"
    for _ in range(3):
        await made.run_once()
    lease_store.fails = ""
    await made.run_once()
    assert caplog.text.count("the server is gone") == 1
    assert caplog.text.count("answers again") == 1
    await made.stop()


# --- what keeps an elected replica from leading


async def test_an_elected_replica_that_cannot_claim_shows_why_and_the_backend_is_fine(
    lease_store: FakeLeaseStore, caplog: pytest.LogCaptureFixture
) -> None:
    file = ClaimFile()
    file.fails = "the disk is full"
    made = election_runner(lease_store, file=file)
    await made.run_once()
    await until(lambda: "the disk is full" in made.problem)
    assert not made.backend_problem
    assert (made.leads, made.leader) == (False, None)
    await made.stop()
    assert lease_store.record is not None
    assert lease_store.record.released
    assert "no longer the leader" not in caplog.text


async def test_an_invalid_record_is_shown_and_logged_once_and_replaced_by_the_leader(
    lease_store: FakeLeaseStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    made = election_runner(lease_store)
    await made.run_once()
    await until(lambda: made.leads)
    for _ in range(3):
        lease_store.set(LeaseRecord("pod-9", "other", "192.0.2.9:8080", 2**40, 30.0))
        await made.run_once()
        assert "the term 1099511627776 is more than 2^32 above" in made.problem
        assert not made.backend_problem
    await made.run_once()
    assert not made.problem
    assert made.leads
    assert caplog.text.count("is invalid and counts as lost") == 1
    assert caplog.text.count("is valid again") == 1
    await made.stop()


async def test_a_leader_steps_down_for_a_reason_and_logs_it(
    lease_store: FakeLeaseStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    file, reason = ClaimFile(), [""]
    candidate = Candidate(LeaseRecord("pod-0", "one", "pod-0:8080", 0, 0), TIMING, claim_in_file=lambda: file.claim)
    made = ElectionRunner(
        candidate, lease_store, file.write, reason_to_step_down=lambda is_elected: reason[0] if is_elected else ""
    )
    await made.run_once()
    await until(lambda: made.leads)
    reason[0] = "the file system is read-only"
    await made.run_once()
    assert not made.leads
    assert lease_store.record is not None
    assert lease_store.record.released
    assert caplog.text.count("stepping down, another replica can lead better: the file system is read-only") == 1
    await made.stop()


async def test_a_leader_of_another_installation_is_named_and_is_no_address_to_forward_to(
    lease_store: FakeLeaseStore,
) -> None:
    made = election_runner(lease_store, installation="mine")
    lease_store.set(LeaseRecord("pod-9", "other", "192.0.2.9:8080", 7, 30.0, installation="another"))
    await made.run_once()
    assert made.leader is not None
    assert (made.leader.name, made.leader.address) == ("pod-9", "")
    assert "another installation" in made.problem
    assert "REDIS_KEY_PREFIX" in made.problem
    lease_store.set(LeaseRecord("pod-8", "older version", "192.0.2.8:8080", 8, 30.0))
    await made.run_once()
    assert made.leader is not None
    assert made.leader.address == "192.0.2.8:8080"
    assert not made.problem
    await made.stop()


async def test_a_replica_that_leaves_goes_on_to_follow_the_leader(lease_store: FakeLeaseStore) -> None:
    made = election_runner(lease_store)
    made.start()
    await until(lambda: made.leads)
    await made.leave()
    assert not made.leads
    assert lease_store.record is not None
    assert lease_store.record.released
    lease_store.set(LeaseRecord("pod-9", "other", "192.0.2.9:8080", 7, 30.0))
    await until(lambda: made.leader is not None)
    lease_store.set(replace(lease_store.record, fencing_token=8, released=True))
    for _ in range(3):  # it never leads again
        await made.run_once()
    assert not made.leads
    beats = lease_store.beats
    await made.stop()
    assert lease_store.beats == beats  # it has released the lease already


async def test_without_elections_the_only_replica_always_leads() -> None:
    alone: Leadership = AlwaysLeader("pod-0", "127.0.0.1:8080")
    alone.start()
    assert alone.leads
    assert alone.claim() is None
    await alone.step_down("asked to")
    assert alone.leads
    await alone.stop()
