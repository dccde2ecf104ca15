"""An elected replica leads when its claim is in the inventory file, and not before, whatever keeps it from writing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable

import pytest

from promsnmp.cluster.election import claim_writer
from promsnmp.cluster.election.claim_writer import ClaimWriter
from promsnmp.cluster.election.lease import LeaseRecord, LeaseState
from promsnmp.cluster.election.rules import Candidate, Timing, WantedClaim
from promsnmp.support.claim import Claim
from tests.support.cluster.claim_file import ClaimFile
from tests.support.tools import until


class Elected:
    """A candidate that holds the lease, and its claim writer."""

    def __init__(self, file: ClaimFile | None = None) -> None:
        self.file, self.changes = file or ClaimFile(), 0
        self.now = 1000.0
        me = LeaseRecord("pod-0", "one", "pod-0:8080", 0, 0.0)
        self.candidate = Candidate(me, Timing(), clock=lambda: self.now)
        self.writer = ClaimWriter(self.candidate, self.file.write, on_change=self._changed)
        record = self.candidate.on_read(LeaseState(None))
        assert record is not None
        self.candidate.on_written(record, sent_at=self.now)

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_writer, "RETRY_INTERVAL", 0.01)


@pytest.fixture
async def elected() -> AsyncIterator[Elected]:
    made = Elected()
    yield made
    await made.writer.stop()


async def test_a_written_claim_makes_the_leader(elected: Elected) -> None:
    assert not elected.candidate.leads
    elected.writer.start_if_wanted()
    elected.writer.start_if_wanted()
    await until(lambda: elected.candidate.leads)
    assert elected.file.claim == Claim(1, "one") == elected.candidate.claim()
    assert (elected.file.attempts, elected.changes) == (1, 1)


async def test_a_file_that_cannot_be_written_is_tried_again_and_logged_once(
    elected: Elected, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    elected.file.fails = "the file system is read-only"
    elected.writer.start_if_wanted()
    await until(lambda: elected.file.attempts > 5)
    assert not elected.candidate.leads
    assert elected.writer.problem == "the file system is read-only"
    assert caplog.text.count("read-only") == 1
    elected.file.fails = ""
    await until(lambda: elected.candidate.leads)
    assert not elected.writer.problem


async def test_a_claim_that_another_replica_made_is_not_overwritten(elected: Elected) -> None:
    elected.file.claim = Claim(1, "another process")
    elected.writer.start_if_wanted()
    await until(lambda: elected.changes == 1)
    assert not elected.candidate.is_elected
    assert elected.file.claim == Claim(1, "another process")


async def test_a_claim_is_void_when_the_lease_has_ended_meanwhile(elected: Elected) -> None:
    async def slow(wanted: WantedClaim, check: Callable[[], None]) -> Claim:
        elected.now += 60.0
        return await elected.file.write(wanted, check)

    elected.writer = ClaimWriter(elected.candidate, slow, on_change=elected._changed)
    elected.writer.start_if_wanted()
    await until(lambda: elected.file.attempts == 1)
    await elected.writer.stop()
    assert elected.file.claim == Claim()
    assert not elected.candidate.leads


async def test_an_unexpected_error_is_logged_and_the_claim_is_tried_again(
    elected: Elected, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(wanted: WantedClaim, check: Callable[[], None]) -> Claim:
        if elected.file.attempts < 2:
            elected.file.attempts += 1
            raise RuntimeError("a bug")
        return await elected.file.write(wanted, check)

    elected.writer = ClaimWriter(elected.candidate, failing, on_change=elected._changed)
    elected.writer.start_if_wanted()
    await until(lambda: elected.candidate.leads)
    assert "unexpected error while writing a claim" in caplog.text
