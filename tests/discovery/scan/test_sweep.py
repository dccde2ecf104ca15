"""Sweeps: their pace and limits on a simulated network, and what they find on a real one."""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
from collections.abc import Iterable, Sequence

import pytest

from promsnmp.discovery.scan.credential_probe import SYS_NAME, CandidateCredentials
from promsnmp.discovery.scan.rate import BURST, ScanLimits
from promsnmp.discovery.scan.sockets import SendResult, SocketAddress, SweepSockets, Undelivered, socket_address
from promsnmp.discovery.scan.sweep import NO_BUFFERS, TICK, Sweep
from promsnmp.discovery.scan.target_syntax import read_scope
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.field import populate, spread_over
from promsnmp.snmp.credentials import Community, Credentials, User, Version
from tests.support.agents.behaviours import BEHAVIOURS
from tests.support.agents.hostile import HONEST, Behaviour, HostileAgent
from tests.support.agents.silent import SilentAgent
from tests.support.discovery.simulated_network import MONITOR, PUBLIC, Agent, SimulatedNetwork, run_sweep, sweep_of
from tests.support.discovery.small_device import MIB


def network(text: str, *exclude: str) -> Iterable[str]:
    return read_scope([text], exclude)[0].addresses.spread()


def agent(name: str = "public") -> Agent:
    return SimulatedAgent(MIB, community=name).answer


# ------------------------------------------------------------------------------------------------- pace and bounds


def test_silent_addresses_are_retried_and_then_left_alone() -> None:
    net = SimulatedNetwork()
    sweep, found = sweep_of(net, network("192.0.2.0/24"), scan_limits=ScanLimits(retries=2))
    seconds = run_sweep(sweep, net)
    assert (len(net.sent), sweep.progress.packets, sweep.progress.probed, found) == (254 * 3, 254 * 3, 254, [])
    assert 3.0 <= seconds < 3.5
    assert len(set(net.sent_to("192.0.2.7"))) == 1  # the same request: a late answer to the first still counts


def test_the_rate_is_never_exceeded_even_after_a_pause() -> None:
    net = SimulatedNetwork()
    sweep, _ = sweep_of(net, network("10.0.0.0/16"), scan_limits=ScanLimits(packets_per_second=500))
    for number in range(400):
        sweep.step(net.now)
        net.now += 1.0 if number % 50 == 49 else TICK
    times = [time for time, _, _ in net.sent]
    assert max(sum(1 for _ in group) for _, group in itertools.groupby(times)) <= 500 * BURST
    for start in times[::100]:
        assert sum(start <= time < start + 1.0 for time in times) <= 500 + 500 * BURST


def test_no_more_addresses_wait_for_an_answer_than_allowed() -> None:
    net = SimulatedNetwork()
    sweep, _ = sweep_of(net, network("10.0.0.0/16"), scan_limits=ScanLimits(in_flight=100))
    for _ in range(50):
        sweep.step(net.now)
        net.now += TICK
    assert (sweep.in_flight, sweep.progress.started) == (100, 100)


def test_devices_among_silence_are_found_and_counted() -> None:
    where = ["192.0.2.10", "192.0.2.20", "192.0.2.30"]
    net = SimulatedNetwork({where[0]: agent(), where[1]: agent("other"), where[2]: agent("neither")})
    sweep, found = sweep_of(net, network("192.0.2.0/24"), (PUBLIC, Community(Version.V2C, "other")))
    run_sweep(sweep, net)
    assert [one.address for one in found] == where[:2]
    assert sweep.progress.found == sweep.progress.answered == 2
    assert not sweep.progress.errors


def test_further_credentials_of_an_address_are_tried_after_the_others() -> None:
    own = CandidateCredentials(Community(Version.V2C, "own"))
    net = SimulatedNetwork({"192.0.2.1": agent("own"), "192.0.2.2": agent("own")})
    sweep, found = sweep_of(
        net, ["192.0.2.1", "192.0.2.2"], extra_candidates=lambda address: [own] if address == "192.0.2.1" else []
    )
    run_sweep(sweep, net)
    assert [(one.address, one.credentials) for one in found] == [("192.0.2.1", own.credentials)]


