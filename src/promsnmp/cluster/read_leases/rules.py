"""The rules of read leases for one replica: no I/O, and the clock is an argument.

A page in memory may be shown only while nobody can have shown a newer one. The owner of a device cannot know that
alone: it may have slept, be slow, or be unreachable for another replica, which then polls the device in its place. So
each replica grants every other one a lease of a few seconds and renews it all the time, as distributed caches do (Gray
and Cheriton, "Leases", 1989):

1. An owner answers *from memory* only while it holds the leases of all other replicas. Otherwise each scrape needs a
   poll that begins after the scrape has arrived: it is newer than everything that was shown before.
2. A replica that polled a device in place of those that *outrank* it there (``HashRing.above``: the owner, and who
   would own the device before this one) *revokes* its leases for the device before it answers. It waits until each of
   them has confirmed that it will show no poll that began earlier, or until the lease there has ended.
3. A lease is granted together with all revocations that its holder has not confirmed yet, only to members, and counts
   only if its grantor is a member for the holder, too. Otherwise the holder would own devices for which the grantor
   outranks it, and the grantor would revoke nothing. So of two replicas only the higher-ranked one can consider itself
   the owner with all leases; and the order of two replicas is the same for all (rendezvous hashing).
4. A holder measures a lease from *before* it sent its request, the grantor from *after* it made its response, each by
   its own clock: the holder's ends first. ``MARGIN`` is for clocks of unequal speed. Nobody uses the time of day.
5. Whoever becomes a member hears that others may have owned its devices until then (``was_owner``): it shows no
   earlier poll, and its histograms begin anew. When a replica is gone without a goodbye, the others do not know what it
   showed in the end: they show no earlier poll.
6. A replica whose silence was so long that the others may have dropped it as a member (``is_dropped``) answers nothing
   before they have heard it again: they may be owners in its place and need no lease of it. After a sleep of that
   length it learns anew who the members are.
7. The same goes for a replica that has just started, and for each other one that it has just learnt of: that one has
   not heard of it until it says so, by a lease, or by its heartbeat in Redis (``note_heard``). That it has a heartbeat
   says nothing: it may have written it before this replica wrote its first one, or the reply of Redis, with the
   heartbeats of the others, may be late or lost. From the moment when it has read this replica's heartbeat, it needs
   the lease of this one, and shows nothing from memory without it. And it does not drop this one for as long as members
   may be silent, counted from when this replica sent the heartbeat.

Assumptions: two running replicas do not both believe that the other one is gone. They can be wrong only when they
cannot reach each other *and* have no source of members in common that both can reach. And a process whose address
refuses connections, although it granted a lease a moment ago, has ended, until it gives a sign of life: its own lease
ends at once, and nobody needs one of it. A firewall that begins to refuse connections between replicas looks the same
until the next heartbeat in Redis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.read_leases.messages import MAX_DEVICES, LeaseMessage

MARGIN = 0.1
"""Share of a lease by which its holder considers it shorter."""
MAX_DURATION = 2.0
"""Seconds of a lease. So long a scrape may wait when the owner of its device has just stopped to answer: not much
longer than the other replica waits for the owner anyway. And so long an owner may be too busy to renew its leases
before its scrapes need polls."""


@dataclass(slots=True)
class _Peer:
    """What this replica knows of another one, as the holder of its lease and as the grantor of one."""

    lease_until: float = -math.inf
    carried_out: int = 0
    """Number of its last revocation that was carried out here."""
    is_member: bool = False
    """Whether it has proven itself; if not, it has a heartbeat, gets no lease, and its own lease does not count."""
    heard_at: float = -math.inf
    """When it certainly knew this replica: when the last request was sent that it answered with a lease, or the last
    heartbeat that it has read; by this replica's clock."""
    tried_since: float | None = None
    """When the first request after that was sent."""
    final: bool = False
    """It said goodbye: nothing is unknown of it."""
    has_crashed: bool = False
    """Its address refused connections while this replica held its lease, and it has given no sign of life since:
    nothing is unknown of it, and it shows nothing any more."""
    handing_over: bool = False
    stamp: float | None = None
    time: float | None = None

    granted_at: float = -math.inf
    revoked: dict[str, int] = field(default_factory=dict)
    """Devices with the number of their revocation, until it confirms it."""
    all_revoked: int = 0
    """The number of the last revocation of all devices; 0 when there was none, or when the replica has confirmed it."""
    was_owner: int = 0
    """The same for devices that this replica may have owned before it knew the other one."""
    confirmed: int = 0

    @property
    def held_until(self) -> float:
        """When its lease ends; only a member's lease counts."""
        return self.lease_until if self.is_member else -math.inf


