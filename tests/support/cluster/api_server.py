"""A small Kubernetes API server: the Lease endpoints, with faults.

It behaves like the real API where an election depends on it: each write gets a new resourceVersion (unless it changes
nothing), and it refuses a write with an old one (409), a second creation (409), an unknown or old token (401), and an
invalid Lease (422).
"""

from __future__ import annotations

import copy
import json
import re
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.service.certificates import Authority

PATH = re.compile(r"/apis/coordination\.k8s\.io/v1/namespaces/([^/?]+)/leases(?:/([^/?]+))?")
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
VERBS = {"POST": "create", "GET": "get", "PUT": "update"}

Document = dict[str, Any]


@dataclass
class Faults:
    """Faults of the server; may be changed at any time."""

    hang: bool = False
    status: int = 0
    """Answer every request with this status."""
    conflicts: int = 0
    """Refuse this many of the next writes with 409, as if another client had written first."""
    drop: str = ""
    """``before`` or ``after``: close the connection instead of answering, before or after the request was handled."""
    nonsense: bool = False
    """Answer with something that is not a Lease."""
    delay: float = 0.0


@dataclass
class Refusal(Exception):
    status: int
    reason: str
    message: str


@dataclass
class Store:
    """The Leases, by namespace and name."""

    leases: dict[tuple[str, str], Document] = field(default_factory=dict)
    version: int = 1000

    def get(self, namespace: str, name: str) -> Document:
        lease = self.leases.get((namespace, name))
        if lease is None:
            raise Refusal(404, "NotFound", f'leases.coordination.k8s.io "{name}" not found')
        return copy.deepcopy(lease)

    def create(self, namespace: str, lease: Document) -> Document:
        name = lease["metadata"]["name"]
        if lease["metadata"].get("resourceVersion"):
            raise Refusal(400, "BadRequest", "resourceVersion should not be set on objects to be created")
        if (namespace, name) in self.leases:
            raise Refusal(409, "AlreadyExists", f'leases.coordination.k8s.io "{name}" already exists')
        lease["metadata"] |= {"uid": secrets.token_hex(8), "creationTimestamp": "2026-01-01T00:00:00Z"}
        return self._put(namespace, name, lease)

    def update(self, namespace: str, name: str, lease: Document) -> Document:
        old = self.get(namespace, name)
        version = lease["metadata"].get("resourceVersion")
        if not version:
            raise Refusal(422, "Invalid", "metadata.resourceVersion: must be specified for an update")
        if version != old["metadata"]["resourceVersion"]:
            message = "the object has been modified; please apply your changes to the latest version and try again"
            raise Refusal(409, "Conflict", f'Operation cannot be fulfilled on leases "{name}": {message}')
        return old if lease == old else self._put(namespace, name, lease)

    def _put(self, namespace: str, name: str, lease: Document) -> Document:
        _validate(lease, namespace, name)
        self.version += 1
        lease["metadata"]["resourceVersion"] = str(self.version)
        self.leases[namespace, name] = copy.deepcopy(lease)
        return lease


def _validate(lease: Document, namespace: str, name: str) -> None:
    spec, metadata = lease.get("spec", {}), lease["metadata"]
    times = [spec.get(key, "2026-01-01T00:00:00.000000Z") for key in ("acquireTime", "renewTime")]
    is_valid = (
        lease.get("apiVersion") == "coordination.k8s.io/v1"
        and lease.get("kind") == "Lease"
        and (metadata.get("name"), metadata.get("namespace")) == (name, namespace)
        and all(isinstance(value, str) for value in metadata.get("annotations", {}).values())
        and isinstance(spec.get("holderIdentity", ""), str)
        and isinstance(spec.get("leaseDurationSeconds", 1), int)
        and spec.get("leaseDurationSeconds", 1) > 0
        and isinstance(spec.get("leaseTransitions", 0), int)
        and spec.get("leaseTransitions", 0) >= 0
        and all(MICRO_TIME.fullmatch(text) for text in times)
    )
    if not is_valid:
        raise Refusal(422, "Invalid", f"not a valid Lease: {json.dumps(lease)}")


class ApiServer:
    """The server on a port of loopback, in a thread.

    With ``account`` (a folder) it uses TLS, and writes a pod's service account there.
    """

    def __init__(self, account: Path | None = None, *, namespace: str = "site") -> None:
        self.faults = Faults()
        self.store = Store()
        self.token = "first-token"
        self.verbs: list[str] = []
        """The verbs of the requests, as RBAC names them."""
        self.forbidden: set[str] = set()
        self.namespace = namespace
        self.account = account
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.port = self._server.server_address[1]
        if account is not None:
            authority = Authority("cluster")
            authority.server().write(account, "server")
            (account / "ca.crt").write_bytes(authority.cert)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(account / "server.crt", account / "server.key")
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            (account / "namespace").write_text(namespace)
            (account / "token").write_text(self.token)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def lease(self, name: str = "promsnmp-leader") -> Document:
        with self.lock:
            return self.store.get(self.namespace, name)

    @contextmanager
    def failing(self, **faults: Any) -> Iterator[None]:
        """Sets these ``Faults`` while the block runs."""
        self.faults = Faults(**faults)
        try:
            yield
        finally:
            self.faults = Faults()

    def rotate(self, token: str) -> None:
        """Makes ``token`` the only valid one, and writes it to the pod's file (by a rename, as the kubelet does)."""
        self.token = token
        if self.account is not None:
            fresh = self.account / "token.new"
            fresh.write_text(token)
            fresh.rename(self.account / "token")

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, bytes]:
        """Returns status and body for a request."""
        try:
            with self.lock:
                status, document = self._answer(method, path, authorization, body)
        except Refusal as refusal:
            status = refusal.status
            document = {"kind": "Status", "status": "Failure", "reason": refusal.reason, "message": refusal.message}
        return status, b"<html>a proxy</html>" if self.faults.nonsense else json.dumps(document).encode()

    def _answer(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, Document]:
        match, verb = PATH.fullmatch(path), VERBS.get(method, method.lower())
        self.verbs.append(verb)
        self._refuse(verb, authorization)
        if match is None or match[1] != self.namespace:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        match verb:
            case "get" if match[2]:
                return 200, self.store.get(match[1], match[2])
            case "create" if not match[2]:
                return 201, self.store.create(match[1], json.loads(body))
            case "update" if match[2]:
                return 200, self.store.update(match[1], match[2], json.loads(body))
        raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _refuse(self, verb: str, authorization: str) -> None:
        if self.account is not None and authorization != f"Bearer {self.token}":
            raise Refusal(401, "Unauthorized", "Unauthorized")
        if self.faults.status:
            raise Refusal(self.faults.status, "InternalError", "etcdserver: request timed out")
        if verb in self.forbidden:
            raise Refusal(403, "Forbidden", f'cannot {verb} resource "leases"')
        if verb in ("create", "update") and self.faults.conflicts:
            self.faults.conflicts -= 1
            raise Refusal(409, "Conflict", "the object has been modified")

    def close(self) -> None:
        self.faults = Faults()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores clients that close the connection: tests do that."""


def _handler(server: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            while server.faults.hang:
                time.sleep(0.01)
            time.sleep(server.faults.delay)
            if server.faults.drop == "before":
                self.close_connection = True
                return
            status, text = server.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            if server.faults.drop == "after":
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815  # the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Writes no log."""

    return Handler
