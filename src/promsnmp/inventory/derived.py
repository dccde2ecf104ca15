"""Values derived from the whole inventory, kept up to date: the text of ``/targets``, the poller's list of targets.

Computing them takes too long for the event loop, so a thread does it before the new inventory is in use; putting them
into use is quick and happens together with the inventory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from promsnmp.inventory.index import Snapshot

log = logging.getLogger(__name__)

T = TypeVar("T")
DerivedValues = tuple[Callable[[], None], ...]
"""What puts each computed value into use."""


class Derivations:
    """Pairs of functions: one computes a value from a snapshot, the other puts it into use.

    When one of them fails, the failure is logged and the others still run.
    """

    def __init__(self) -> None:
        self._derivations: list[Callable[[Snapshot], Callable[[], None]]] = []

    def add(self, make: Callable[[Snapshot], T], use: Callable[[T], None], now: Snapshot) -> None:
        """Adds a pair, and calls both for the inventory in use."""
        self._derivations.append(lambda snapshot: _bind(use, make(snapshot)))
        use(make(now))

    def compute(self, now: Snapshot) -> DerivedValues:
        """Computes all values; call it in a thread."""
        values = []
        for derivation in self._derivations:
            try:
                values.append(derivation(now))
            except Exception:  # the change has been made, and the other values are needed
                log.exception("cannot compute a value derived from the inventory")
        return tuple(values)


def use_derived(values: DerivedValues) -> None:
    """Puts computed values into use."""
    for use in values:
        try:
            use()
        except Exception:  # as above
            log.exception("cannot use a value derived from the inventory")


def _bind(use: Callable[[T], None], value: T) -> Callable[[], None]:
    return lambda: use(value)
