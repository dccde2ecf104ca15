"""A UDP socket on the event loop: opens it, reads datagrams as they arrive, closes it."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self


class Listener(ABC):
    """Reads one UDP socket of the running loop; ``async with`` starts and closes it."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @abstractmethod
    async def start(self) -> Self:
        """Listens on the default address. Raises OSError."""

    @abstractmethod
    def _readable(self, opened: socket.socket) -> None:
        """Handles the datagrams that have arrived."""

    def _listen(self, family: socket.AddressFamily, address: str, port: int, *options: tuple[int, int, int]) -> None:
        """Opens the socket with ``options`` (level, name, value). Raises OSError."""
        opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            for option in options:
                opened.setsockopt(*option)
            opened.bind((address, port))
        except BaseException:  # raised again
            opened.close()
            raise
        self._socket = opened
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(opened.fileno(), self._readable, opened)

    @property
    def local(self) -> tuple[Any, ...]:
        """The socket's address as from ``getsockname``: address, port and, for IPv6, two more fields."""
        if self._socket is None:
            raise RuntimeError("the listener is not started; call start() first")
        name: tuple[Any, ...] = self._socket.getsockname()
        return name

    def close(self) -> None:
        """Stops listening; the port then refuses. It may be started again."""
        if self._socket is not None and self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
        self._socket = None

    async def __aenter__(self) -> Self:
        return self if self._socket is not None else await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
