"""Runs ``promsnmp serve`` for the demo in a process of its own, and calls it over HTTP like any client."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import http.client
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from promsnmp.errors import PromSnmpError
from promsnmp.http.server.listen import listen
from promsnmp.inventory.document.read import from_document
from promsnmp.inventory.storage.encrypted_file import EncryptedFile
from promsnmp.inventory.storage.key import InventoryKey
from promsnmp.observe.tasks import shielded
from promsnmp.settings import load_settings
from promsnmp.settings.reading.config_file import use_config

ADDRESS = "127.0.0.1"
DEFAULTS = {
    "SERVER_ADDRESS": ADDRESS,
    "COLLECTION_INTERVAL": "10000",
    "SNMP_ALLOW_ADHOC_TARGETS": "true",
    "LOG_LEVEL": "warning",
}
"""Settings of the demo that the environment does not set."""
LAST_LINES = 5
"""Lines of the log that are shown when the service stops unexpectedly."""
GRACE = 10.0
"""Seconds that the service has to stop."""
REPORT_INTERVAL = 2.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class DemoResponse:
    """An HTTP response."""

    status: int
    text: str


def choose_port(port: int | None) -> int:
    """The port to listen on: ``port``, else SERVER_PORT, else 8080; 0 becomes a free one.

    Raises PromSnmpError (SettingsError for a wrong SERVER_PORT) when the port is not available.
    """
    overrides = {} if port is None else {"server_port": port}
    with use_config(Path(os.devnull)):
        settings = load_settings(**overrides)
    sockets = listen(settings.server_address or ADDRESS, settings.server_port)
    chosen = int(sockets[0].getsockname()[1])
    for opened in sockets:
        opened.close()
    return chosen


class DemoService:
    """``async with`` runs the service with an inventory ``document`` in ``folder``, and stops it."""

    def __init__(self, folder: Path, port: int, document: Mapping[str, object]) -> None:
        self.port = port
        self._folder = folder
        self._document = document
        self._log = folder / "promsnmp.log"
        self._process: asyncio.subprocess.Process | None = None
        self._host = os.environ.get("SERVER_ADDRESS") or ADDRESS
        if self._host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not listened on
            self._host = "localhost"

    @property
    def url(self) -> str:
        return f"http://[{self._host}]:{self.port}" if ":" in self._host else f"http://{self._host}:{self.port}"

    async def __aenter__(self) -> Self:
        key = secrets.token_hex(16)
        path = self._folder / "inventory.json"
        # no store: the audit log should have no entries
        encrypted_file = EncryptedFile(path, InventoryKey(key.encode()))
        await _uninterrupted(asyncio.to_thread(encrypted_file.write, from_document(self._document)))
        own = {
            "PROM_INV_FILE": str(path),
            "PROM_ENCRYPT_KEY": key,
            "SERVER_PORT": str(self.port),
            "PROMSNMP_CONFIG": os.devnull,  # nothing of a service that is installed here
            "WEB_CONFIG_FILE": "",  # the demo shows its pages without a login
            "API_PROTECT_SCRAPES": "",
        }
        given = {name: value for name, value in os.environ.items() if value or name not in DEFAULTS}
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "promsnmp",
                "serve",
                env={**DEFAULTS, **given, **own},
                stdin=asyncio.subprocess.DEVNULL,
                stderr=None if os.environ.get("LOG_LEVEL") else log,  # who sets LOG_LEVEL wants to see the log
                start_new_session=True,  # Ctrl-C is for us alone; we end it in order
                preexec_fn=_end_with_parent,  # one call, no locks
            )
        return self

    def last_lines(self) -> str:
        """The end of the service's log; empty when it went to the terminal."""
        with contextlib.suppress(OSError):
            return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:])
        return ""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), GRACE)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def wait(self) -> int:
        """Waits until the service ends, and returns its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def wait_for_pages(self, names: Sequence[str], max_seconds: float, report: Callable[[str], object]) -> None:
        """Waits until each device has a page; ``report`` gets the progress when that takes longer than a second.

        Raises PromSnmpError when the service ends before that, or after ``max_seconds``.
        """
        started = time.monotonic()
        reported_at = started + 1.0 - REPORT_INTERVAL
        missing, reason = list(names), ""
        while missing:
            assert self._process is not None
            if self._process.returncode is not None:
                raise PromSnmpError(
                    f"the service stopped before it served a page; set LOG_LEVEL=debug to see why\n{self.last_lines()}"
                )
            reply = await self.get(f"/snmp?target={missing[0]}")
            if reply.status == 200:
                missing.pop(0)
                continue
            reason = reply.text.strip().split("\n")[0]
            now = time.monotonic()
            if now - started > max_seconds:
                raise PromSnmpError(f"no page of {missing[0]} within {max_seconds:g} s: {reason}")
            if now - reported_at > REPORT_INTERVAL:
                reported_at = now
                report(f"  {len(names) - len(missing)} of {len(names)} pages after {now - started:.0f} s ...")
            await asyncio.sleep(0.05)

    async def get(self, path: str) -> DemoResponse:
        """The response to a GET; status 599 when the service does not respond."""
        return await asyncio.to_thread(self._get, path)

    def _get(self, path: str) -> DemoResponse:
        connection = http.client.HTTPConnection(self._host, self.port, timeout=GRACE)
        try:
            connection.request("GET", path, headers={"Accept": "text/plain, */*;q=0.5"})
            answer = connection.getresponse()
            return DemoResponse(answer.status, answer.read().decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            return DemoResponse(599, str(error))
        finally:
            connection.close()


async def _uninterrupted(work: Coroutine[object, object, object]) -> None:
    """Runs ``work`` to its end even when cancelled: a write must not go on in a folder that is being removed."""
    task = asyncio.ensure_future(work)
    try:
        await shielded(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _end_with_parent() -> None:
    """Has Linux end the service when this process is killed and cannot do it (prctl(2), PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
