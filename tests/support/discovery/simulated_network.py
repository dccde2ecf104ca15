"""A network without sockets or time, for what a real one does not do on demand: packet loss, full buffers, ICMP,
floods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from promsnmp.discovery.scan.credential_probe import AgentAnswer, CandidateCredentials
from promsnmp.discovery.scan.rate import ScanLimits, SharedRate
from promsnmp.discovery.scan.sockets import SendResult, SocketAddress, Undelivered, socket_address
from promsnmp.discovery.scan.sweep import TICK, Sweep
from promsnmp.snmp.credentials import (
    AuthProtocol,
    Community,
    Credentials,
    PrivProtocol,
    SecurityLevel,
    User,
    Version,
)
from promsnmp.snmp.v3.keys import KeyCache

PUBLIC = Community(Version.V2C, "public")
MONITOR = User(
    "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "authenticate", PrivProtocol.AES256, "keep-private"
)
KEYS = KeyCache()
Agent = Callable[[bytes], Iterable[bytes] | bytes | None]


class SimulatedNetwork:
    """Carries datagrams to ``agents`` (by address) within a step; ``sent`` has every packet with its time."""

    def __init__(self, agents: Mapping[str, Agent] | None = None, *, port: int = 161) -> None:
        self.agents = {socket_address(address, port): agent for address, agent in (agents or {}).items()}
        self.sent: list[tuple[float, SocketAddress, bytes]] = []
        self.incoming: list[tuple[bytes, SocketAddress]] = []
        self.errors: list[Undelivered] = []
        self.outcome: Callable[[SocketAddress], SendResult] = lambda _: SendResult.SENT
        self.now = 0.0

    def send(self, datagram: bytes, sockaddr: SocketAddress) -> SendResult:
        outcome = self.outcome(sockaddr)
        if outcome is SendResult.SENT:
            self.sent.append((self.now, sockaddr, datagram))
            agent = self.agents.get(sockaddr)
            answers = agent(datagram) if agent is not None else None
            for answer in [answers] if isinstance(answers, bytes) else answers or ():
                self.incoming.append((answer, sockaddr))
        return outcome

    def received(self) -> Iterator[tuple[bytes, SocketAddress]]:
        received, self.incoming = self.incoming, []
        yield from received

    def undelivered(self) -> Iterator[Undelivered]:
        errors, self.errors = self.errors, []
        yield from errors

    def sent_to(self, address: str) -> list[bytes]:
        return [datagram for _, sockaddr, datagram in self.sent if sockaddr[0] == address]


def sweep_of(
    net: Any,
    addresses: Iterable[str],
    credentials: Sequence[Credentials] = (PUBLIC,),
    *,
    port: int = 161,
    scan_limits: ScanLimits | None = None,
    extra_candidates: Callable[[str], Sequence[CandidateCredentials]] = lambda _: (),
) -> tuple[Sweep, list[AgentAnswer]]:
    """A sweep over ``net``, and the list to which it adds the answers that it gets."""
    answers: list[AgentAnswer] = []
    scan_limits = scan_limits or ScanLimits()
    share = SharedRate(scan_limits.packets_per_second).share()
    candidates = [CandidateCredentials(each) for each in credentials]
    sweep = Sweep(
        iter(addresses),
        port=port,
        candidates=candidates,
        transport=net,
        scan_limits=scan_limits,
        share=share,
        on_answer=answers.append,
        keys=KEYS,
        extra_candidates=extra_candidates,
    )
    return sweep, answers


def run_sweep(sweep: Sweep, net: SimulatedNetwork, *, patience: float = 600.0) -> float:
    """Steps the sweep until it ends; returns how many seconds passed on the simulated clock."""
    began = net.now
    while not sweep.done:
        sweep.step(net.now)
        net.now += TICK
        assert net.now - began < patience, sweep.progress
    return net.now - began
