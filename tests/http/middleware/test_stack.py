"""The order of the middleware, by its effect on a request."""

from __future__ import annotations

from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.election.backend_none import AlwaysLeader
from promsnmp.cluster.peers.challenge import ProvenPeer
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.replays import ReplayGuard
from promsnmp.cluster.peers.signing import (
    ANSWER_HEADER,
    SIGNATURE_HEADER,
    RequestSigner,
    RequestVerifier,
    body_digest,
)
from promsnmp.http.middleware.access import AccessMiddleware
from promsnmp.http.middleware.leader_proxy import LeaderProxy
from promsnmp.http.middleware.page_errors import PageErrorsMiddleware
from promsnmp.http.middleware.page_forms import PageFormsMiddleware
from promsnmp.http.middleware.peer_auth import PeerAuthenticator, PeerAuthMiddleware
from promsnmp.http.middleware.rate_limit import RateLimitMiddleware
from promsnmp.http.middleware.request_metrics import RequestMetricsMiddleware
from promsnmp.http.middleware.response_headers import ResponseHeadersMiddleware
from promsnmp.http.middleware.stack import MiddlewareStack
from promsnmp.http.responses.sending import send_text
from promsnmp.http.route_policy import AccessLevel, PlainRoute, RoutePolicy, RouteTable
from promsnmp.http.security.auth import PRINCIPAL, AccessControl, TokenAuthenticator
from promsnmp.http.security.sessions import Sessions
from promsnmp.http.security.web_config_watcher import WebConfigWatcher
from promsnmp.observe.counts import RequestCounts

WEB = """http_server_config:
  headers:
    X-Frame-Options: deny
rate_limit:
  interval: 1h
  burst: 1
"""


async def shows_caller(scope: Scope, receive: Receive, send: Send) -> None:
    await send_text(send, 200, scope[PRINCIPAL])


async def shows_headers(scope: Scope, receive: Receive, send: Send) -> None:
    await send_text(send, 200, b",".join(name for name, _ in scope["headers"]).decode())


class Passing:
    """Stands for the owner proxy, which needs a whole cluster."""

    def wrap(self, app: ASGIApp) -> ASGIApp:
        return app


KEY, REPLAYS = ClusterKey("a key of the tests of middleware, 32+"), ReplayGuard()
SIGNER = RequestSigner(KEY, "b", "process of b")
ME = ProvenPeer("a", "process of a", "192.0.2.1:8080", REPLAYS.epoch)
TABLE = RouteTable(
    [],
    [
        PlainRoute("/manage", shows_caller, RoutePolicy(), frozenset({"POST"})),
        PlainRoute("/headers", shows_headers, RoutePolicy(), frozenset({"POST"})),
        PlainRoute("/probe", shows_caller, RoutePolicy(access=AccessLevel.HEALTH)),
    ],
)


def stack(web: WebConfigWatcher, counts: RequestCounts) -> MiddlewareStack:
    access = AccessControl([PeerAuthenticator(), TokenAuthenticator("token")])
    return MiddlewareStack(
        request_metrics=RequestMetricsMiddleware(counts),
        response_headers=ResponseHeadersMiddleware(web),
        peer_auth=PeerAuthMiddleware(RequestVerifier(KEY, ME.instance, REPLAYS)),
        rate_limit=RateLimitMiddleware(web),
        access=AccessMiddleware(access),
        page_errors=PageErrorsMiddleware(None, lambda: False),
        page_forms=PageFormsMiddleware(Sessions(KEY.derive, lambda _: None, lifetime=60)),
        leader_proxy=LeaderProxy(AlwaysLeader("a", ""), None),  # type: ignore[arg-type]  # one replica forwards nothing
        owner_proxy=Passing(),  # type: ignore[arg-type]
    )


class Service:
    """A service with a token, a response header and a rate limit of one request."""

    def __init__(self, folder: Path) -> None:
        (folder / "web.yml").write_text(WEB)
        self.counts = RequestCounts()
        middleware = stack(WebConfigWatcher(folder / "web.yml"), self.counts)
        self._app = middleware.around(TABLE.dispatch(shows_caller), TABLE)

    async def send(
        self, method: str, path: str, *headers: tuple[bytes, bytes]
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body of a request from another machine."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        client = ("192.0.2.9", 1)
        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "client": client}
        await self._app({**scope, "headers": list(headers)}, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def test_a_refusal_has_the_configured_headers_and_is_counted(tmp_path: Path) -> None:
    service = Service(tmp_path)
    status, headers, _ = await service.send("POST", "/manage")
    assert (status, headers[b"x-frame-options"]) == (401, b"deny")
    assert list(service.counts.totals) == [("POST", "/manage", 401)]


async def test_the_rate_limit_comes_before_passwords_and_spares_health(tmp_path: Path) -> None:
    service = Service(tmp_path)
    statuses = [(await service.send("POST", "/manage", (b"authorization", b"Bearer x")))[0] for _ in range(2)]
    assert statuses == [401, 429]
    assert (await service.send("GET", "/probe"))[0] == 200


async def test_a_signature_of_a_replica_is_verified_before_access_and_counts_as_credentials(tmp_path: Path) -> None:
    signature, mac = SIGNER.sign(ME, "POST", b"/manage", user="token@192.0.2.7")
    status, headers, body = await Service(tmp_path).send("POST", "/manage", signature)
    assert (status, body) == (200, b"token\n")
    covered = dict(SIGNER.verify_answer(mac, status, list(headers.items()), body_digest(body)))
    assert set(headers) - set(covered) == {b"content-length", b"x-frame-options", ANSWER_HEADER}
    status, headers, _ = await Service(tmp_path).send("POST", "/manage", (SIGNATURE_HEADER, b"1 forged"))
    assert (status, headers[b"x-promsnmp-refused"]) == (403, b"signature")


async def test_the_handler_of_a_signed_request_sees_only_what_is_signed(tmp_path: Path) -> None:
    signature, _ = SIGNER.sign(ME, "POST", b"/headers", [(b"accept", b"*/*")], user="token@192.0.2.7")
    added = ((b"authorization", b"Bearer x"), (b"x-forwarded-for", b"192.0.2.1"), (b"accept", b"*/*"))
    _, _, body = await Service(tmp_path).send("POST", "/headers", *added, signature)
    assert body == b"accept\n"


async def test_a_body_that_was_changed_is_refused_before_the_handler_reads_it(tmp_path: Path) -> None:
    signature, _ = SIGNER.sign(ME, "POST", b"/manage", digest=body_digest(b"another body"))
    status, _, body = await Service(tmp_path).send("POST", "/manage", signature)
    assert (status, body) == (403, b"the body does not match its signature\n")
