"""A group of threads that run until they are closed, for scrapes and for writers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class ThreadGroup:
    """``count`` threads that each run ``work`` with their number; closing waits ``patience`` seconds for each.

    ``work`` must return soon after ``ended`` is set.
    """

    def __init__(self, work: Callable[[int], object], *, count: int, patience: float) -> None:
        self.ended = threading.Event()
        self._patience = patience
        self._threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stops the threads, and waits until they have finished."""
        self.ended.set()
        for thread in self._threads:
            thread.join(self._patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
