"""Sweeps: their pace and bounds on a network without time, and whom they find on a real one."""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
from collections.abc import Iterable, Sequence

import pytest

from promsnmp.discovery.scan.credential_probe import SYS_NAME, Login
from promsnmp.discovery.scan.rate import BURST, Pace
from promsnmp.discovery.scan.sockets import Lost, Place, Sent, Wire, place_of
from promsnmp.discovery.scan.sweep import HELD, TICK, Sweep
from promsnmp.discovery.scan.target_syntax import read_scope
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.field import populate, spread_over
from promsnmp.snmp.credentials import Community, Credentials, Version
from tests.support.agents.hostile import HONEST, Behaviour, HostileAgent
from tests.support.agents.misdeeds import BEHAVIOURS
from tests.support.discovery.links import MONITOR, PUBLIC, Agent, Air, fly, sweep_of
from tests.support.discovery.small_device import MIB


def network(text: str, *exclude: str) -> Iterable[str]:
    return read_scope([text], exclude)[0].addresses.spread()


def agent(name: str = "public") -> Agent:
    return SimulatedAgent(MIB, community=name).answer


# ------------------------------------------------------------------------------------------------- pace and bounds


def test_silent_addresses_are_asked_once_and_again_and_then_left_alone() -> None:
    air = Air()
    sweep, found = sweep_of(air, network("192.0.2.0/24"), pace=Pace(retries=2))
    seconds = fly(sweep, air)
    assert (len(air.sent), sweep.progress.packets, sweep.progress.probed, found) == (254 * 3, 254 * 3, 254, [])
    assert 3.0 <= seconds < 3.5
    assert len(set(air.sent_to("192.0.2.7"))) == 1  # the same request: a late answer to the first still counts


def test_no_more_packets_leave_than_the_pace_allows_not_even_after_a_pause() -> None:
    air = Air()
    sweep, _ = sweep_of(air, network("10.0.0.0/16"), pace=Pace(packets_per_second=500))
    for number in range(400):
        sweep.step(air.now)
        air.now += 1.0 if number % 50 == 49 else TICK
    times = [time for time, _, _ in air.sent]
    assert max(sum(1 for _ in group) for _, group in itertools.groupby(times)) <= 500 * BURST
    for start in times[::100]:
        assert sum(start <= time < start + 1.0 for time in times) <= 500 + 500 * BURST


def test_no_more_addresses_wait_for_an_answer_than_allowed() -> None:
    air = Air()
    sweep, _ = sweep_of(air, network("10.0.0.0/16"), pace=Pace(in_flight=100))
    for _ in range(50):
        sweep.step(air.now)
        air.now += TICK
    assert (sweep.in_flight, sweep.progress.started) == (100, 100)


def test_devices_among_silence_are_found_and_counted() -> None:
    where = ["192.0.2.10", "192.0.2.20", "192.0.2.30"]
    air = Air({where[0]: agent(), where[1]: agent("other"), where[2]: agent("neither")})
    sweep, found = sweep_of(air, network("192.0.2.0/24"), (PUBLIC, Community(Version.V2C, "other")))
    fly(sweep, air)
    assert [one.address for one in found] == where[:2]
    assert sweep.progress.found == sweep.progress.answered == 2
    assert not sweep.progress.errors


def test_further_credentials_of_an_address_are_tried_after_the_others() -> None:
    own = Login(Community(Version.V2C, "own"))
    air = Air({"192.0.2.1": agent("own"), "192.0.2.2": agent("own")})
    sweep, found = sweep_of(
        air, ["192.0.2.1", "192.0.2.2"], more=lambda address: [own] if address == "192.0.2.1" else []
    )
    fly(sweep, air)
    assert [(one.address, one.credentials) for one in found] == [("192.0.2.1", own.credentials)]


def test_addresses_can_be_added_while_it_runs_and_after_it_was_done() -> None:
    air = Air({"192.0.2.9": agent()})
    sweep, found = sweep_of(air, ["192.0.2.1"])
    fly(sweep, air)
    sweep.add("192.0.2.9")
    assert not sweep.done
    fly(sweep, air)
    assert [one.address for one in found] == ["192.0.2.9"]


def test_an_answer_that_comes_late_is_taken_while_the_address_is_asked_again() -> None:
    honest = SimulatedAgent(MIB)
    held: list[bytes] = []

    def slow(datagram: bytes) -> list[bytes]:
        held.append(honest.answer(datagram) or b"")
        return held[:1] if len(held) == 2 else []

    air = Air({"192.0.2.1": slow})
    sweep, found = sweep_of(air, ["192.0.2.1"])
    fly(sweep, air)
    assert len(found) == 1


# -------------------------------------------------------------------------------------------- what a network may do


def test_full_buffers_make_it_pause_longer_each_time_and_lose_nothing() -> None:
    air = Air({"192.0.2.200": agent()})
    refusals = itertools.count()
    air.outcome = lambda _: Sent.FULL if next(refusals) < 6 else Sent.GONE
    sweep, found = sweep_of(air, network("192.0.2.0/24"))
    fly(sweep, air)
    assert (len(found), sweep.progress.probed, sweep.progress.errors[HELD]) == (1, 254, 6)
    first = air.sent[0][0]
    assert first > sum(0.02 * 2**number for number in range(6))


def test_what_cannot_be_sent_is_done_with_and_counted() -> None:
    air = Air()
    air.outcome = lambda place: Sent.IMPOSSIBLE if place[0] == "192.0.2.1" else Sent.GONE
    sweep, _ = sweep_of(air, ["192.0.2.1", "192.0.2.2"])
    fly(sweep, air)
    assert (sweep.progress.probed, dict(sweep.progress.errors)) == (2, {"unreachable": 1})


