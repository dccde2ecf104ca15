from __future__ import annotations

from dataclasses import replace

from promsnmp.discovery.jobs import MAX_ENDED_JOBS, MAX_JOBS_WITH_DEVICES, Job, JobHistory, JobState, SearchPlan
from promsnmp.discovery.reconcile.merge import MergeOutcome, SightingKind
from promsnmp.discovery.scan.target_syntax import SearchScope
from promsnmp.inventory.model import AgentEndpoint, Device

PLAN = SearchPlan(targets=("192.0.2.0/24",), scope=SearchScope(), credentials=())


def outcome(
    device: Device, address: str, sighting_kind: SightingKind = SightingKind.SEEN, *, updated: bool = False
) -> MergeOutcome:
    return MergeOutcome(sighting_kind, device, AgentEndpoint(address), updated)


def test_all_sightings_of_a_device_are_one_finding() -> None:
    job = Job(PLAN, 0.0)
    device = Device("a", "sw1")
    job.record_outcome(outcome(device, "192.0.2.1"))
    assert +job.change_counts == {"unchanged": 1}
    later = replace(device, sys_descr="new")
    job.record_outcome(outcome(later, "192.0.2.2", SightingKind.ANOTHER_ADDRESS, updated=True))
    job.record_outcome(outcome(later, "192.0.2.2"))
    job.record_outcome(outcome(Device("b"), "192.0.2.3", SightingKind.ADDED, updated=True))
    job.record_outcome(outcome(Device("b"), "192.0.2.4", SightingKind.ANOTHER_ADDRESS, updated=True))
    assert +job.change_counts == {"updated": 1, "added": 1}
    discovered = job.discovered_devices["a"]
    assert (discovered.device, [str(one) for one in discovered.endpoints]) == (
        later,
        ["192.0.2.1:161", "192.0.2.2:161"],
    )


def test_the_remaining_time_is_estimated_from_the_time_so_far() -> None:
    job = Job(PLAN, 100.0)
    assert job.seconds_left(101.0) is None
    job.state, job.started = JobState.RUNNING, 100.0
    job.progress.addresses, job.packets_per_address = 1000, 2
    assert job.seconds_left(101.0) is None
    job.progress.packets = 500
    assert (job.seconds_left(110.0), job.packets_per_second(110.0)) == (30.0, 50.0)
    job.progress.packets = 2100  # more than estimated
    assert job.seconds_left(110.0) == 0.0
    job.progress.packets = 500
    job.end(JobState.FINISHED, 120.0)
    assert (job.seconds_left(130.0), job.packets_per_second(130.0)) == (None, 25.0)


def test_the_history_is_bounded_and_older_jobs_lose_their_devices() -> None:
    history = JobHistory()
    running = Job(PLAN, 0.0, state=JobState.RUNNING)
    history.add(running)
    jobs = [Job(PLAN, float(number)) for number in range(MAX_ENDED_JOBS + 10)]
    for job in jobs:
        job.record_outcome(outcome(Device("a"), "192.0.2.1"))
        job.end(JobState.FINISHED, 1.0)
        history.add(job)
        history.trim()
    remaining = list(history)
    assert len(remaining) == MAX_ENDED_JOBS + 1
    assert remaining[0] is jobs[-1]
    assert remaining[-1] is running  # it has not ended, so it stays
    assert [bool(job.discovered_devices) for job in remaining[:MAX_JOBS_WITH_DEVICES]] == [True] * MAX_JOBS_WITH_DEVICES
    older = remaining[MAX_JOBS_WITH_DEVICES]
    assert (older.discovered_devices, older.devices_omitted, +older.change_counts) == ({}, True, {"unchanged": 1})
    assert history.get(jobs[0].id) is None
