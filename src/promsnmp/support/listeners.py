"""Subscribe and notify: a failing listener is logged and does not keep the others from being called.

The inventory, the election and the members all have listeners, and none of them may fail because of one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, ParamSpec

log = logging.getLogger(__name__)

P = ParamSpec("P")


class Listeners(Generic[P]):
    """Callables that want to know of ``event``, which the log names when one of them fails."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._listeners: list[Callable[P, object]] = []

    def subscribe(self, listener: Callable[P, object]) -> None:
        """Adds a listener; it is called at each ``notify``, in the order of subscription."""
        self._listeners.append(listener)

    def notify(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Calls every listener. Raises nothing."""
        for listener in tuple(self._listeners):
            try:
                listener(*args, **kwargs)
            except Exception:  # the other listeners must be called, too
                log.exception("a listener failed: %s", self._event)
