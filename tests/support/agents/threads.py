"""Agents on an event loop in a thread, for tests that block while a program runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Startable(Protocol):
    async def start(self, address: str = ..., port: int = ...) -> object: ...
    def close(self) -> None: ...


@contextmanager
def running(*agents: Startable, address: str = "127.0.0.1") -> Iterator[asyncio.AbstractEventLoop]:
    """Runs the agents on free ports of ``address`` while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="agents", daemon=True)
    thread.start()

    async def begin() -> None:
        for agent in agents:
            await agent.start(address, 0)

    async def end() -> None:
        for agent in agents:
            agent.close()

    try:
        asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
