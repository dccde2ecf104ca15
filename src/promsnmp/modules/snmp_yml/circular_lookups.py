"""Finds lookups of a metric that need each other's labels, so that none of them can ever be made."""

from __future__ import annotations

from collections.abc import Mapping

from promsnmp.modules.model import Metric


def circular_lookups(metric: Metric) -> tuple[str, ...]:
    """The labels of the first circle of lookups that need each other, sorted; empty without a circle."""
    indexes = {one.labelname for one in metric.indexes}
    needs = {one.labelname: set[str]() for one in metric.lookups}
    for one in metric.lookups:
        needs[one.labelname].update(label for label in one.labels if label in needs and label not in indexes)
    made: set[str] = set(indexes)
    for one in metric.lookups:
        for label in one.labels:
            if label not in made and label in needs and one.labelname in _needed(label, needs):
                return tuple(sorted(name for name in _needed(label, needs) if label in _needed(name, needs)))
        made.add(one.labelname)
    return ()


def _needed(label: str, needs: Mapping[str, set[str]]) -> set[str]:
    """A label and all labels that it needs, directly or indirectly."""
    found = {label}
    waiting = [label]
    while waiting:
        new = needs[waiting.pop()] - found
        found |= new
        waiting += new
    return found
