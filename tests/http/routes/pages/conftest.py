"""The application in this process, for tests of the pages."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from promsnmp import app
from promsnmp.settings import load_settings

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Opens a client of the application with some settings, from a caller of another machine."""
    sockets: list[socket.socket] = []
    monkeypatch.setattr(app, "listen_all", lambda *_: sockets)

    @asynccontextmanager
    async def client(
        host: str = "promsnmp", address: str = "192.0.2.9", **settings: object
    ) -> AsyncIterator[httpx.AsyncClient]:
        built = app.build(load_settings(prom_inv_file=tmp_path / "inventory.json", **settings))
        transport = httpx.ASGITransport(built.asgi_app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=BROWSER) as made:
            yield made

    return client
