"""Explains how a device was polled: repetitions, varbinds, encoding and the like, and where each value comes from.

The device in the inventory comes first, then its modules, then settings and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from promsnmp.inventory.document.parsing import duration_text
from promsnmp.modules.model import Module
from promsnmp.polling.explain.model import PollValue
from promsnmp.polling.target import Target
from promsnmp.snmp.operations.get import MAX_GET_OIDS

DEVICE = "the device in the inventory"
DEFAULT = "default"


def poll_values(target: Target, modules: Sequence[Module], *, batch_size: int, interval: int | None) -> list[PollValue]:
    """The values of a poll of ``target`` for ``modules`` as the catalogue has them.

    ``batch_size`` is that of the plan; ``interval`` is COLLECTION_INTERVAL, None when it does not matter.
    """
    return [
        *_interval(target, interval),
        *_max_repetitions(target, modules),
        _max_varbinds(target, batch_size),
        _text_encoding(target),
        _unconnected(target, modules),
    ]


def _interval(target: Target, setting: int | None) -> Iterator[PollValue]:
    own = target.overrides.interval
    if setting == 0:
        yield PollValue("interval", "none: each scrape polls", "COLLECTION_INTERVAL")
    elif own:
        yield PollValue("interval", duration_text(own), DEVICE)
    elif setting is not None:
        yield PollValue("interval", duration_text(setting), "COLLECTION_INTERVAL")


def _max_repetitions(target: Target, modules: Sequence[Module]) -> Iterator[PollValue]:
    if own := target.overrides.max_repetitions:
        yield PollValue("maxRepetitions", str(own), DEVICE)
        return
    names: dict[int, list[str]] = {}
    for module in modules:
        names.setdefault(module.max_repetitions, []).append(module.name)
    for number, of_number in names.items():
        yield PollValue("maxRepetitions", str(number), _modules(of_number))


def _max_varbinds(target: Target, batch_size: int) -> PollValue:
    is_own = bool(target.overrides.max_varbinds)
    number = str(min(batch_size, MAX_GET_OIDS))
    return PollValue("maxVarbinds", number, DEVICE if is_own else "the smallest maxRepetitions")


def _text_encoding(target: Target) -> PollValue:
    own = target.overrides.text_encoding
    return PollValue("textEncoding", own or "utf-8", DEVICE if own else DEFAULT)


def _unconnected(target: Target, modules: Sequence[Module]) -> PollValue:
    if (own := target.overrides.unconnected) is not None:
        return PollValue("unconnected", "true" if own else "false", DEVICE)
    names = [module.name for module in modules if module.use_unconnected_udp_socket]
    return PollValue("unconnected", "true" if names else "false", _modules(names) if names else DEFAULT)


def _modules(names: Sequence[str]) -> str:
    return f"{'module' if len(names) == 1 else 'modules'} {', '.join(names)}"
