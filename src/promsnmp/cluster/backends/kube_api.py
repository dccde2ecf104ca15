"""The Kubernetes API as a pod reaches it: address, certificate and token ("Accessing the Kubernetes API from a Pod").

Three calls on one resource do not need a library. The token is read anew for each call, since the kubelet replaces it
before it runs out; the certificate, whenever its file changes.
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
"""Seconds that the API has for an answer."""
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet puts token, ca.crt and namespace."""


@dataclass(frozen=True, slots=True)
class KubeApiAddress:
    """``host:port`` of the API, and the folder of the service account; without TLS it is ``kubectl proxy``'s."""

    host_and_port: str
    account: Path = ACCOUNT
    tls: bool = True

    def namespace(self) -> str:
        """The namespace of the service account; ``default`` where there is no such file."""
        try:
            return (self.account / "namespace").read_text().strip() or "default"
        except OSError:
            return "default"


class KubeApi:
    """Calls the API of a place. Raises CoordinatorError for whatever is no answer to the question."""

    def __init__(self, address: KubeApiAddress, *, timeout: float = TIMEOUT) -> None:
        self._address = address
        self._timeout = timeout
        self._client: HttpClient | None = None
        self._authority = b""

    async def call(self, method: str, path: str, document: object = None) -> tuple[int, Mapping[str, Any]]:
        """Status and document of the answer: any status from 200 to 299, 404 and 409; others are errors."""
        status, answer = await self._ask(method, path, document)
        if status == 401:  # the token was replaced just now
            status, answer = await self._ask(method, path, document)
        if 200 <= status < 300 or status in (404, 409):
            return status, answer
        advice = "; may the service account do that? (docs/high-availability.md)" if status in (401, 403) else ""
        raise CoordinatorError(f"the Kubernetes API answered {status}: {_message(answer)}{advice}")

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
        except ValueError:
            document = {"message": "the answer is not JSON"}
        return answer.status, document if isinstance(document, dict) else {}

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _client_for(self, authority: bytes) -> HttpClient:
        """Connections to a server whose certificate was signed by ``authority`` (PEM; empty: without TLS)."""
        if self._client is None or authority != self._authority:
            try:
                tls = ssl.create_default_context(cadata=authority.decode("ascii")) if authority else None
            except (ssl.SSLError, UnicodeError, ValueError) as error:
                raise CoordinatorError(f"the service account's ca.crt cannot be used: {error}") from None
            self.close()
            self._client, self._authority = HttpClient(self._address.host_and_port, tls=tls), authority
        return self._client


def _read_account(folder: Path) -> tuple[bytes, bytes]:
    """Certificate and token of a service account, as they are now."""
    try:
        return (folder / "ca.crt").read_bytes(), (folder / "token").read_bytes().strip()
    except OSError as error:
        raise CoordinatorError(f"the service account cannot be read: {error.strerror}: {error.filename}") from None


def _message(answer: Mapping[str, Any]) -> str:
    """The text of a Status (Kubernetes API conventions, "Response Status Kind")."""
    return " ".join(str(answer.get("message") or answer.get("reason") or "no reason given").split())[:200]
