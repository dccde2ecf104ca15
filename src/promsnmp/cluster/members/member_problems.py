"""Remembers and logs what is wrong with the members: sources that fail, replicas that refuse this one, a shared name.

The rounds of gossip repeat every few seconds; the log gets one line when a problem begins, and one when it ends.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Mapping

from promsnmp.cluster.members.members import Member

log = logging.getLogger(__name__)

MAX_REASON = 300
"""Characters of another replica's reason that are kept."""


class MemberProblems:
    """The problems at this moment, for the health; changes go to the log."""

    def __init__(self) -> None:
        self.of_sources: dict[str, str] = {}
        """Sources of members (``redis``, ``dns``) that fail, and why."""
        self.of_records: dict[str, str] = {}
        """Records that no replica of this cluster has written, by where they are, and why they are not believed."""
        self.refusals: dict[str, str] = {}
        """Addresses without a replica that this one can trust, and why: it has another key, or is another program."""
        self._warned_of = ""

    def all(self) -> dict[str, str]:
        """Every problem, by source or address."""
        return {**self.of_sources, **self.of_records, **self.refusals}

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
        if reason:
            self.refusals[address] = reason[:MAX_REASON]

    def forget_refusals_except(self, addresses: Container[str]) -> None:
        """Forgets refusals of replicas that are gone."""
        self.refusals = {one: reason for one, reason in self.refusals.items() if one in addresses}

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
