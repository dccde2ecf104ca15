"""Requests from this machine, and requests that only look like it."""

from __future__ import annotations

import socket

import pytest

from promsnmp.http.security.origin import Hosts, cross_site_origin, headers_of, is_local


def scope(client: str | None, **headers: str) -> dict[str, object]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "client": (client, 40000) if client else None, "headers": pairs}


def local(client: str | None, **headers: str) -> bool:
    asked = scope(client, **headers)
    return is_local(asked, headers_of(asked))


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_this_machine(client: str) -> None:
    assert local(client, host="localhost:8080")


@pytest.mark.parametrize(
    "client", ["192.0.2.1", "10.0.0.1", "172.17.0.1", "::ffff:192.0.2.1", "fe80::1", "", "unix", None]
)
def test_other_addresses_are_not_this_machine(client: str | None) -> None:
    assert not local(client, host="localhost:8080")


@pytest.mark.parametrize(
    "header",
    [
        "forwarded",
        "via",
        "x_forwarded_for",
        "x_forwarded_proto",
        "x_real_ip",
        "x_envoy_peer_metadata",
        "X_Forwarded_Host",
        "CF_Connecting_IP",
        "true_client_ip",
        "x_original_host",
        "tailscale_user_login",
    ],
)
def test_a_request_through_a_proxy_is_not_from_this_machine(header: str) -> None:
    assert not local("127.0.0.1", host="localhost", **{header: "127.0.0.1"})


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "LOCALHOST",
        "127.0.0.1:8080",
        "[::1]:8080",
        "192.0.2.1",
        "promsnmp",
        "a.localhost:1",
        "localhost.",
        "",
        socket.gethostname(),
    ],
)
def test_names_that_no_web_page_can_have_are_ours(host: str) -> None:
    assert local("127.0.0.1", host=host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "evil.example.com:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[::1",
        "a.b:99999",
        "1.2.3",
    ],
)
def test_a_name_that_may_resolve_to_loopback_for_a_web_page_is_not_ours(host: str) -> None:
    assert not local("127.0.0.1", host=host)


@pytest.mark.parametrize(
    "host", ["promsnmp.promsnmp.svc:8080", "a.svc.cluster.local", "a.corp.internal", "x.localhost"]
)
def test_names_below_domains_that_nobody_can_register_are_ours(host: str) -> None:
    assert Hosts().includes(host)


@pytest.mark.parametrize("host", ["svc.example.com", "svc", "internal.evil.example", "evil.local", "asvc.example"])
def test_names_that_only_resemble_them_are_not(host: str) -> None:
    assert Hosts().includes(host) is ("." not in host)


def test_more_names_may_be_allowed() -> None:
    hosts = Hosts(["promsnmp.example.com", "Other.Example.com."])
    for host in ("promsnmp.example.com", "PROMSNMP.example.com.:8080", "other.example.com"):
        assert hosts.includes(host)
    assert not hosts.includes("evil.promsnmp.example.com")
    assert Hosts(["*"]).includes("evil.example.com")


def page(**headers: str) -> str | None:
    return cross_site_origin(headers_of(scope("127.0.0.1", **headers)))


def test_programs_send_no_origin() -> None:
    assert page(host="localhost:8080") is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("promsnmp.example.com", "http://promsnmp.example.com"),
        ("promsnmp.example.com", "https://promsnmp.example.com"),  # TLS ends in a proxy
        ("promsnmp.example.com:443", "https://promsnmp.example.com"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("HOST:8080", "http://host:8080"),
    ],
)
def test_our_own_pages_are_same_site(host: str, origin: str) -> None:
    assert page(host=host, origin=origin) is None
    assert page(host=host, origin=origin, sec_fetch_site="same-origin") is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8080", "http://evil.example.com"),
        ("localhost:8080", "http://localhost:3000"),
        ("localhost:8080", "null"),
        ("", "null"),
        ("", "http://evil.example.com"),
        ("localhost:8080", "http://[bad"),
        ("localhost:8080", "file://localhost:8080"),
        ("localhost:8080", ""),
        ("localhost", "http://localhost,http://evil.example.com"),
    ],
)
def test_pages_of_other_sites_are_cross_site(host: str, origin: str) -> None:
    assert page(host=host, origin=origin) is not None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_sec_fetch_site_counts_without_an_origin(site: str) -> None:
    assert page(host="localhost", sec_fetch_site=site) == "another site"
    assert page(host="localhost", origin="http://localhost", sec_fetch_site=site) is not None


def test_an_address_typed_into_the_browser_is_not_cross_site() -> None:
    assert page(host="localhost", sec_fetch_site="none") is None
