"""Members of a cluster, and a clock set by hand."""

from __future__ import annotations

from promsnmp.cluster.members.members import Member

PATIENCE = 10.0


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def member(name: str, *, instance: str = "", started: float = 1.0) -> Member:
    return Member(name, instance or f"instance of {name}", f"{name}:8080", started)