def test_a_network_that_cannot_be_reached_at_all_does_not_hold_up_the_loop() -> None:
    air = Air()
    air.outcome = lambda _: Sent.IMPOSSIBLE
    sweep, _ = sweep_of(air, network("10.0.0.0/12"))
    for _ in range(100):
        before = sweep.progress.probed
        sweep.step(air.now)
        assert sweep.progress.probed - before <= 3000 * BURST
        air.now += TICK
    assert sweep.progress.packets == 0


def test_an_icmp_error_ends_the_wait_for_the_address_that_it_names() -> None:
    air = Air()
    sweep, _ = sweep_of(air, ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    sweep.step(0.0)
    sweep.step(0.01)
    air.errors = [
        Lost(place_of("192.0.2.1", 161), errno.ECONNREFUSED),
        Lost(place_of("192.0.2.2", 161), errno.EHOSTUNREACH),
        Lost(place_of("192.0.2.9", 161), errno.ECONNREFUSED),
    ]
    sweep.step(0.02)
    assert (sweep.in_flight, dict(sweep.progress.errors)) == (1, {"refused": 1, "unreachable": 1})


def test_an_icmp_error_does_not_silence_a_device_that_has_answered() -> None:
    v3 = SimulatedAgent(MIB, users=[MONITOR])
    air = Air({"192.0.2.1": v3.answer})
    sweep, found = sweep_of(air, ["192.0.2.1"], [MONITOR])
    while not air.sent:
        sweep.step(air.now)
        air.now += TICK
    sweep.step(air.now)  # the engine id is known
    air.errors = [Lost(place_of("192.0.2.1", 161), errno.EHOSTUNREACH)]
    fly(sweep, air)
    assert len(found) == 1


def test_answers_of_whom_nobody_asked_are_counted_and_ignored() -> None:
    air = Air()
    sweep, found = sweep_of(air, ["192.0.2.1"])
    while not air.sent:
        sweep.step(air.now)
        air.now += TICK
    honest = SimulatedAgent(MIB).answer(air.sent[0][2])
    assert honest is not None
    strangers: Sequence[Place] = (place_of("192.0.2.2", 161), place_of("192.0.2.1", 162), place_of("2001:db8::1", 161))
    air.incoming = [(honest, place) for place in strangers]
    fly(sweep, air)
    assert (found, sweep.progress.errors["unexpected"], sweep.progress.answered) == ([], 3, 0)


def test_an_address_that_answers_twice_is_found_once() -> None:
    honest = SimulatedAgent(MIB)
    air = Air({"192.0.2.1": lambda datagram: [honest.answer(datagram) or b""] * 3})
    sweep, found = sweep_of(air, ["192.0.2.1"])
    fly(sweep, air)
    sweep.step(air.now)
    assert (len(found), sweep.progress.found, sweep.progress.errors["unexpected"]) == (1, 1, 2)


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_no_misdeed_ends_or_holds_a_sweep(behaviour: Behaviour, version: Version) -> None:
    hostile = HostileAgent(behaviour)
    air = Air({
        "192.0.2.1": lambda datagram: [reply.datagram for reply in hostile.replies(datagram) if not reply.another],
        "192.0.2.2": agent(),
    })  # fmt: skip
    sweep, found = sweep_of(air, ["192.0.2.1", "192.0.2.2"], [Community(version, "public")])
    fly(sweep, air, patience=30)
    assert [one.address for one in found if one.address == "192.0.2.2"] == ["192.0.2.2"]
    (said,) = [dict(one.varbinds) for one in found if one.address == "192.0.2.1"] or [{}]
    if not behaviour.is_plausible:
        held = behaviour.mib or HONEST
        assert all(held.get(name) is not None for name in said)


# ------------------------------------------------------------------------------------------------- on real sockets


async def run(sweep: Sweep) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60):
        while not sweep.done:
            sweep.step(loop.time())
            await asyncio.sleep(TICK)


async def test_one_socket_finds_devices_of_v2c_and_v3_on_many_addresses() -> None:
    where = spread_over("127.77.0.0/22", 40)
    async with populate([MIB], where, users=[MONITOR]) as field:
        tried: list[list[Credentials]] = [[PUBLIC], [MONITOR], [Community(Version.V2C, "wrong"), MONITOR]]
        for credentials in tried:
            wire = Wire()
            sweep, found = sweep_of(wire, network("127.77.0.0/22"), credentials, port=field.port)
            await run(sweep)
            wire.close()
            assert {one.address for one in found} == set(where)
            assert {one.credentials for one in found} == {credentials[-1]}
            assert len({one.varbinds[SYS_NAME].value for one in found}) == 40
            assert sweep.progress.probed == 1022


async def test_ports_that_refuse_are_told_apart_from_silence_and_not_waited_for() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.78.0.9", 0))  # its queue is never read
        wire = Wire()
        sweep, found = sweep_of(wire, network("127.78.0.0/28"), port=silent.getsockname()[1])
        await run(sweep)
        wire.close()
    assert (found, dict(sweep.progress.errors)) == ([], {"refused": 13})
    assert sweep.progress.packets == 13 + 2


async def test_devices_on_ipv6_are_found() -> None:
    async with await SimulatedAgent(MIB).start("::1") as one:
        wire = Wire()
        sweep, found = sweep_of(wire, ["::1"], port=one.port)
        await run(sweep)
        wire.close()
    assert [answer.address for answer in found] == ["::1"]
