"""Proxies of the environment: which servers they are for, plain requests, tunnels for TLS, and what goes wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from promsnmp.errors import PeerError
from promsnmp.support.http_client import CertificateNotTrusted, HttpClient
from promsnmp.support.proxy.http_proxy import HttpProxy, proxy_for
from tests.support.service.certificates import Authority

SECRET = "geheim"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_environment_names_the_proxy_and_what_it_is_not_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for("https", "loki", 443) is None
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@proxy.example:8080")
    monkeypatch.setenv("NO_PROXY", "localhost,.inside.example,10.0.0.1")
    found = proxy_for("https", "loki.example", 443)
    assert found is not None
    assert (found.address, found.authorization[:6]) == ("proxy.example:8080", b"Basic ")
    assert SECRET not in repr(found)
    assert proxy_for("http", "loki.example", 80) is None
    for host in ("localhost", "loki.inside.example", "10.0.0.1"):
        assert proxy_for("https", host, 443) is None
    monkeypatch.setenv("ALL_PROXY", "[2001:db8::1]")
    other = proxy_for("http", "loki.example", 80)
    assert (other and other.address, other and other.authorization) == ("[2001:db8::1]:3128", b"")


@pytest.mark.parametrize("url", [f"socks5://{SECRET}:1", f"http://{SECRET}:port", "http://"])
def test_a_wrong_proxy_is_named_by_its_variable_only(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", url)
    with pytest.raises(ValueError, match="HTTP_PROXY") as error:
        proxy_for("http", "loki", 80)
    assert SECRET not in str(error.value)


@asynccontextmanager
async def server(answer: bytes, seen: list[bytes], tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Answers each head with ``answer``; one of CONNECT becomes a tunnel to where it says."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        writer.write(answer)
        if head.startswith(b"CONNECT") and b" 200" in answer:
            port = int(head.split()[1].rpartition(b":")[2])
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)
        writer.close()

    made = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield made.sockets[0].getsockname()[1]
    finally:
        made.close()


OK = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


async def test_a_plain_request_goes_to_the_proxy_in_absolute_form() -> None:
    seen: list[bytes] = []
    async with server(OK, seen) as port:
        client = HttpClient("loki.example:80", proxy=HttpProxy("127.0.0.1", port, b"Basic eA=="))
        assert (await client.request("POST", b"/push", body=b"x", timeout=5)).status == 204
        client.close()
    assert seen[0].startswith(b"POST http://loki.example:80/push HTTP/1.1\r\nhost: loki.example:80\r\n")
    assert b"proxy-authorization: Basic eA==" in seen[0]


async def test_tls_goes_through_a_tunnel_and_the_certificate_is_that_of_the_server(tmp_path: Path) -> None:
    authority = Authority()
    authority.server().write(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    of_server, of_proxy = list[bytes](), list[bytes]()
    async with server(OK, of_server, context) as far, server(b"HTTP/1.1 200 Fine\r\nx: y\r\n\r\n", of_proxy) as port:
        proxy = HttpProxy("127.0.0.1", port)
        trusting = HttpClient(f"localhost:{far}", tls=authority.context(), proxy=proxy)
        assert (await trusting.request("POST", b"/x", timeout=5)).status == 204
        trusting.close()
        with pytest.raises(CertificateNotTrusted):
            await HttpClient(f"localhost:{far}", tls=ssl.create_default_context(), proxy=proxy).request(
                "POST", b"/x", timeout=5
            )
    assert of_server[0].startswith(b"POST /x HTTP/1.1")
    assert of_proxy[0].startswith(b"CONNECT localhost:%d HTTP/1.1" % far)
    assert b"authorization" not in of_proxy[0]


@pytest.mark.parametrize(
    ("answer", "word"),
    [(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407"), (b"SSH-2.0\r\n\r\n", "HTTP proxy"),
     (b"", "HTTP proxy"), (b"HTTP/1.1 200 " + b"x" * 20_000, "HTTP proxy")],
)  # fmt: skip
async def test_a_proxy_that_refuses_is_named(answer: bytes, word: str) -> None:
    async with server(answer, []) as port:
        client = HttpClient(
            "loki.example:443", tls=ssl.create_default_context(), proxy=HttpProxy("127.0.0.1", port), connect_timeout=5
        )
        with pytest.raises(PeerError, match=word) as error:
            await client.request("POST", b"/x", timeout=5)
    assert f"127.0.0.1:{port}" in str(error.value)
