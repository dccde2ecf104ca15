"""Applies to a poll what the inventory says of its device: the device's values come before those of the modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from promsnmp.exposition.plan import Plan, make_plan, with_text_encoding
from promsnmp.inventory.model import NO_OVERRIDES, PollOverrides
from promsnmp.modules.model import Module
from promsnmp.polling.target import Target


def overrides_of_plan(overrides: PollOverrides) -> PollOverrides:
    """Those that plans depend on: devices that differ in others share theirs."""
    return overrides if overrides is NO_OVERRIDES else replace(overrides, interval=0, unconnected=None)


def seconds_between_polls(overrides: PollOverrides, interval: float) -> float:
    """The device's own interval, or else that of the settings (``interval``, seconds)."""
    return overrides.interval / 1000 or interval


def aged_by_sleep(targets: Iterable[Target], seconds: float, *, interval: float) -> Iterator[Target]:
    """Those whose page became much older than their interval while this process slept for ``seconds``.

    ``interval`` as for ``seconds_between_polls``.
    """
    return (one for one in targets if seconds > seconds_between_polls(one.overrides, interval) / 2)


def plan_with(modules: Sequence[Module], overrides: PollOverrides, more: Iterable[str] = ()) -> Plan:
    """The plan of some modules for a device with these overrides; ``more`` as for ``make_plan``."""
    if overrides.max_repetitions:
        modules = [replace(module, max_repetitions=overrides.max_repetitions) for module in modules]
    plan = make_plan(modules, more)
    if overrides.max_varbinds:
        plan = replace(plan, max_varbinds=overrides.max_varbinds)
    return with_text_encoding(plan, overrides.text_encoding) if overrides.text_encoding else plan


def is_unconnected(modules: Sequence[Module], target: Target) -> bool:
    """Whether answers are accepted from another address than was asked."""
    if target.overrides.unconnected is not None:
        return target.overrides.unconnected
    return target.unconnected or any(module.use_unconnected_udp_socket for module in modules)
