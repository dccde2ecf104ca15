"""The commands' client, against the real service, and against servers that do what it never does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from promsnmp.cli.client import ServiceClient
from promsnmp.errors import ServiceError
from tests.support.service_process import ServiceProcess
from tests.support.tools import free_tcp_port

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


def test_documents_go_there_and_come_back(promsnmp: ServiceProcess) -> None:
    service = ServiceClient(promsnmp.url)
    document = {"devices": [{"sysName": "über", "labels": {"region": "eu"}}]}
    assert service.call("POST", "/promsnmp/inventory", document=document).status == 200
    reply = service.get("/promsnmp/inventory")
    assert reply.json()["devices"][0]["sysName"] == "über"
    assert reply.headers["content-type"] == "application/json"
    service.call("POST", "/promsnmp/inventory", document={"devices": []})


def test_a_refusal_is_told_in_the_service_s_words_with_every_problem(promsnmp: ServiceProcess) -> None:
    with pytest.raises(ServiceError) as caught:
        ServiceClient(promsnmp.url).call("POST", "/promsnmp/inventory", document={"devices": [{"agents": [{}]}]})
    assert caught.value.status == 400
    assert str(caught.value).startswith(f"{promsnmp.url}: the inventory is not changed")
    assert caught.value.problems
    assert all(problem in str(caught.value) for problem in caught.value.problems)


def test_paths_and_queries_are_quoted(odd: Callable[[Answer], str]) -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        replies(200, b"{}")(handler)

    ServiceClient(odd(answer)).get("/promsnmp/devices/a b?ü", query="label.x=1&y", page=2)
    assert asked == ["/promsnmp/devices/a%20b%3F%C3%BC?query=label.x%3D1%26y&page=2"]


def test_nothing_that_listens_is_one_clear_line() -> None:
    url = f"http://127.0.0.1:{free_tcp_port()}"
    with pytest.raises(ServiceError, match=f"{url}: nothing listens there; is promsnmp serve running"):
        ServiceClient(url).get("/targets")


def test_a_name_that_does_not_resolve_says_so() -> None:
    with pytest.raises(ServiceError, match="does not resolve"):
        ServiceClient("http://no.such.host.invalid").get("/targets")


@pytest.mark.parametrize("signed", [True, False])
def test_where_credentials_are_missing_or_wrong_it_says_how_to_give_them(
    odd: Callable[[Answer], str], signed: bool
) -> None:
    url = odd(replies(401, b'{"error": "who?", "status": 401, "path": "/"}'))
    with pytest.raises(ServiceError, match=r"who.*API_TOKEN.*--token-file.*--login") as caught:
        ServiceClient(url, authorization="Bearer hush" if signed else "").get("/")
    assert caught.value.status == 401
    assert "hush" not in str(caught.value)


def test_credentials_do_not_follow_a_redirect(odd: Callable[[Answer], str]) -> None:
    asked: list[object] = []
    elsewhere = odd(asked.append)
    url = odd(replies(307, location=f"{elsewhere}/take"))
    with pytest.raises(ServiceError, match=r"redirect to .*/take"):
        ServiceClient(url, authorization="Bearer hush").get("/")
    assert asked == []


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [(502, b"<html>\nBad gateway", "<html>"), (500, b"", "Internal Server Error"), (400, b'["odd"]', "odd")],
)
def test_errors_of_something_in_between_are_told_too(
    odd: Callable[[Answer], str], status: int, body: bytes, told: str
) -> None:
    with pytest.raises(ServiceError, match=told):
        ServiceClient(odd(replies(status, body))).get("/")


def test_an_answer_that_is_not_json_is_no_promsnmp(odd: Callable[[Answer], str]) -> None:
    with pytest.raises(ServiceError, match="is that a PromSNMP"):
        ServiceClient(odd(replies(200, b"<html>"))).get("/").json()


def test_an_answer_that_is_not_http_is_told(odd: Callable[[Answer], str]) -> None:
    url = odd(lambda handler: handler.wfile.write(b"\x15\x03\x01 what?\r\n"))  # type: ignore[arg-type]  # what it returns is not used
    with pytest.raises(ServiceError, match="not HTTP"):
        ServiceClient(url).get("/")


def test_a_service_that_does_not_answer_is_given_up(odd: Callable[[Answer], str]) -> None:
    gate = threading.Event()
    url = odd(lambda _: gate.wait(10))  # type: ignore[arg-type]  # what it returns is not used
    with pytest.raises(ServiceError, match="no answer in time"):
        ServiceClient(url, timeout=0.1).get("/")
    gate.set()


def test_http_where_https_is_asked_for_is_told(promsnmp: ServiceProcess) -> None:
    with pytest.raises(ServiceError, match="no TLS connection"):
        ServiceClient(promsnmp.url.replace("http:", "https:")).get("/")


def test_a_proxy_is_not_asked_for_this_machine(promsnmp: ServiceProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_tcp_port()}")
    assert ServiceClient(promsnmp.url).get("/-/healthy").status == 200