def test_addresses_can_be_added_while_it_runs_and_after_it_was_done() -> None:
    net = SimulatedNetwork({"192.0.2.9": agent()})
    sweep, found = sweep_of(net, ["192.0.2.1"])
    run_sweep(sweep, net)
    sweep.add("192.0.2.9")
    assert not sweep.done
    run_sweep(sweep, net)
    assert [one.address for one in found] == ["192.0.2.9"]


def test_an_answer_that_comes_late_is_taken_while_the_address_is_asked_again() -> None:
    honest = SimulatedAgent(MIB)
    held: list[bytes] = []

    def slow(datagram: bytes) -> list[bytes]:
        held.append(honest.answer(datagram) or b"")
        return held[:1] if len(held) == 2 else []

    net = SimulatedNetwork({"192.0.2.1": slow})
    sweep, found = sweep_of(net, ["192.0.2.1"])
    run_sweep(sweep, net)
    assert len(found) == 1


# -------------------------------------------------------------------------------------------- what a network may do


def test_full_buffers_make_it_pause_longer_each_time_and_lose_nothing() -> None:
    net = SimulatedNetwork({"192.0.2.200": agent()})
    refusals = itertools.count()
    net.outcome = lambda _: SendResult.BUFFER_FULL if next(refusals) < 6 else SendResult.SENT
    sweep, found = sweep_of(net, network("192.0.2.0/24"))
    run_sweep(sweep, net)
    assert (len(found), sweep.progress.probed, sweep.progress.errors[NO_BUFFERS]) == (1, 254, 6)
    first = net.sent[0][0]
    assert first > sum(0.02 * 2**number for number in range(6))


def test_an_address_that_cannot_be_sent_to_is_done_and_counted() -> None:
    net = SimulatedNetwork()
    net.outcome = lambda sockaddr: SendResult.UNREACHABLE if sockaddr[0] == "192.0.2.1" else SendResult.SENT
    sweep, _ = sweep_of(net, ["192.0.2.1", "192.0.2.2"])
    run_sweep(sweep, net)
    assert (sweep.progress.probed, dict(sweep.progress.errors)) == (2, {"unreachable": 1})


def test_a_network_that_cannot_be_reached_at_all_does_not_hold_up_the_loop() -> None:
    net = SimulatedNetwork()
    net.outcome = lambda _: SendResult.UNREACHABLE
    sweep, _ = sweep_of(net, network("10.0.0.0/12"))
    for _ in range(100):
        before = sweep.progress.probed
        sweep.step(net.now)
        assert sweep.progress.probed - before <= 3000 * BURST
        net.now += TICK
    assert sweep.progress.packets == 0


