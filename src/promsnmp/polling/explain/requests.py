"""Explains what a poll asked for: every walk and every object, what it cost, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator

from promsnmp.errors import SnmpError
from promsnmp.polling.explain.model import (
    GetExplanation,
    WalkExplanation,
)
from promsnmp.polling.explain.reasons import PollEvidence, WalkEnd, WalkEvidence
from promsnmp.polling.explain.recorder import PollRecording, WalkTrace
from promsnmp.polling.poll import PollResult
from promsnmp.snmp import oid
from promsnmp.snmp.operations.base import Cost
from promsnmp.snmp.operations.walk import Subtree


def error_text(error: SnmpError | None) -> str:
    """An error without its target, which heads the whole explanation."""
    if error is None:
        return ""
    return f"{error.message} (at OID {error.oid})" if error.oid else error.message


class PollRequests:
    """What a poll asked for, and how each part of it ended."""

    def __init__(self, result: PollResult, recording: PollRecording) -> None:
        plan, traffic = result.plan, recording.traffic
        self._plan = plan
        self._result = result
        self._recording = recording
        self._gets = dict.fromkeys(plan.gets, "not asked")
        self._gets |= recording.gets
        self._gets |= {one: error_text(result.failures[one]) for one in self._gets if one in result.failures}
        filters = {one.root for one in plan.filters}
        self._trees = (*plan.filters, *(one for one in plan.subtrees if one.root not in filters))
        varbinds = sum(map(self.was_asked, recording.varbinds))
        self.total = Cost(result.seconds, traffic.sent, traffic.retried, varbinds)
        self.walks = tuple(self._walk(one) for one in self._trees)
        pairs = zip(self._trees, self.walks, strict=True)
        self.evidence = PollEvidence(
            tuple(
                WalkEvidence(tree.root, one.end, self._trace(tree).last, one.error, tree.ordered) for tree, one in pairs
            ),
            self._gets,
            error_text(result.error),
        )
        self.gets = tuple(self._fetched())

    def was_asked(self, name: bytes) -> bool:
        """Whether the poll asked for this OID: a GETBULK also returns a few beyond."""
        return name in self._gets or any(name.startswith(tree.root) for tree in self._trees)

    def _trace(self, tree: Subtree) -> WalkTrace:
        return self._recording.walks.get(tree.root) or WalkTrace()

    def _walk(self, tree: Subtree) -> WalkExplanation:
        trace = self._trace(tree)
        failure = self._result.failures.get(tree.root)
        end, error = WalkEnd.WHOLE, ""
        if tree.root not in self._result.finished and (failure or tree.root not in self._result.costs):
            end = WalkEnd.PARTIAL if trace.last else WalkEnd.FAILED if trace.sent or failure else WalkEnd.NOT_ASKED
            error = error_text(failure or self._result.error)
        return WalkExplanation(
            oid.to_text(tree.root) or "1",
            tuple(self._walkers(tree.root)),
            self._result.costs.get(tree.root) or self._interrupted(tree, trace),
            end,
            error,
            oid.to_text(trace.last),
        )

    def _walkers(self, root: bytes) -> Iterator[str]:
        for one in self._plan.modules:
            if root in one.roots:
                yield one.module.name
            if any(oid.encode(each.oid) == root for each in one.module.filters):
                yield f"{one.module.name} (filter)"

    def _interrupted(self, tree: Subtree, trace: WalkTrace) -> Cost:
        """The cost of the walk that the end of the session interrupted: the total less that of the others."""
        if not trace.sent:
            return Cost()
        others = sum(self._result.costs.values(), self._result.gets_cost)
        varbinds = sum(name.startswith(tree.root) for name in self._recording.varbinds)
        return Cost(
            max(self.total.seconds - others.seconds, 0.0),
            max(self.total.sent - others.sent, trace.sent),
            max(self.total.retried - others.retried, 0),
            varbinds,
        )

    def _fetched(self) -> Iterator[GetExplanation]:
        gets: dict[bytes, None] = dict.fromkeys(get for one in self._plan.modules for get in one.gets)
        for name in (*gets, *(one for one in self._gets if one not in gets)):
            modules = tuple(one.module.name for one in self._plan.modules if name in one.gets)
            walk = next((one for one in self._trees if name.startswith(one.root)), None)
            if name in self._gets:
                yield GetExplanation(oid.to_text(name), modules, self._gets[name] or "value")
            elif walk is not None:
                yield GetExplanation(oid.to_text(name), modules, f"read by the walk of {oid.to_text(walk.root) or '1'}")
