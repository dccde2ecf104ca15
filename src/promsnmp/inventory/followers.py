"""Who follows the inventory: listeners that are told of it, and what is made of it before it is seen."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Inventory

log = logging.getLogger(__name__)

T = TypeVar("T")
Listener = Callable[[Inventory], None]
DerivedValues = tuple[Callable[[], None], ...]
"""Puts into use what was made of an inventory."""


class Followers:
    """Listeners, and pairs of what makes something of an inventory and what uses it.

    A failure of one is logged, and does not concern the others.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._derivations: list[Callable[[Snapshot], Callable[[], None]]] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; the result takes it out again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def derive(self, make: Callable[[Snapshot], T], use: Callable[[T], None], now: Snapshot) -> None:
        """Adds a pair, and calls both for the inventory in use."""
        self._derivations.append(lambda snapshot: _ready(use, make(snapshot)))
        use(make(now))

    def compute(self, now: Snapshot) -> DerivedValues:
        """Makes everything. For a thread."""
        values = []
        for derivation in self._derivations:
            try:
                values.append(derivation(now))
            except Exception:
                log.exception("something that is derived of the inventory could not be made")
        return tuple(values)

    def notify(self, inventory: Inventory, derived: DerivedValues) -> None:
        """Puts what was made into use, then calls the listeners."""
        for use in derived:
            _call_safely(use)
        for listener in tuple(self._listeners):
            _call_safely(listener, inventory)


def _ready(use: Callable[[T], None], value: T) -> Callable[[], None]:
    return lambda: use(value)


def _call_safely(listener: Callable[..., None], *arguments: object) -> None:
    try:
        listener(*arguments)
    except Exception:
        log.exception("a listener of the inventory failed")
