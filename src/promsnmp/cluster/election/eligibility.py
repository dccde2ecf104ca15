"""Decides whether this replica may be elected, and whether another one would lead better.

A replica may not be elected while another one has a later inventory. When the inventory file was deleted, or replaced
by an older one, a replica that starts knows less than the others have in memory, and as the leader it would overwrite
their inventory. So it waits until it knows their revisions.

A replica that cannot write the volume, or that no other one trusts (it has another CLUSTER_KEY, say), can lead, but is
of little use. It leaves the lease to others, and as the leader it steps down. If nobody is better, everything stays as
it is: replicas tell each other whether they are fit to lead, a leader steps down only when another one has said so
after the leader's own trouble began, and what lasts only a moment counts for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.members import Members

MAJORITY = 2
"""So many replicas that refuse this one, and say nothing else, are taken for fit: the fault is here."""


@dataclass(frozen=True, slots=True)
class _Report:
    """What another replica said last, and when."""

    revision: int | None = None
    is_fit: bool | None = None
    """Whether it is fit to lead; None when it has not said so."""
    said_at: float = -math.inf


class Eligibility:
    """``revision`` returns this replica's revision, ``members_known`` whether the other members are known, ``problem``
    why this replica would lead badly (empty when it would not), and ``refused_by`` how many replicas refuse it.

    After the start, it waits for the others for at most ``member_timeout`` seconds. A problem counts after ``patience``
    seconds: by then, every other replica must have noticed a fault that all of them share.
    """

    def __init__(
        self,
        members: Members,
        *,
        revision: Callable[[], int],
        members_known: Callable[[], bool],
        problem: Callable[[], str] = lambda: "",
        refused_by: Callable[[], int] = lambda: 0,
        patience: float = 10.0,
        clock: Callable[[], float] = lease_clock,
    ) -> None:
        self.problem = problem
        self._members = members
        self._revision = revision
        self._members_known = members_known
        self._refused_by = refused_by
        self._patience = patience
        self._clock = clock
        self._waits_until = clock() + members.member_timeout
        self._reports: dict[str, _Report] = {}
        """By instance."""
        self._problem_since: float | None = None
        self._was_fit = False
        """Whether this leader was fit at some time since its election."""

    def note_revision(self, instance: str, revision: int) -> None:
        """Another replica has said which revision it has."""
        self._note(instance, revision=revision)

    def note_fitness(self, instance: str, is_fit: bool, age: float = 0.0) -> None:
        """Another replica has said ``age`` seconds ago whether it is fit to lead."""
        said_at = self._clock() - age
        if said_at >= self._reports.get(instance, _Report()).said_at:
            self._note(instance, is_fit=is_fit, said_at=said_at)

    def _note(
        self, instance: str, *, revision: int | None = None, is_fit: bool | None = None, said_at: float = -math.inf
    ) -> None:
        there = {one.instance for one in self._members.others} | {instance}
        self._reports = {one: known for one, known in self._reports.items() if one in there}
        old = self._reports.get(instance, _Report())
        self._reports[instance] = _Report(
            old.revision if revision is None else revision,
            old.is_fit if is_fit is None else is_fit,
            old.said_at if is_fit is None else said_at,
        )

    def __call__(self) -> bool:
        """Whether this replica may be elected."""
        unknown = _Report()
        revisions = [self._reports.get(one.instance, unknown).revision for one in self._members.others]
        if self._clock() < self._waits_until and (None in revisions or not self._members_known()):
            return False
        return max((one for one in revisions if one is not None), default=0) <= self._revision()

    def hesitates(self) -> bool:
        """Whether this replica leaves the lease to others, because it would lead badly."""
        return bool(self.problem())

    def reason_to_step_down(self, is_elected: bool) -> str:
        """Why this leader should step down for another replica; empty when it should not. Call it again and again."""
        problem = self.problem() if is_elected else ""
        if not problem:
            self._problem_since, self._was_fit = None, is_elected
            return ""
        if self._problem_since is None:
            self._problem_since = self._clock()
        since = self._problem_since + self._patience
        return problem if self._clock() >= since and self._another_is_better(since) else ""

    def _another_is_better(self, since: float) -> bool:
        """Whether another replica has said since then that it is fit, or must be thought so."""
        others = {one.instance for one in self._members.others}
        said = [report.is_fit for one, report in self._reports.items() if one in others and report.said_at >= since]
        if said:
            return True in said
        return self._was_fit and self._refused_by() >= MAJORITY
