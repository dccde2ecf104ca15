"""Replicas that exchange their status over real connections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from promsnmp.cluster.election.runner import Leader
from promsnmp.cluster.members.dns import ServiceDns
from promsnmp.cluster.members.gossip import Gossip
from promsnmp.cluster.members.members import Members
from promsnmp.cluster.members.peer_status import PeerStatus
from promsnmp.cluster.peers.client import PeerClient
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.errors import PeerError
from tests.support.cluster.peer_server import PeerServer
from tests.support.tools import until

KEY = ClusterKey("a key of the tests of gossip, 32 or more")


class FixedDns(ServiceDns):
    """A name whose addresses are set by hand."""

    async def refresh(self) -> None:
        return


@dataclass
class Replica:
    """A gossip member with its own server, which serves one path."""

    name: str
    started: float = 1.0
    member_timeout: float = 1.0
    installation: str = ""
    revision: int = 0
    leader: Leader | None = None
    heard: list[PeerStatus] = field(default_factory=list)
    changes: int = 0

    async def start(self, dns: ServiceDns) -> None:
        self.server = PeerServer(KEY, self.name, handle=lambda body: self.gossip.receive(body))
        await self.server.start()
        me = replace(self.server.me, started=self.started, installation=self.installation)
        self.members = Members(me, member_timeout=self.member_timeout)
        self.peers = PeerClient(KEY, me.name, me.instance)
        self.gossip = Gossip(
            self.members,
            self.peers,
            own_status=lambda: PeerStatus(me, self.revision, self.leader),
            on_status=self.heard.append,
            dns=dns,
        )
        self.gossip.subscribe(self._on_change)
        dns.addresses = (*dns.addresses, me.address)
        self.gossip.start()

    def use(self, key: ClusterKey) -> None:
        """Goes on with another key."""
        self.server.key = self.peers._key = self.peers._signer._key = key

    def _on_change(self) -> None:
        self.changes += 1

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.members.present]

    async def die(self) -> None:
        await self.gossip.stop()
        self.server.stop()
        self.peers.close()


@pytest.fixture
async def three() -> AsyncIterator[list[Replica]]:
    dns = FixedDns("promsnmp-peers", 0)
    made = [Replica(f"pod-{number}") for number in range(3)]
    for one in made:
        await one.start(dns)
    await until(lambda: all(one.names == ["pod-0", "pod-1", "pod-2"] for one in made))
    yield made
    for one in made:
        await one.die()


async def test_replicas_behind_a_name_find_each_other_and_everybody_owns_a_share(three: list[Replica]) -> None:
    for number in range(50):
        owners = [one.name for one in three if one.members.ring.is_mine(f"device {number}")]
        assert len(owners) == 1
    assert all(one.changes for one in three)


async def test_a_replica_that_leaves_is_gone_for_all_at_once(three: list[Replica]) -> None:
    for one in three:
        one.members.member_timeout = 1000.0
    await three[2].gossip.leave()
    assert three[0].names == three[1].names == ["pod-0", "pod-1"]
    assert three[2].names == ["pod-0", "pod-1"]


async def test_a_replica_that_dies_is_gone_after_a_while(three: list[Replica]) -> None:
    await three[2].die()
    await until(lambda: three[0].names == three[1].names == ["pod-0", "pod-1"])


async def test_a_replica_that_leaves_is_not_brought_back_by_being_asked(three: list[Replica]) -> None:
    await three[2].gossip.leave()
    for one in three[:2]:
        one.members._gone.clear()  # as if its goodbye were lost
        await one.gossip.send_status_to_all()
        assert one.names == ["pod-0", "pod-1"]


async def test_a_changed_status_soon_reaches_the_others(three: list[Replica]) -> None:
    for one in three:
        one.members.member_timeout = 1000.0
        one.heard.clear()
    await three[1].gossip.send_status_to_all()  # sends what waited with the old timeout
    three[0].revision, three[0].leader = 7, Leader("pod-0", "127.0.0.1:1", 3)
    three[0].gossip.announce()
    for one in three[1:]:
        await until(lambda one=one: any(news.revision == 7 for news in one.heard))  # type: ignore[misc]
        assert Leader("pod-0", "127.0.0.1:1", 3) in [news.leader for news in one.heard]


async def test_a_replica_with_another_key_is_refused_and_reported(
    three: list[Replica], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    three[2].use(ClusterKey("another key of the tests, 32 or more"))
    await until(lambda: three[0].names == three[1].names == ["pod-0", "pod-1"])
    address = three[2].members.me.address
    await until(lambda: all(address in one.gossip.problems.refusals for one in three[:2]))
    assert "CLUSTER_KEY" in three[0].gossip.problems.refusals[address]
    assert caplog.text.count(f"no requests to another replica: {address}") == 2  # each of the two says so once
    three[2].use(KEY)
    await until(lambda: three[0].names == ["pod-0", "pod-1", "pod-2"] and not three[0].gossip.problems.refusals)


async def test_a_replica_with_another_key_is_refused_by_all_and_the_others_are_not(three: list[Replica]) -> None:
    three[0].use(ClusterKey("another key of the tests, 32 or more"))
    await until(lambda: bool(three[0].gossip.problems.refused_by_all()))
    assert "CLUSTER_KEY" in three[0].gossip.problems.refused_by_all()
    await until(lambda: all(one.gossip.problems.refusals for one in three[1:]))
    await until(lambda: not any(one.gossip.problems.refused_by_all() for one in three[1:]))
    three[0].use(KEY)
    await until(lambda: not three[0].gossip.problems.refused_by_all())


async def test_a_member_that_cannot_be_reached_is_reported_once_and_stays_a_member(
    three: list[Replica], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    address = three[2].members.me.address
    three[2].server.stop()
    await until(lambda: all(address in one.gossip.problems.unreachable for one in three[:2]))
    assert three[0].names == three[1].names == ["pod-0", "pod-1", "pod-2"]
    assert "cannot be reached" in three[0].gossip.problems.all()[address]
    await three[0].gossip.send_status_to_all()
    assert caplog.text.count("another replica lives, but cannot be reached") == 2  # each of the two says so once
    await three[2].server.reopen()
    await until(lambda: not any(one.gossip.problems.unreachable for one in three[:2]))
    assert caplog.text.count("another replica can be reached again") == 2


async def test_a_replica_that_dies_is_not_reported_as_unreachable(
    three: list[Replica], caplog: pytest.LogCaptureFixture
) -> None:
    await three[2].die()
    await until(lambda: three[0].names == three[1].names == ["pod-0", "pod-1"])
    assert "cannot be reached" not in caplog.text
    assert not three[0].gossip.problems.unreachable


async def test_a_replica_of_another_installation_is_reported_once_and_owns_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    dns = FixedDns("promsnmp-peers", 0)
    one, other = Replica("pod-0", installation="mine"), Replica("pod-1", installation="another")
    for replica in (one, other):
        await replica.start(dns)
    await until(lambda: "installation" in one.gossip.problems.all() and "installation" in other.gossip.problems.all())
    assert "pod-1" in one.gossip.problems.all()["installation"]
    assert "REDIS_KEY_PREFIX" in caplog.text
    await one.gossip.send_status_to_all()
    assert caplog.text.count("belongs to another installation") == 2  # each says so once
    assert (one.names, other.names) == (["pod-0"], ["pod-1"])
    assert all(one.members.ring.is_mine(f"device {number}") for number in range(20))
    assert not one.heard
    await other.die()
    await until(lambda: "installation" not in one.gossip.problems.all())
    await one.die()


async def test_of_two_replicas_with_one_name_the_older_reports_it(
    three: list[Replica], caplog: pytest.LogCaptureFixture
) -> None:
    younger = Replica("pod-1", started=2.0)
    await younger.start(three[0].gossip._dns)  # type: ignore[arg-type]
    await until(lambda: three[1].members.namesake is not None)
    assert younger.members.namesake is None
    assert "give each its own POD_NAME" in caplog.text
    await younger.die()


async def test_joining_and_leaving_members_are_logged(three: list[Replica], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "promsnmp")
    await three[2].gossip.leave()
    assert "replicas: pod-2 left; now pod-0, pod-1" in caplog.text


async def test_the_start_waits_for_the_others_but_not_forever(caplog: pytest.LogCaptureFixture) -> None:
    alone = Replica("pod-0")
    dns = FixedDns("promsnmp-peers", 0)
    await alone.start(dns)
    async with asyncio.timeout(20):
        await alone.gossip.wait_until_known(within=10.0)
    assert alone.names == ["pod-0"]
    await alone.die()
    alone.gossip._has_sent.clear()
    await alone.gossip.wait_until_known(within=0.01)
    assert "starting without knowing all replicas" in caplog.text


async def test_an_invalid_message_is_refused(three: list[Replica]) -> None:
    with pytest.raises(PeerError):
        three[0].gossip.receive(b"{}")