@dataclass(slots=True)
class Revocation:
    """The revocation of the leases for one device, for one page that waits to be sent."""

    device: str
    waits_for: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Its number, and when the lease ends that was granted before, for each replica (instance)."""


class ReadLeases:
    """The leases that ``me`` (an instance) holds and has granted; without ``has_peers`` it needs none.

    ``on_revoked`` is called with a device, or with None for all of them, when no earlier poll of it may be shown any
    more; its second argument says whether another replica may have owned it until now. ``on_awake`` gets the seconds
    that this process may have slept.
    """

    def __init__(
        self,
        me: str,
        *,
        member_timeout: float,
        has_peers: bool = True,
        on_revoked: Callable[[str | None, bool], None],
        on_awake: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = lease_clock,
    ) -> None:
        self.duration = min(MAX_DURATION, member_timeout / 3)
        self.valid_until = -math.inf if has_peers else math.inf
        """Until then this replica holds all leases; by ``clock``."""
        self.clock = clock
        self.awake_since = -math.inf
        """When this process last resumed after a sleep."""
        self.handing_over: set[str] = set()
        """Replicas (instances) to which histograms of their devices are still to be handed over."""
        self._me = me
        self.has_peers = has_peers
        self._member_timeout = member_timeout
        self._patience = member_timeout * (1 - MARGIN)
        self._on_revoked = on_revoked
        self._on_awake = on_awake
        self._peers: dict[str, _Peer] = {}
        self._number = 0
        self._ticked_at: float | None = None
        self._hold_until = -math.inf
        self.has_begun = not has_peers
        """Whether it may answer scrapes at all, see ``begin``."""
        self.is_leaving = False
        self.may_show_nothing = False
        """This replica has left others behind, and may not answer any scrape itself."""
        self.is_draining = False
        """This replica is about to stop, and hands its pages over: what it polls from now on must be confirmed by all
        others, as for a device that it does not own."""

    # ------------------------------------------------------------------------------------------------- this replica

    def begin(self) -> None:
        """From now on this replica answers scrapes: it knows the members, as far as it can. After a sleep in which the
        others may have dropped it, it begins again."""
        self.has_begun = True
        self.tick()

    def tick(self) -> None:
        """Says that this process is awake; to be called several times in the duration of a lease."""
        now, before = self.clock(), self._ticked_at
        self._ticked_at = now
        if before is not None and self.has_begun and now - before >= self.duration * (1 - MARGIN):
            self.awake_since = now
            for peer in self._peers.values():
                peer.tried_since = None  # what was tried before or meanwhile says nothing about the others
            if self.has_peers and now - before >= self._patience:
                self.has_begun = False  # the others dropped it; there may be others now, who owned its devices
                self._on_revoked(None, True)
            self._on_awake(now - before)
        self._update()

    def notice_sleep(self) -> bool:
        """Whether this process slept, or was too busy, since the last tick."""
        before = self._ticked_at
        slept = self.has_begun and before is not None and self.clock() - before >= self.duration * (1 - MARGIN)
        if slept:
            self.tick()
        return slept

    @property
    def is_valid(self) -> bool:
        """Whether this replica may answer for its devices from memory."""
        return self.clock() < self.valid_until

    @property
    def is_dropped(self) -> bool:
        """Whether another replica may have dropped this one as silent, and may not know that it runs."""
        self.notice_sleep()
        return not self.has_begun or any(map(self._is_dropped_by, self._peers.values()))

    @property
    def is_handed_over(self) -> bool:
        """Whether no other replica is going to hand over histograms."""
        return not any(peer.handing_over for peer in self._peers.values())

    def leave(self) -> None:
        """This replica stops: it shows no page from memory any more, and grants no lease. Unless it is alone, it shows
        nothing else either, even when the replicas that it knows have gone: others may have come since."""
        if not self.is_leaving:
            self.may_show_nothing = any(peer.is_member for peer in self._peers.values())
        self.is_leaving = True
        self._update()

    def set_members(self, others: Iterable[str], announced: Iterable[str] = ()) -> None:
        """Sets the other members, and the replicas that only have a heartbeat (instances), whenever they change."""
        members, now = set(others), self.clock()
        present = members | set(announced)
        gone = [one for one, peer in self._peers.items() if one not in (members if peer.is_member else present)]
        for instance in gone:
            self._forget(self._peers.pop(instance), now)
            self.handing_over.discard(instance)
        for instance in present - self._peers.keys():
            self._peers[instance] = _Peer()
        for instance in members:
            if not self._peers[instance].is_member:
                self._admit(self._peers[instance])
        self._update()

    def _admit(self, peer: _Peer) -> None:
        peer.is_member = True
        if self.has_begun:
            self._number += 1
            peer.was_owner = self._number

    # --------------------------------------------------------------------------------------------- messages

    def message(self, receiver: str, *, is_request: bool = True) -> LeaseMessage:
        """What to say to another member now."""
        peer, now = self._peers.get(receiver, _Peer()), self.clock()
        if is_request and peer.tried_since is None:
            peer.tried_since = now
        return LeaseMessage(
            sender=self._me,
            receiver=receiver,
            number=self._number,
            revoked=tuple(peer.revoked),
            all_revoked=peer.all_revoked > 0,
            was_owner=peer.was_owner > 0,
            confirmed=peer.carried_out,
            final=self.is_leaving,
            handing_over=receiver in self.handing_over,
            stamp=now if self.is_valid else None,
            time=now,
        )

    def respond(self, request: LeaseMessage) -> LeaseMessage:
        """Carries out another replica's revocations, and grants it a lease if it is a member."""
        self.notice_sleep()
        if request.receiver != self._me:  # meant for a replica that was at this address before
            return LeaseMessage(sender=self._me, receiver=request.sender)
        peer = self._take_in(request)
        response = self.message(request.sender, is_request=False)
        if peer is None:
            return replace(response, confirmed=request.number)
        if not peer.is_member or self.is_leaving or self.clock() < self._hold_until:
            return response
        peer.granted_at = self.clock()
        return replace(response, duration=self.duration)

    def accept(self, response: LeaseMessage, *, sent_at: float) -> None:
        """Carries out the revocations in a response, and notes the lease in it. ``sent_at``: when the request was
        sent."""
        self.notice_sleep()
        peer = self._take_in(response) if response.receiver == self._me else None
        if peer is not None and response.duration:
            peer.lease_until = max(peer.lease_until, sent_at + response.duration * (1 - MARGIN))
            if sent_at > peer.heard_at:
                peer.heard_at, peer.tried_since = sent_at, None
        self._update()

    def holds(self, instance: str) -> bool:
        """Whether this replica holds the lease of another member."""
        peer = self._peers.get(instance)
        return peer is not None and self.clock() < peer.held_until

    def note_refusal(self, instance: str) -> None:
        """Nothing listens at the address of another replica: it has crashed, or gives a sign of life soon."""
        if (peer := self._peers.get(instance)) is not None and self.clock() < peer.held_until:
            peer.has_crashed = True
            peer.granted_at = -math.inf
            self._update()

    def note_alive(self, instance: str) -> None:
        """Another replica has given a sign of life, though not to this one."""
        if (peer := self._peers.get(instance)) is not None and peer.has_crashed:
            peer.has_crashed = False
            self._update()

    def note_heard(self, instance: str, at: float) -> None:
        """Another replica has read the heartbeat that this one sent at that time."""
        if (peer := self._peers.get(instance)) is not None:
            peer.heard_at = max(peer.heard_at, at)

    def stamp_of(self, instance: str) -> float | None:
        """The time of another replica when it last said that it held all leases, by its clock."""
        peer = self._peers.get(instance)
        return None if peer is None else peer.stamp

    def time_of(self, instance: str) -> float | None:
        """The time of another replica in its last message, by its clock."""
        peer = self._peers.get(instance)
        return None if peer is None else peer.time

    # ------------------------------------------------------------------------------------------------ revocations

    def revoke(self, device: str) -> Revocation:
        """Begins the revocation of leases for a device, after this replica has polled it in place of others."""
        return Revocation(device)

    def pending(self, revocation: Revocation, holders: Iterable[str]) -> Mapping[str, float]:
        """Which of ``holders`` (instances: the present members that outrank this one) must confirm the revocation
        first, and until when; infinite when only their confirmation counts."""
        self.notice_sleep()
        waiting: dict[str, float] = {}
        for instance in holders:
            peer = self._peers.get(instance)
            if peer is None:
                continue
            if instance not in revocation.waits_for:
                revocation.waits_for[instance] = self._register(peer, revocation.device)
            number, ends = revocation.waits_for[instance]
            if peer.confirmed >= number:
                continue
            if self.is_draining or self._is_dropped_by(peer):
                waiting[instance] = math.inf
            elif self.clock() < (ends := min(ends, peer.granted_at + self.duration)):
                waiting[instance] = ends
        return waiting

    def _register(self, peer: _Peer, device: str) -> tuple[int, float]:
        self._number += 1
        if peer.all_revoked or len(peer.revoked) >= MAX_DEVICES:
            peer.all_revoked = self._number
            peer.revoked.clear()
        else:
            peer.revoked[device] = self._number
        return self._number, peer.granted_at + self.duration

    # ------------------------------------------------------------------------------------------------------ inside

    def _take_in(self, message: LeaseMessage) -> _Peer | None:
        """Carries out what another replica has revoked, member or not; returns what is known of a member."""
        peer = self._peers.get(message.sender)
        if peer is None or message.number > peer.carried_out:
            for device in message.revoked:
                self._on_revoked(device, False)
            if message.all_revoked:
                self._on_revoked(None, False)
            if message.was_owner:
                self._on_revoked(None, True)
        if peer is None:
            return None
        peer.carried_out = max(peer.carried_out, message.number)
        peer.final, peer.has_crashed = message.final, False
        peer.handing_over = message.handing_over
        peer.stamp = message.stamp if message.stamp is not None else peer.stamp
        peer.time = message.time if message.time is not None else peer.stamp
        self._confirm(peer, message.confirmed)
        return peer

    @staticmethod
    def _confirm(peer: _Peer, number: int) -> None:
        peer.confirmed = max(peer.confirmed, number)
        if peer.all_revoked <= peer.confirmed:
            peer.all_revoked = 0
        if peer.was_owner <= peer.confirmed:
            peer.was_owner = 0
        if peer.revoked:
            peer.revoked = {device: one for device, one in peer.revoked.items() if one > peer.confirmed}

    def _forget(self, peer: _Peer, now: float) -> None:
        """A member is gone."""
        if peer.final or peer.has_crashed:
            return
        self._hold_until = max(self._hold_until, peer.granted_at + self.duration)
        if now >= peer.held_until:
            self._on_revoked(None, False)

    def _is_dropped_by(self, peer: _Peer) -> bool:
        now = self.clock()
        if peer.has_crashed:
            return False
        if now - peer.heard_at < self._patience:
            return False
        return peer.tried_since is None or now - peer.tried_since < self._member_timeout

    def _update(self) -> None:
        if not self.has_peers:
            return
        if not self.has_begun or self.is_leaving or self._ticked_at is None or self.clock() < self._hold_until:
            self.valid_until = -math.inf
            return
        awake_until = self._ticked_at + self.duration * (1 - MARGIN)
        leases = (peer.held_until for peer in self._peers.values() if not peer.has_crashed)
        self.valid_until = min((awake_until, *leases))