def test_an_icmp_error_ends_the_wait_for_the_address_that_it_names() -> None:
    net = SimulatedNetwork()
    sweep, _ = sweep_of(net, ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    sweep.step(0.0)
    sweep.step(0.01)
    net.errors = [
        Undelivered(socket_address("192.0.2.1", 161), errno.ECONNREFUSED),
        Undelivered(socket_address("192.0.2.2", 161), errno.EHOSTUNREACH),
        Undelivered(socket_address("192.0.2.9", 161), errno.ECONNREFUSED),
    ]
    sweep.step(0.02)
    assert (sweep.in_flight, dict(sweep.progress.errors)) == (1, {"refused": 1, "unreachable": 1})


def test_an_icmp_error_does_not_silence_a_device_that_has_answered() -> None:
    v3 = SimulatedAgent(MIB, users=[MONITOR])
    net = SimulatedNetwork({"192.0.2.1": v3.answer})
    sweep, found = sweep_of(net, ["192.0.2.1"], [MONITOR])
    while not net.sent:
        sweep.step(net.now)
        net.now += TICK
    sweep.step(net.now)  # the engine id is known
    net.errors = [Undelivered(socket_address("192.0.2.1", 161), errno.EHOSTUNREACH)]
    run_sweep(sweep, net)
    assert len(found) == 1


def test_unexpected_datagrams_are_counted_and_ignored() -> None:
    net = SimulatedNetwork()
    sweep, found = sweep_of(net, ["192.0.2.1"])
    while not net.sent:
        sweep.step(net.now)
        net.now += TICK
    honest = SimulatedAgent(MIB).answer(net.sent[0][2])
    assert honest is not None
    strangers: Sequence[SocketAddress] = (
        socket_address("192.0.2.2", 161),
        socket_address("192.0.2.1", 162),
        socket_address("2001:db8::1", 161),
    )
    net.incoming = [(honest, sockaddr) for sockaddr in strangers]
    run_sweep(sweep, net)
    assert (found, dict(sweep.progress.errors), sweep.progress.answered) == ([], {"elsewhere": 1, "unexpected": 3}, 0)


class Elsewhere(SimulatedNetwork):
    """Every agent answers from 192.0.2.99 port 1161."""

    def send(self, datagram: bytes, sockaddr: SocketAddress) -> SendResult:
        before = len(self.incoming)
        outcome = super().send(datagram, sockaddr)
        self.incoming[before:] = [(one, socket_address("192.0.2.99", 1161)) for one, _ in self.incoming[before:]]
        return outcome


def test_authenticated_answers_from_elsewhere_are_found_and_others_only_counted() -> None:
    devices = SimulatedAgent(MIB, users=[MONITOR])
    cases: list[tuple[list[Credentials], list[str]]] = [([MONITOR], ["192.0.2.1"]), ([PUBLIC, User("guest")], [])]
    for credentials, addresses in cases:
        net = Elsewhere({"192.0.2.1": devices.answer})
        sweep, found = sweep_of(net, ["192.0.2.1"], credentials)
        run_sweep(sweep, net)
        assert [one.address for one in found] == addresses
        assert [one.answers_from for one in found] == ["192.0.2.99:1161"] * len(addresses)
        assert sweep.progress.errors["elsewhere"] == (not addresses)
        assert not sweep._by_id


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_agents_that_cut_request_ids_are_found(bits: int) -> None:
    cutting = SilentAgent(id_bits=bits)
    net = SimulatedNetwork({"192.0.2.1": cutting.answer})
    sweep, found = sweep_of(net, ["192.0.2.1"])
    run_sweep(sweep, net)
    assert [one.address for one in found] == ["192.0.2.1"]
    assert len(net.sent) == 2


def test_an_address_that_answers_twice_is_found_once() -> None:
    honest = SimulatedAgent(MIB)
    net = SimulatedNetwork({"192.0.2.1": lambda datagram: [honest.answer(datagram) or b""] * 3})
    sweep, found = sweep_of(net, ["192.0.2.1"])
    run_sweep(sweep, net)
    sweep.step(net.now)
    assert (len(found), sweep.progress.found, sweep.progress.errors["unexpected"]) == (1, 1, 2)


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_no_misdeed_ends_or_holds_a_sweep(behaviour: Behaviour, version: Version) -> None:
    hostile = HostileAgent(behaviour)
    net = SimulatedNetwork({
        "192.0.2.1": lambda datagram: [reply.datagram for reply in hostile.replies(datagram) if not reply.another],
        "192.0.2.2": agent(),
    })  # fmt: skip
    sweep, found = sweep_of(net, ["192.0.2.1", "192.0.2.2"], [Community(version, "public")])
    run_sweep(sweep, net, patience=30)
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
            sockets = SweepSockets()
            sweep, found = sweep_of(sockets, network("127.77.0.0/22"), credentials, port=field.port)
            await run(sweep)
            sockets.close()
            assert {one.address for one in found} == set(where)
            assert {one.credentials for one in found} == {credentials[-1]}
            assert len({one.varbinds[SYS_NAME].value for one in found}) == 40
            assert sweep.progress.probed == 1022


async def test_ports_that_refuse_are_not_counted_as_silent_and_not_waited_for() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.78.0.9", 0))  # its queue is never read
        sockets = SweepSockets()
        sweep, found = sweep_of(sockets, network("127.78.0.0/28"), port=silent.getsockname()[1])
        await run(sweep)
        sockets.close()
    assert (found, dict(sweep.progress.errors)) == ([], {"refused": 13})
    assert sweep.progress.packets == 13 + 2


async def test_devices_on_ipv6_are_found() -> None:
    async with await SimulatedAgent(MIB).start("::1") as one:
        sockets = SweepSockets()
        sweep, found = sweep_of(sockets, ["::1"], port=one.port)
        await run(sweep)
        sockets.close()
    assert [answer.address for answer in found] == ["::1"]
