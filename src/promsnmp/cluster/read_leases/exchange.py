"""Renews the read leases, and revokes them, over requests between the replicas."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping

from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.peers.client import READ_LEASE_PATH, PeerClient
from promsnmp.cluster.read_leases.messages import MAX_MESSAGE, read_lease_message
from promsnmp.cluster.read_leases.rules import ReadLeases
from promsnmp.errors import PeerError
from promsnmp.support.http_client import ConnectionRefused

log = logging.getLogger(__name__)

ANSWER_TIMEOUT = 1.0
"""Seconds to wait for the answer of another replica."""
RENEWALS = 3
"""Renewals in the duration of a lease."""
REPEAT = 0.25
"""Seconds between two messages to a replica that has not confirmed a revocation."""
PATIENCE = 0.3
"""Seconds that a scrape waits for leases that are just being renewed, after a sleep for instance."""
SETTLE_TIMEOUT = 5.0
"""Seconds for which polling waits at the start until all leases are held and all histograms are handed over."""
BEGIN_TIMEOUT = 5.0
"""Seconds that this takes, at most, if the process does not sleep meanwhile."""
GOODBYE_TIMEOUT = 0.8
_HEADERS = ((b"content-type", b"application/json"),)


class LeaseExchange:
    """Keeps the leases of ``rules`` valid among ``members``.

    ``learn_members`` asks all sources of members and returns then; scrapes wait for it. ``refresh_members`` drops those
    that are silent for too long, ``announced`` returns replicas that are no members but have a heartbeat.
    """

    def __init__(
        self,
        rules: ReadLeases,
        members: Members,
        peers: PeerClient,
        *,
        learn_members: Callable[[], Awaitable[object]],
        refresh_members: Callable[[], object],
        announced: Callable[[], Iterable[Member]] = lambda: (),
    ) -> None:
        self.rules = rules
        self._members = members
        self._peers = peers
        self._learn_members = learn_members
        self._refresh_members = refresh_members
        self._announced = announced
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._changed_at = -math.inf
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._lost_at: float | None = None
        self.problem = ""
        """Why this replica does not answer from memory, when that lasts longer than a moment."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="read leases")

    async def stop(self) -> None:
        self._is_stopped = True
        tasks = [*self._asking.values(), *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _replicas(self) -> tuple[Member, ...]:
        """All other replicas that may answer scrapes."""
        return (*self._members.others, *self._announced())

    def on_announced(self, heard_by: Mapping[str, float]) -> None:
        """To be called whenever the heartbeats were read, with the replicas (instances) that have read one of this
        replica, and when that was sent."""
        for one in self._members.others:
            if not self._members.is_refused(one.instance):
                self.rules.note_alive(one.instance)
        self.rules.set_members(
            (one.instance for one in self._members.others), (one.instance for one in self._announced())
        )
        for instance, sent_at in heard_by.items():
            self.rules.note_heard(instance, sent_at)
        self._notify()

    def on_members_changed(self) -> None:
        """To be called whenever the members change, before anybody else hears of it."""
        self.on_announced({})
        self._changed_at = self.rules.clock()
        self._wake.set()

    def receive(self, body: bytes) -> bytes:
        """Answers another replica. Raises PeerError."""
        request = read_lease_message(body)
        sender = next((one for one in self._members.others if one.instance == request.sender), None)
        if sender is not None:
            self._members.mark_alive(sender)
        response = self.rules.respond(request)
        self._notify()
        return response.json()

    # ------------------------------------------------------------------------------------------------- for scrapes

    async def confirm(self) -> bool:
        """Whether this replica may answer from memory; waits a moment when it has just lost its leases."""
        if self.rules.is_valid:
            return True
        await self.begun()
        lost_at = max(self.rules.valid_until, self.rules.awake_since, self._changed_at)
        if self.rules.clock() - lost_at < ANSWER_TIMEOUT:
            self._wake.set()
            await self._until(lambda: self.rules.is_valid, within=PATIENCE)
        return self.rules.is_valid

    async def begun(self) -> None:
        """Returns when the members are known, as far as they can be."""
        self.rules.notice_sleep()
        while not self.rules.has_begun:
            await self._hear(within=ANSWER_TIMEOUT)

    async def revoke(self, device: str, *, within: float) -> None:
        """Returns when no other replica shows an earlier poll of a device any more. Raises PeerError."""
        revocation = self.rules.revoke(device)

        def waiting() -> dict[str, float]:
            ring = self._members.ring
            if self.rules.may_show_nothing or (self._members.others and not ring.me):  # those do not know this one
                raise PeerError("this replica is no member any more and cannot poll for another one; retry later")
            above = ring.members if self.rules.is_draining else ring.above(device)
            holders = [one.instance for one in self._members.others if one.name in above]
            return dict(self.rules.pending(revocation, holders))

        deadline, ask_at = self.rules.clock() + within, -math.inf
        while (pending := waiting()) or self.rules.is_dropped:
            now = self.rules.clock()
            if now >= deadline:
                names = self._names(pending) or "another replica"
                raise PeerError(f"{names} may have a newer page or show an older one, and does not answer; retry later")
            if now >= ask_at:
                ask_at = now + REPEAT
                for one in self._members.others:
                    if one.instance in pending:
                        self._ask_again(one)
            await self._hear(within=min(deadline, ask_at, *pending.values()) - now)

    async def until_known(self, *, within: float) -> None:
        """Returns when all other replicas know that this one runs. Raises PeerError."""
        if not await self._until(lambda: not self.rules.is_dropped, within=within):
            raise PeerError("other replicas do not answer, and may have taken over the device; retry later")

    async def wait_until_settled(self) -> None:
        """Returns when all leases are held and nothing is being handed over, or after SETTLE_TIMEOUT."""
        await self._until(lambda: self.rules.is_valid and self.rules.is_handed_over, within=SETTLE_TIMEOUT)

    async def until_ready(self, member: Member) -> None:
        """Returns when another replica holds all its read leases; never, if it is gone."""
        while self.rules.stamp_of(member.instance) is None:
            await self._hear(within=ANSWER_TIMEOUT)

    def tell(self, member: Member) -> None:
        """Sends a message to another replica now."""
        self._ask_again(member)

    async def leave(self) -> None:
        """Tells all other replicas what this one has revoked; it shows nothing from memory any more."""
        self.rules.leave()
        tasks = [asyncio.ensure_future(self._ask(one)) for one in self._replicas]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GOODBYE_TIMEOUT)
            for task in late:
                task.cancel()

    # ------------------------------------------------------------------------------------------------------ rounds

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                self.rules.tick()
                if not self.rules.has_begun:
                    await self._begin()
                self._refresh_members()
                self._log_change()
                for one in self._replicas:
                    if one.instance not in self._asking:
                        self._ask_again(one)
            except Exception:  # leases must be renewed for the life of the process
                log.exception("unexpected error while renewing read leases")
            await asyncio.sleep(0.05 * self.rules.duration / 3)
            try:
                async with asyncio.timeout(self.rules.duration / RENEWALS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _begin(self) -> None:
        """Learns who the members are, again if this process slept meanwhile."""
        begun_at = -math.inf
        while self.rules.clock() - begun_at >= max(self._members.member_timeout / 2, BEGIN_TIMEOUT):
            begun_at = self.rules.clock()
            await self._learn_members()
            self.on_members_changed()
            await asyncio.gather(*(self._ask(one) for one in self._replicas))
        self.rules.begin()
        self._notify()

    def _ask_again(self, member: Member) -> None:
        """Sends a message to a replica; if one is under way, another one after it."""
        if member.instance in self._asking:
            self._again.add(member.instance)
            return
        if self._is_stopped:
            return

        async def ask() -> None:
            while True:
                self._again.discard(member.instance)
                await self._ask(member)
                if member.instance not in self._again:
                    break

        task = self._asking[member.instance] = asyncio.create_task(ask(), name=f"read lease of {member.name}")
        task.add_done_callback(lambda _: self._asking.pop(member.instance, None))

    async def _ask(self, member: Member) -> None:
        """Exchanges messages with a replica. Raises nothing."""
        sent_at = self.rules.clock()
        body = self.rules.message(member.instance).json()
        try:
            answer = await self._peers.request(
                member.address,
                "POST",
                READ_LEASE_PATH.encode(),
                _HEADERS,
                body,
                timeout=ANSWER_TIMEOUT,
                max_body=MAX_MESSAGE,
            )
            if answer.status != 200:
                raise PeerError(f"{member.address} answered {answer.status}")
            response = read_lease_message(answer.body)
        except PeerError as error:
            if isinstance(error, ConnectionRefused):
                self._members.mark_refused(member.instance)
                self.rules.note_refusal(member.instance)
            log.debug("no read lease of %s: %s", member.name, error)
        else:
            if response.sender == member.instance and self._members.is_proven(member):
                self._members.mark_alive(member)
            self.rules.accept(response, sent_at=sent_at)
        self._notify()

    # ------------------------------------------------------------------------------------------------------ waiting

    def _notify(self) -> None:
        """Something may have changed for those who wait."""
        self._news.set()
        self._news = asyncio.Event()

    async def _hear(self, *, within: float) -> None:
        """Returns at the next message of another replica, or after ``within`` seconds."""
        try:
            async with asyncio.timeout(max(within, 0.0)):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _until(self, condition: Callable[[], bool], *, within: float) -> bool:
        deadline = self.rules.clock() + within
        while not (holds := condition()) and (left := deadline - self.rules.clock()) > 0:
            await self._hear(within=left)
        return holds

    def _names(self, instances: dict[str, float]) -> str:
        return ", ".join(one.name for one in self._members.others if one.instance in instances)

    def _log_change(self) -> None:
        """One line when this replica has not held all leases for longer than a moment, and one when it does again."""
        now = self.rules.clock()
        if self.rules.is_valid or self.rules.is_leaving:
            self._lost_at = None
            if self.problem:
                log.info("all replicas answer again: scrapes are answered from memory")
        elif self._lost_at is None:
            self._lost_at = now
        was_lost, self.problem = bool(self.problem), ""
        if self._lost_at is not None and now - self._lost_at >= self.rules.duration:
            missing = ", ".join(one.name for one in self._replicas if not self.rules.holds(one.instance))
            self.problem = f"no read lease of {missing or 'all replicas'}: each scrape of this replica's devices polls"
            if not was_lost:
                log.warning("%s", self.problem)
