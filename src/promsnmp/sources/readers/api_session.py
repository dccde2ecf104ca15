"""A session of requests with the bounds that its users (pynetbox, pynautobot) do not have.

Bytes and time of everything that is read are bounded, redirects are not followed, and only the base URL is asked: a
token must not go elsewhere, whatever a server calls its next page.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from promsnmp.errors import SourceError

CHUNK = 64 * 1024


class Budget:
    """What is left of bytes and seconds; ``timeout`` is that of one step."""

    def __init__(self, octets: int, seconds: float, timeout: float) -> None:
        self.timeout = timeout
        self._octets, self._most = octets, octets
        self._end, self._seconds = time.monotonic() + seconds, seconds

    def spend(self, octets: int) -> None:
        """Raises SourceError when too much has been read."""
        self._octets -= octets
        if self._octets < 0:
            raise SourceError(f"the answers have more than {self._most} bytes (max_bytes)")
        if time.monotonic() > self._end:
            raise SourceError(f"not read within {self._seconds:g} s")


class _CountedBody:
    """The body of an answer, whose bytes are counted; everything else is the original's."""

    def __init__(self, raw: Any, budget: Budget) -> None:
        self._raw, self._budget = raw, budget

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, amt: int = CHUNK, decode_content: bool | None = None) -> Iterator[bytes]:
        """As urllib3's; each piece is what has arrived, so that a slow server cannot hold the loop."""
        while piece := self._raw.read1(amt, decode_content=decode_content):
            self._budget.spend(len(piece))
            yield piece


class _BoundedAdapter(HTTPAdapter):
    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        self._budget.spend(0)
        return super().send(request, *args, **options | {"timeout": self._budget.timeout})

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        response.raw = _CountedBody(resp, self._budget)
        return response


def bounded_session(url: str, budget: Budget, *, ca_file: Path | None) -> requests.Session:
    """A session that reaches nothing but ``url``. Raises SourceError."""
    if ca_file is not None and not ca_file.is_file():
        raise SourceError(f"cannot read the certificates in {ca_file}")
    session = requests.Session()
    session.trust_env = False  # neither ~/.netrc nor proxies, as for all other requests of the service
    session.verify = str(ca_file) if ca_file is not None else _system_certificates()
    session.max_redirects = 0
    parts = urlsplit(url)
    session.adapters.clear()
    session.mount(f"{parts.scheme}://{parts.netloc}/", _BoundedAdapter(budget))
    return session


def _system_certificates() -> str | bool:
    """Those that the rest of the service trusts; requests would bring its own."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True
