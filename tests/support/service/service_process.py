"""The real service in a process of its own, for tests over HTTP."""

from __future__ import annotations

import itertools
import re
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tests.support.tools import NO_AUTHORITIES, PROJECT, Process

NUMBERS = itertools.count()
LISTENS = re.compile(r' listens on (https?://[^\s,"]+)')


class ServiceProcess(Process):
    """``python -m promsnmp serve`` on a free port of loopback, ready; its files are in ``folder``."""

    def __init__(
        self,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        verify: ssl.SSLContext | bool = NO_AUTHORITIES,
    ) -> None:
        self.folder = folder
        super().__init__(
            [*prefix, sys.executable, "-m", "promsnmp", "serve"],
            log=folder / f"promsnmp-{next(NUMBERS)}.log",
            ready=self._listens,
            deadline=60,
            env={**environment(folder), **(env or {})},
            preload=True,
        )
        self.client = httpx.Client(base_url=self.url, timeout=10, verify=verify)

    def _listens(self) -> bool:
        return LISTENS.search(self.output()) is not None

    def stop(self, grace: float = 10.0) -> int:
        """Stops the process, and closes the client's connections."""
        if hasattr(self, "client"):
            self.client.close()
        return super().stop(grace)

    @property
    def url(self) -> str:
        """The URL at which it listens, from its log."""
        match = LISTENS.search(self.output())
        assert match is not None
        return match[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def environment(folder: Path) -> dict[str, str]:
    """Settings of a service on a free port of loopback with its inventory in ``folder``."""
    return {
        "PYTHONPATH": f"{PROJECT / 'src'}",
        "SERVER_ADDRESS": "127.0.0.1",
        "SERVER_PORT": "0",
        "PROM_INV_FILE": str(folder / "inventory.json"),
    }
