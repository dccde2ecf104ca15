"""The commands' HTTP client, against the real service and against servers that misbehave."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError

import pytest

from promsnmp.cli.client import ServiceClient, _reason
from promsnmp.errors import ServiceError
from tests.support.service.certificates import Authority
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import free_tcp_port

CA = Authority()
Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture(scope="module")
def promsnmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("client"), env={"COLLECTION_INTERVAL": "0"}) as server:
        yield server


@pytest.fixture
def odd() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that answers every request by ``answer``; returns its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            do_GET = do_POST = answer  # noqa: N815  # the library's names

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def replies(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers.get("content-length") or 0))
        handler.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_documents_are_sent_and_received(promsnmp: ServiceProcess) -> None:
    service = ServiceClient(promsnmp.url)
    document = {"devices": [{"sysName": "über", "labels": {"region": "eu"}}]}
    assert service.call("POST", "/promsnmp/inventory", document=document).status == 200
    reply = service.get("/promsnmp/inventory")
    assert reply.json()["devices"][0]["sysName"] == "über"
    assert reply.headers["content-type"] == "application/json"
    service.call("POST", "/promsnmp/inventory", document={"devices": []})


def test_an_error_has_the_message_and_every_problem_of_the_service(promsnmp: ServiceProcess) -> None:
    with pytest.raises(ServiceError) as caught:
        ServiceClient(promsnmp.url).call("POST", "/promsnmp/inventory", document={"devices": [{"agents": [{}]}]})
    assert caught.value.status == 400
    assert str(caught.value).startswith(f"{promsnmp.url}: ")
    assert caught.value.problems
    assert all(problem in str(caught.value) for problem in caught.value.problems)


def test_paths_and_queries_are_quoted(odd: Callable[[Answer], str]) -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        replies(200, b"{}")(handler)

    ServiceClient(odd(answer)).get("/promsnmp/devices/a b?ü", query="label.x=1&y", page=2)
    assert asked == ["/promsnmp/devices/a%20b%3F%C3%BC?query=label.x%3D1%26y&page=2"]


def test_a_refused_connection_is_one_clear_line() -> None:
    url = f"http://127.0.0.1:{free_tcp_port()}"
    with pytest.raises(ServiceError, match=f"{url}: connection refused; .*promsnmp serve.*PROMSNMP_URL"):
        ServiceClient(url).get("/targets")


def test_an_unresolvable_name_is_reported() -> None:
    with pytest.raises(ServiceError, match="cannot resolve"):
        ServiceClient("http://no.such.host.invalid").get("/targets")


@pytest.mark.parametrize("signed", [True, False])
def test_missing_or_wrong_credentials_name_the_options(odd: Callable[[Answer], str], signed: bool) -> None:
    url = odd(replies(401, b'{"error": "who?", "status": 401, "path": "/"}'))
    with pytest.raises(ServiceError, match=r"who.*API_TOKEN.*--token-file.*--login") as caught:
        ServiceClient(url, authorization="Bearer hush" if signed else "").get("/")
    assert caught.value.status == 401
    assert "hush" not in str(caught.value)


def test_credentials_do_not_follow_a_redirect(odd: Callable[[Answer], str]) -> None:
    asked: list[object] = []
    elsewhere = odd(asked.append)
    url = odd(replies(307, location=f"{elsewhere}/take"))
    with pytest.raises(ServiceError, match=r"redirected to .*/take; .*--url"):
        ServiceClient(url, authorization="Bearer hush").get("/")
    assert asked == []


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [(502, b"<html>\nBad gateway", "<html>"), (500, b"", "Internal Server Error"), (400, b'["odd"]', "odd")],
)
def test_errors_of_a_proxy_are_reported(odd: Callable[[Answer], str], status: int, body: bytes, message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        ServiceClient(odd(replies(status, body))).get("/")


def test_a_response_that_is_not_json_is_an_error(odd: Callable[[Answer], str]) -> None:
    with pytest.raises(ServiceError, match="not JSON"):
        ServiceClient(odd(replies(200, b"<html>"))).get("/").json()


def test_a_response_that_is_not_http_is_an_error(odd: Callable[[Answer], str]) -> None:
    url = odd(lambda handler: handler.wfile.write(b"\x15\x03\x01 what?\r\n"))  # type: ignore[arg-type]  # what it returns is not used
    with pytest.raises(ServiceError, match="not HTTP"):
        ServiceClient(url).get("/")


def test_a_service_that_does_not_answer_times_out(odd: Callable[[Answer], str]) -> None:
    gate = threading.Event()
    url = odd(lambda _: gate.wait(10))  # type: ignore[arg-type]  # what it returns is not used
    with pytest.raises(ServiceError, match="no answer in time"):
        ServiceClient(url, timeout=0.1).get("/")
    gate.set()


def test_https_to_an_http_port_is_an_error(promsnmp: ServiceProcess) -> None:
    with pytest.raises(ServiceError, match="TLS handshake failed"):
        ServiceClient(promsnmp.url.replace("http:", "https:")).get("/")


# What the system reports first, when a server wants a certificate that the client does not have, is a matter of time.


class Demanding:
    """A TLS server for one connection, which has to show a certificate; it ends the connection at a chosen moment."""

    def __init__(self, folder: Path, version: ssl.TLSVersion, *, resets: bool) -> None:
        CA.server().write(folder, "server")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self._context.load_verify_locations(cadata=CA.cert.decode())
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.maximum_version = version
        self._resets = resets
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        self.may_end, self.ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(received, sent, server_side=True)
        connection, _ = self._listening.accept()
        with connection:
            while True:
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    connection.sendall(sent.read())
                    received.write(connection.recv(65536))
                except ssl.SSLError:
                    break
            self.may_end.wait(10)
            connection.sendall(sent.read())  # the alert
            if self._resets:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.ended.set()

    def close(self) -> None:
        self.may_end.set()
        self._listening.close()
        self._thread.join(10)


@pytest.fixture(params=["it resets", "it closes"])
def demanding(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[ssl.TLSVersion], Demanding]]:
    started: list[Demanding] = []

    def start(version: ssl.TLSVersion) -> Demanding:
        started.append(Demanding(tmp_path, version, resets=request.param == "it resets"))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("first", ["the end of the connection", "the request"])
def test_a_missing_client_certificate_is_reported_whatever_comes_first(
    demanding: Callable[[ssl.TLSVersion], Demanding], first: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = demanding(ssl.TLSVersion.TLSv1_3)
    connect, getresponse = http.client.HTTPSConnection.connect, http.client.HTTPSConnection.getresponse

    def then_wait(connection: http.client.HTTPSConnection) -> None:
        connect(connection)
        if first != "the request":
            server.may_end.set()
            assert server.ended.wait(10)

    def when_sent(connection: http.client.HTTPSConnection) -> http.client.HTTPResponse:
        server.may_end.set()
        return getresponse(connection)

    monkeypatch.setattr(http.client.HTTPSConnection, "connect", then_wait)
    monkeypatch.setattr(http.client.HTTPSConnection, "getresponse", when_sent)
    size = 1 if first == "the request" else 1000  # 1 MB: written in several parts
    document = {"devices": [{"sysName": "x" * 1000}] * size} if method == "POST" else None
    with pytest.raises(ServiceError, match=r"client certificate.*--cert-file"):
        ServiceClient(server.url, tls=CA.context()).call(method, "/", document=document)


def test_a_missing_client_certificate_is_reported_during_the_handshake_too(
    demanding: Callable[[ssl.TLSVersion], Demanding],
) -> None:
    server = demanding(ssl.TLSVersion.TLSv1_2)
    server.may_end.set()
    with pytest.raises(ServiceError, match=r"client certificate.*--cert-file"):
        ServiceClient(server.url, tls=CA.context()).get("/")


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(32, "Broken pipe"),
        ConnectionResetError(104, "Connection reset by peer"),
        ConnectionAbortedError(103, "Software caused connection abort"),
        http.client.RemoteDisconnected("Remote end closed connection without response"),
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
        ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed (EOF)"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_that_is_closed_names_the_likely_cause_and_the_option(error: OSError) -> None:
    assert re.search("closed.*client certificate.*--cert-file", _reason(URLError(error), "https://host"))
    assert re.search("closed.*is the URL https", _reason(error, "http://host"))


def test_requests_to_loopback_use_no_proxy(promsnmp: ServiceProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_tcp_port()}")
    assert ServiceClient(promsnmp.url).get("/-/healthy").status == 200
