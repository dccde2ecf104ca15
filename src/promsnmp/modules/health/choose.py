"""Chooses the health definitions that suit a device, by its sysObjectID and by what answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from promsnmp.modules.health.model import Definition


def candidates(definitions: Iterable[Definition], sys_object_id: str) -> list[Definition]:
    """The definitions that may suit a device: those without ``devices``, and those that name its sysObjectID."""
    return [one for one in definitions if not one.devices or matching_devices(one, sys_object_id)]


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

    def length(one: Definition) -> int:
        return max(map(len, matching_devices(one, sys_object_id)), default=0)

    return sorted(suitable, key=lambda one: (-length(one), bool(one.fallback), one.name))


def matching_devices(definition: Definition, sys_object_id: str) -> list[str]:
    """Those of the ``devices`` of a definition that a sysObjectID is at or below."""
    return [one for one in definition.devices if f"{sys_object_id}.".startswith(f"{one}.")]
