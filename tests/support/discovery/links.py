"""A network without sockets or time, for what no real one does on demand: lost packets, full buffers, ICMP, floods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from promsnmp.discovery.scan.credential_probe import Answer, Login
from promsnmp.discovery.scan.rate import Allowance, Pace
from promsnmp.discovery.scan.sockets import Lost, Place, Sent, place_of
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


class Air:
    """Carries datagrams to ``agents`` (by address) within a step; ``sent`` has every packet with its time."""

    def __init__(self, agents: Mapping[str, Agent] | None = None, *, port: int = 161) -> None:
        self.agents = {place_of(address, port): agent for address, agent in (agents or {}).items()}
        self.sent: list[tuple[float, Place, bytes]] = []
        self.incoming: list[tuple[bytes, Place]] = []
        self.errors: list[Lost] = []
        self.outcome: Callable[[Place], Sent] = lambda _: Sent.GONE
        self.now = 0.0

    def send(self, datagram: bytes, place: Place) -> Sent:
        outcome = self.outcome(place)
        if outcome is Sent.GONE:
            self.sent.append((self.now, place, datagram))
            agent = self.agents.get(place)
            answers = agent(datagram) if agent is not None else None
            for one in [answers] if isinstance(answers, bytes) else answers or ():
                self.incoming.append((one, place))
        return outcome

    def received(self) -> Iterator[tuple[bytes, Place]]:
        came, self.incoming = self.incoming, []
        yield from came

    def lost(self) -> Iterator[Lost]:
        came, self.errors = self.errors, []
        yield from came

    def sent_to(self, address: str) -> list[bytes]:
        return [datagram for _, place, datagram in self.sent if place[0] == address]


def sweep_of(
    air: Any,
    addresses: Iterable[str],
    credentials: Sequence[Credentials] = (PUBLIC,),
    *,
    port: int = 161,
    pace: Pace | None = None,
    more: Callable[[str], Sequence[Login]] = lambda _: (),
) -> tuple[Sweep, list[Answer]]:
    """A sweep over ``air``, and the list that what it finds goes to."""
    found: list[Answer] = []
    pace = pace or Pace()
    share = Allowance(pace.packets_per_second).share()
    logins = [Login(one) for one in credentials]
    sweep = Sweep(
        iter(addresses),
        port=port,
        logins=logins,
        link=air,
        pace=pace,
        share=share,
        found=found.append,
        keys=KEYS,
        more=more,
    )
    return sweep, found


def fly(sweep: Sweep, air: Air, *, patience: float = 600.0) -> float:
    """Steps the sweep to its end; returns the seconds that this took on the air's clock."""
    began = air.now
    while not sweep.done:
        sweep.step(air.now)
        air.now += TICK
        assert air.now - began < patience, sweep.progress
    return air.now - began
