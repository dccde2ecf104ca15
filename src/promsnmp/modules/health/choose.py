"""Chooses the health definitions that suit a device, by its sysObjectID and by what answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from promsnmp.modules.health.model import Definition


def candidates(definitions: Iterable[Definition], sys_object_id: str) -> list[Definition]:
    """The definitions that may suit a device: those without ``devices``, and those that name its sysObjectID."""
    return [one for one in definitions if not one.devices or _is_below(sys_object_id, one.devices)]


def choose(definitions: Iterable[Definition], sys_object_id: str, answering: Collection[str]) -> list[Definition]:
    """The definitions that suit a device; ``answering`` are those of their ``answers`` where it has something.

    Those that name its sysObjectID come first, the longest prefix of it before others: their readings and their
    information count where others have the same.
    """
    suitable = [
        one
        for one in candidates(definitions, sys_object_id)
        if not one.answers or any(oid in answering for oid in one.answers)
    ]
    return sorted(suitable, key=lambda one: (-_longest_prefix(sys_object_id, one), bool(one.fallback), one.name))


def _is_below(oid: str, prefixes: Iterable[str]) -> bool:
    return any(f"{oid}.".startswith(f"{prefix}.") for prefix in prefixes)


def _longest_prefix(oid: str, definition: Definition) -> int:
    return max((len(one) for one in definition.devices if _is_below(oid, (one,))), default=0)
