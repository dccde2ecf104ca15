from __future__ import annotations

from dataclasses import replace

from promsnmp.discovery.jobs import MOST_KEPT, WITH_DEVICES, History, Job, Plan, State
from promsnmp.discovery.reconcile.merge import Event, Outcome
from promsnmp.discovery.scan.target_syntax import Scope
from promsnmp.inventory.model import Device, Endpoint

PLAN = Plan(targets=("192.0.2.0/24",), scope=Scope(), credentials=())


def outcome(device: Device, address: str, event: Event = Event.SEEN, *, updated: bool = False) -> Outcome:
    return Outcome(event, device, Endpoint(address), updated)


def test_all_sightings_of_a_device_are_one_finding() -> None:
    job = Job(PLAN, 0.0)
    device = Device("a", "sw1")
    job.take(outcome(device, "192.0.2.1"))
    assert +job.counted == {"unchanged": 1}
    later = replace(device, sys_descr="new")
    job.take(outcome(later, "192.0.2.2", Event.ANOTHER_ADDRESS, updated=True))
    job.take(outcome(later, "192.0.2.2"))
    job.take(outcome(Device("b"), "192.0.2.3", Event.ADDED, updated=True))
    job.take(outcome(Device("b"), "192.0.2.4", Event.ANOTHER_ADDRESS, updated=True))
    assert +job.counted == {"updated": 1, "added": 1}
    finding = job.findings["a"]
    assert (finding.device, [str(one) for one in finding.endpoints]) == (later, ["192.0.2.1:161", "192.0.2.2:161"])


def test_how_long_it_will_take_is_told_from_what_it_took_so_far() -> None:
    job = Job(PLAN, 100.0)
    assert job.seconds_left(101.0) is None
    job.state, job.started = State.RUNNING, 100.0
    job.progress.addresses, job.packets_each = 1000, 2
    assert job.seconds_left(101.0) is None
    job.progress.packets = 500
    assert (job.seconds_left(110.0), job.packets_per_second(110.0)) == (30.0, 50.0)
    job.progress.packets = 2100  # more than was thought
    assert job.seconds_left(110.0) == 0.0
    job.progress.packets = 500
    job.end(State.FINISHED, 120.0)
    assert (job.seconds_left(130.0), job.packets_per_second(130.0)) == (None, 25.0)


def test_the_history_is_bounded_and_older_jobs_lose_their_devices() -> None:
    history = History()
    running = Job(PLAN, 0.0, state=State.RUNNING)
    history.add(running)
    jobs = [Job(PLAN, float(number)) for number in range(MOST_KEPT + 10)]
    for job in jobs:
        job.take(outcome(Device("a"), "192.0.2.1"))
        job.end(State.FINISHED, 1.0)
        history.add(job)
        history.trim()
    kept = list(history)
    assert len(kept) == MOST_KEPT + 1
    assert kept[0] is jobs[-1]
    assert kept[-1] is running  # it has not ended, so it stays
    assert [bool(job.findings) for job in kept[:WITH_DEVICES]] == [True] * WITH_DEVICES
    older = kept[WITH_DEVICES]
    assert (older.findings, older.omitted, +older.counted) == ({}, True, {"unchanged": 1})
    assert history.get(jobs[0].id) is None
