"""Hands the last pages and the histograms of devices to the replicas that own them from now on, and takes over theirs.

Devices move when a replica stops (all of its devices) and when one joins (those that the newcomer outranks this replica
for). So a restart of all replicas, one after the other, costs no polls, and histograms go on. After a crash they begin
anew.

A page is handed over only while this replica could show it itself: it holds all read leases, and no other replica has
polled the device since. What another replica may have shown *afterwards* only the receiver knows: with its ``stamp``,
which it sent before the page was handed over, it decides whether it heard of a newer page since then. And it takes
nothing when others may have owned its devices since the sender last heard of it (``heard``), as when the message waited
while the receiver slept. Whoever may have owned them says so before it grants a read lease (``was_owner``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.client import HANDOVER_PATH
from promsnmp.errors import PeerError
from promsnmp.exposition.utilization.transfer import transfers
from promsnmp.polling.device_state import DeviceStates
from promsnmp.polling.handover.messages import (
    MAX_SERIES,
    DeviceHandover,
    HandoverMessage,
    HandoverPart,
    decode,
    encode,
    parts_of,
)
from promsnmp.polling.pages.service import PageService

log = logging.getLogger(__name__)

TIMEOUT = 5.0
"""Seconds for a whole handover; what is left then is not handed over."""
REQUEST_TIMEOUT = 2.0
MAX_ANSWER = 1024
"""Bytes of the answer of a new owner, at most."""
READY_TIMEOUT = 10.0
"""Seconds to wait until a new replica holds all read leases."""
LATEST_COMMIT = 35.0
"""Seconds in which a replica that polled a device sends the page, at most, after it told the first other one so: more
than a page may wait for its permission (owner_proxy.py)."""
MAX_PAGE_BYTES = 256 * 1024 * 1024
"""Bytes of the pages of one handover, at most."""
_HEADERS = ((b"content-type", b"application/octet-stream"),)


@dataclass(frozen=True, slots=True)
class _LostDevice:
    """A device that another replica owns from now on, and that is not handed over yet."""

    handover: DeviceHandover
    lost_at: float
    """Seconds, monotonic."""


class Handover:
    """Moves pages of ``page_service`` and histograms of ``states`` when devices change their owner."""

    def __init__(self, cluster: Cluster, page_service: PageService, states: DeviceStates) -> None:
        self._cluster = cluster
        self._rules = cluster.read_leases.rules
        self._page_service = page_service
        self._states = states
        self._lost: dict[tuple[str, tuple[str, ...]], _LostDevice] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """The handovers to replicas (instances)."""

    def observes(self, device: str) -> bool:
        """Whether histograms of a device may be begun or continued here: as its owner, after the handover."""
        return self._rules.is_handed_over and not self._rules.is_draining and self._cluster.members.ring.is_mine(device)

    def on_members_changed(self) -> None:
        """Hands over devices that other replicas own from now on; to be called when the members change."""
        ring, now = self._cluster.members.ring, time.monotonic()
        if self._rules.is_draining:
            return
        for one in self._stored(lambda device: not ring.is_mine(device)):
            self._page_service.release(one.key, one.modules)
            self._lost[one.key, one.modules] = _LostDevice(one, now)
        for key, lost in list(self._lost.items()):
            if ring.is_mine(lost.handover.device):  # it is back
                del self._lost[key]
                self._continue(lost, now)
        owners = {ring.owner(lost.handover.device) for lost in self._lost.values()}
        wanted = {one.instance: one for one in self._cluster.members.others if one.name in owners}
        for instance in self._tasks.keys() - wanted.keys():
            self._tasks[instance].cancel()
        for instance, owner in wanted.items():
            self._rules.handing_over.add(instance)
            if instance not in self._tasks:
                self._tasks[instance] = asyncio.create_task(
                    self._hand_over_lost(owner), name=f"handover to {owner.name}"
                )

    def on_revoked(self, device: str | None, was_owner: bool) -> None:
        """Another replica shows pages of a device (None: of any), or may have shown some as its owner."""
        if was_owner:
            self._page_service.invalidations.add_unknown_past()
            self._states.reset_all_utilization()
        else:
            self._page_service.invalidations.add(device)

    async def hand_over_all(self) -> None:
        """Hands over everything, since this replica stops; pages in memory stay as they are until then."""
        self._rules.is_draining = True
        self._page_service.freeze()
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._cluster.read_leases.until_known(within=TIMEOUT)
                others = {one.name: one for one in self._cluster.members.others}
                ring = HashRing(list(others), "")
                devices = self._stored(lambda _: True) if others else []
                groups = {name: [one for one in devices if ring.owner(one.device) == name] for name in others}
                await asyncio.gather(*(self._send(others[name], group) for name, group in groups.items() if group))
        except (TimeoutError, PeerError):
            log.warning("cannot hand over all devices to other replicas in time: their histograms begin anew")

    def receive(self, body: bytes) -> bytes:
        """Takes over what another replica hands over. Raises PeerError."""
        self._rules.notice_sleep()  # the message may have waited while this process slept
        now = time.monotonic()
        message = decode(body, now=now)
        if message.receiver != self._cluster.members.me.instance:
            raise PeerError("the handover is for another replica")
        members = self._cluster.members
        staying = [one.name for one in members.present if one.instance != message.sender or not message.leaves]
        ring = HashRing(staying, members.me.name)
        heard = message.stamp if message.heard is None else message.heard
        shift = self._rules.clock() - now
        if heard is None or heard - shift < self._page_service.invalidations.unknown_until:
            return b"{}"  # others may have owned the devices since: the handover is too old
        for part in message.parts:
            if ring.is_mine(part.key.partition("/")[0]):
                self._take_over_histograms(part, now)
                if message.stamp is not None:
                    self._take_over_page(part, message.stamp - shift)
        return b"{}"

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # ------------------------------------------------------------------------------------------------------ sending

    def _stored(self, moves: Callable[[str], bool]) -> list[DeviceHandover]:
        """What there is of all devices that move."""
        found = [
            DeviceHandover(key, modules, self._page_service.stored_page(key, modules), utilization)
            for key, modules, utilization in self._states.histograms()
            if moves(key.partition("/")[0])
        ]
        return [one for one in found if one.page is not None or one.utilization is not None]

    def _continue(self, lost: _LostDevice, now: float) -> None:
        """Continues histograms of a device that is this replica's again before it was handed over."""
        if lost.handover.utilization is not None and self._is_trusted(lost):
            for series in transfers(lost.handover.utilization, most=MAX_SERIES, now=now):
                self._take_over_histograms(HandoverPart(lost.handover.key, lost.handover.modules, None, series), now)

    def _is_trusted(self, lost: _LostDevice) -> bool:
        """Whether no other replica owned the device before it was lost here; all have answered by then."""
        return self._page_service.invalidations.unknown_until < lost.lost_at

    async def _hand_over_lost(self, owner: Member) -> None:
        """Hands its devices over to a replica that has joined."""
        leases, ring = self._cluster.read_leases, self._cluster.members
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                await leases.until_ready(owner)
                await leases.until_known(within=READY_TIMEOUT)
            async with asyncio.timeout(TIMEOUT):
                lost = [one for one in self._lost.values() if ring.ring.owner(one.handover.device) == owner.name]
                await self._send(owner, [one.handover for one in lost if self._is_trusted(one)])
        except (TimeoutError, PeerError):
            log.warning("cannot hand over the devices of %s in time: their histograms begin anew", owner.name)
        finally:
            self._tasks.pop(owner.instance, None)
            self._rules.handing_over.discard(owner.instance)
            for key in [key for key, one in self._lost.items() if ring.ring.owner(one.handover.device) == owner.name]:
                del self._lost[key]
            leases.tell(owner)

    async def _send(self, owner: Member, devices: Iterable[DeviceHandover]) -> None:
        me, sent = self._cluster.members.me.instance, 0
        for parts in parts_of(list(devices), now=time.monotonic()):
            sent += sum(len(body) for part in parts if part.page is not None for body in part.page.texts().values())
            allowed = [part for part in parts if part.page is None or self._may_hand_over(part, sent)]
            stamp, leaves = self._rules.stamp_of(owner.instance), self._rules.is_draining
            message = HandoverMessage(me, owner.instance, stamp, allowed, leaves, self._rules.time_of(owner.instance))
            body = encode(message, now=time.monotonic())
            try:
                answer = await self._cluster.peers.request(
                    owner.address,
                    "POST",
                    HANDOVER_PATH.encode(),
                    _HEADERS,
                    body,
                    timeout=REQUEST_TIMEOUT,
                    max_body=MAX_ANSWER,
                )
                if answer.status != 200:
                    raise PeerError(f"{owner.address} answered {answer.status}")
            except PeerError as error:
                log.warning("cannot hand over devices to %s: %s", owner.name, error)
                return

    def _may_hand_over(self, part: HandoverPart, sent: int) -> bool:
        device = part.key.partition("/")[0]
        page = part.page
        return (
            page is not None
            and sent <= MAX_PAGE_BYTES
            and self._rules.is_valid
            and self._page_service.invalidations.allow(device, page.valid_from)
        )

    # ---------------------------------------------------------------------------------------------------- receiving

    def _take_over_histograms(self, part: HandoverPart, now: float) -> None:
        if part.series is not None:
            utilization = self._states.utilization(part.key, part.modules)
            utilization.take_over(part.series.series, part.series.present, part.series.uptime, now)

    def _take_over_page(self, part: HandoverPart, sent_at: float) -> None:
        """Takes over a page that was allowed at ``sent_at`` (seconds, monotonic), unless it may be outdated now."""
        device, invalidations = part.key.partition("/")[0], self._page_service.invalidations
        is_newest = invalidations.revoked_at(device) <= sent_at - LATEST_COMMIT
        if part.page is not None and is_newest and invalidations.of(device) <= sent_at:
            self._page_service.store(part.key, part.modules, part.page)
