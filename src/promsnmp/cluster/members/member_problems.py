"""Remembers and logs what is wrong with the members: sources that fail, replicas that are not trusted or cannot be
reached, a shared name, another installation on the same Redis.

The rounds of gossip repeat every few seconds; the log gets one line when a problem begins, and one when it ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Mapping

from promsnmp.cluster.election.eligibility import MAJORITY
from promsnmp.cluster.election.rules import Clock, lease_clock
from promsnmp.cluster.members.members import Member

log = logging.getLogger(__name__)

MAX_REASON = 300
"""Characters of another replica's reason that are kept."""


class MemberProblems:
    """The problems at this moment, for the health; changes go to the log. A member counts as unreachable when it could
    not be reached for ``patience`` seconds, while others say that it lives."""

    def __init__(self, *, patience: Callable[[], float] = lambda: 10.0, clock: Clock = lease_clock) -> None:
        self.of_sources: dict[str, str] = {}
        """Sources of members (``redis``, ``dns``) that fail, and why."""
        self.of_records: dict[str, str] = {}
        """Records that no replica of this cluster has written, by where they are, and why they are not believed."""
        self.refusals: dict[str, str] = {}
        """Addresses without a replica that this one can trust, and why: it has another key, or is another program."""
        self.accepting: set[str] = set()
        """Addresses of replicas that accepted this one's last request that they answered."""
        self.unreachable: dict[str, str] = {}
        """Addresses of members that cannot be reached, and why."""
        self.foreign = ""
        """Which other installation uses the same coordinator; empty without one."""
        self._failing_since: dict[str, float] = {}
        self._patience = patience
        self._clock = clock
        self._warned_of = ""

    def all(self) -> dict[str, str]:
        """Every problem, by source or address."""
        unreachable = {address: f"cannot be reached: {reason}" for address, reason in self.unreachable.items()}
        foreign = {"installation": self.foreign} if self.foreign else {}
        return {**self.of_sources, **self.of_records, **unreachable, **self.refusals, **foreign}

    def refused_by_all(self) -> str:
        """Why no other replica proves itself to this one, when MAJORITY of them refuse it; else empty.

        Of two replicas that refuse each other, nobody can say which one is at fault.
        """
        is_alone = len(self.refusals) >= MAJORITY and not self.accepting
        return next(iter(self.refusals.values())) if is_alone else ""

    def note_source(self, source: str, problem: str) -> None:
        """A source has failed with ``problem``, or has answered (empty)."""
        if problem and source not in self.of_sources:
            log.warning("no answer from %s, keeping the replicas known last: %s", source, problem)
        elif not problem and source in self.of_sources:
            log.info("%s answers again", source)
        if problem:
            self.of_sources[source] = problem
        else:
            self.of_sources.pop(source, None)

    def note_records(self, what: str, problem: str) -> None:
        """Records, such as ``heartbeats in redis``, are not believed because of ``problem``, or all are (empty)."""
        if problem and what not in self.of_records:
            log.error("%s: %s", what, problem)
        elif not problem and what in self.of_records:
            log.info("%s: valid again", what)
        self.of_records.pop(what, None)
        if problem:
            self.of_records[what] = problem

    def note_refusal(self, address: str, reason: str) -> None:
        """The process at an address does not prove that it is a replica, for ``reason``, or it does (empty)."""
        if reason and address not in self.refusals:
            log.error("no requests to another replica: %s: %s", address, reason[:MAX_REASON])
        elif not reason and address in self.refusals:
            log.info("requests to another replica again: %s", address)
        self.refusals.pop(address, None)
        self.accepting.discard(address)
        if reason:
            self.refusals[address] = reason[:MAX_REASON]

    def note_reached(self, address: str) -> None:
        """A replica has answered, whatever it said."""
        self._failing_since.pop(address, None)
        if self.unreachable.pop(address, None) is not None:
            log.info("another replica can be reached again: %s", address)

    def note_not_reached(self, address: str, reason: str) -> None:
        """A member could not be reached, for ``reason``."""
        since = self._failing_since.setdefault(address, self._clock())
        if self._clock() - since < self._patience():
            return
        if address not in self.unreachable:
            text = "another replica lives, but cannot be reached; allow connections between replicas: %s"
            log.error(text, reason[:MAX_REASON])
        self.unreachable[address] = reason[:MAX_REASON]
        self.accepting.discard(address)

    def forget_all_but(self, addresses: Container[str]) -> None:
        """Forgets what is wrong with replicas that are gone."""
        self.refusals = {one: reason for one, reason in self.refusals.items() if one in addresses}
        self.unreachable = {one: reason for one, reason in self.unreachable.items() if one in addresses}
        self._failing_since = {one: since for one, since in self._failing_since.items() if one in addresses}
        self.accepting = {one for one in self.accepting if one in addresses}

    def note_foreign(self, other: Member | None) -> None:
        """Another installation has been heard lately, through ``other``; None: no other is heard any more."""
        text = (
            ""
            if other is None
            else (
                f"{other.name} at {other.address} uses the same keys in Redis, but belongs to another installation: it "
                "has another inventory volume; give each installation its own REDIS_KEY_PREFIX"
            )
        )
        if text and not self.foreign:
            log.error("%s", text)
        elif self.foreign and not text:
            log.info("the other installation of PromSNMP is gone from Redis")
        self.foreign = text

    def warn_of_namesake(self, other: Member | None) -> None:
        """Logs once that another replica has this one's name."""
        if other is not None and other.instance != self._warned_of:
            self._warned_of = other.instance
            text = "another replica has this one's name, give each its own POD_NAME: %s at %s"
            log.error(text, other.name, other.address)


def log_change(before: Iterable[Member], after: Iterable[Member]) -> None:
    """One line with who joined, who left, and who is there now."""
    old, new = _by_name(before), _by_name(after)
    joined = [f"{name} ({new[name].address})" for name in new if old.get(name) != new[name]]
    departed = [name for name in old if name not in new]
    changes = [f"{', '.join(joined)} joined" if joined else "", f"{', '.join(departed)} left" if departed else ""]
    log.info("replicas: %s; now %s", ", ".join(filter(None, changes)), ", ".join(new) or "none")


def _by_name(members: Iterable[Member]) -> Mapping[str, Member]:
    return {one.name: one for one in members}
