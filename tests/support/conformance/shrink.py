"""Shrinks a case that differs, so that the cause is easy to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.support.exposition.reference import Case

_NEEDED = ("oid", "type", "name", "help")


def shrunk(case: Case, differs: Callable[[Case], bool]) -> Case:
    """The case without every part that it need not have to differ; parts are removed one at a time."""
    while (smaller := next(filter(differs, _smaller(case)), None)) is not None:
        case = smaller
    return case


def _smaller(case: Case) -> Iterator[Case]:
    for at in range(len(case.metrics)):
        if len(case.metrics) > 1:
            yield replace(case, metrics=[*case.metrics[:at], *case.metrics[at + 1 :]])
    yield from (replace(case, objects=objects) for objects in _fewer(case.objects))
    for key in case.module:
        yield replace(case, module={name: value for name, value in case.module.items() if name != key})
    for at, metric in enumerate(case.metrics):
        for less in _less(metric):
            yield replace(case, metrics=[*case.metrics[:at], less, *case.metrics[at + 1 :]])
    if case.version != 2:
        yield replace(case, version=2)


def _fewer(objects: Mapping[str, bytes]) -> Iterator[Mapping[str, bytes]]:
    """The objects without one half, one quarter, or one object."""
    names = list(objects)
    for step in sorted({len(names) // 2, len(names) // 4, 1} - {0}, reverse=True):
        for at in range(0, len(names), step):
            remaining = {*names[:at], *names[at + step :]}
            if remaining:
                yield {name: value for name, value in objects.items() if name in remaining}


def _less(metric: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The metric without one of its keys, indexes or lookups."""
    for key, value in metric.items():
        if key not in _NEEDED:
            yield {name: other for name, other in metric.items() if name != key}
        if isinstance(value, list):
            for at in range(len(value)):
                yield {**metric, key: [*value[:at], *value[at + 1 :]]}
