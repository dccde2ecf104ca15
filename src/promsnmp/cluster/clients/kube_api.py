"""Client of the Kubernetes API inside a pod: address, certificate and token ("Accessing the Kubernetes API from a
Pod").

Three calls on one resource do not need a library. The token and the certificate are read again for each call, since the
kubelet replaces the token before it expires.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promsnmp.errors import CoordinatorError, PeerError
from promsnmp.support.http_client import HttpClient

TIMEOUT = 4.0
"""Seconds to wait for an answer of the API."""
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet puts token, ca.crt and namespace."""


@dataclass(frozen=True, slots=True)
class KubeApiAddress:
    """``host:port`` of the API, and the folder of the service account; no TLS for ``kubectl proxy``."""

    host_and_port: str
    account: Path = ACCOUNT
    tls: bool = True

    def namespace(self) -> str:
        """The namespace of the service account; ``default`` when the file is missing."""
        try:
            return (self.account / "namespace").read_text().strip() or "default"
        except OSError:
            return "default"


class KubeApi:
    """Calls the API at an address. Raises CoordinatorError when there is no usable answer."""

    def __init__(self, address: KubeApiAddress, *, timeout: float = TIMEOUT) -> None:
        self._address = address
        self._timeout = timeout
        self._client: HttpClient | None = None
        self._authority = b""

    async def call(self, method: str, path: str, document: object = None) -> tuple[int, Mapping[str, Any]]:
        """Status and document of an answer with status 200 to 299, 404 or 409; any other status is an error."""
        status, answer = await self._ask(method, path, document)
        if status == 401:  # the kubelet has just replaced the token
            status, answer = await self._ask(method, path, document)
        if 200 <= status < 300 or status in (404, 409):
            return status, answer
        advice = "; check the rights of the service account (docs/high-availability.md)" if status in (401, 403) else ""
        raise CoordinatorError(f"the Kubernetes API answered with status {status}: {_message(answer)}{advice}")

    async def _ask(self, method: str, path: str, document: object) -> tuple[int, Mapping[str, Any]]:
        headers = [(b"accept", b"application/json"), (b"content-type", b"application/json")]
        authority, token = (
            await asyncio.to_thread(_read_account, self._address.account) if self._address.tls else (b"", b"")
        )
        if token:
            headers.append((b"authorization", b"Bearer " + token))
        body = b"" if document is None else json.dumps(document).encode()
        to = self._client_for(authority)
        try:
            answer = await to.request(
                method, path.encode(), headers, body, timeout=self._timeout, fresh=method != "GET"
            )
        except PeerError as error:
            raise CoordinatorError(f"the Kubernetes API: {error}") from None
        try:
            document = json.loads(answer.body or b"{}")
        except (ValueError, RecursionError):
            document = {"message": "the answer is not JSON, or nested too deep"}
        return answer.status, document if isinstance(document, dict) else {}

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _client_for(self, authority: bytes) -> HttpClient:
        """The client for a server with a certificate signed by ``authority`` (PEM; empty: no TLS)."""
        if self._client is None or authority != self._authority:
            try:
                tls = ssl.create_default_context(cadata=authority.decode("ascii")) if authority else None
            except (ssl.SSLError, UnicodeError, ValueError) as error:
                raise CoordinatorError(f"cannot use the service account's ca.crt: {error}") from None
            self.close()
            self._client, self._authority = HttpClient(self._address.host_and_port, tls=tls), authority
        return self._client


def _read_account(folder: Path) -> tuple[bytes, bytes]:
    """Certificate and token of a service account, as they are now."""
    try:
        return (folder / "ca.crt").read_bytes(), (folder / "token").read_bytes().strip()
    except OSError as error:
        raise CoordinatorError(f"cannot read the service account: {error.strerror}: {error.filename}") from None


def _message(answer: Mapping[str, Any]) -> str:
    """The text of a Status (Kubernetes API conventions, "Response Status Kind")."""
    return " ".join(str(answer.get("message") or answer.get("reason") or "no reason given").split())[:200]
