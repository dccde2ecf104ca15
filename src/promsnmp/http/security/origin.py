"""Tells where a request comes from: this machine, another one, or a web page in somebody's browser.

Without credentials, management answers this machine only. That must also exclude requests that merely pass through this
machine: proxies add headers that show them, and any page on the web can make a browser send requests to loopback
(cross-site request forgery), even under a name of its own (DNS rebinding). Headers are used to refuse, never to allow.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.types import Scope

_PROXIES = (
    "forwarded", "via", "x-forwarded-", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-", "x-envoy-",
    "true-client-ip", "cf-", "cdn-loop", "tailscale-",
)  # fmt: skip
"""Headers that a proxy or a tunnel adds, or how their names begin (RFC 7239, RFC 9110 section 7.6.3, RFC 8586, and
customs)."""
_PORTS = {"http": 80, "https": 443}
_PRIVATE_DOMAINS = (".localhost", ".internal", ".svc", ".svc.cluster.local")
"""RFC 6761 section 6.3, ICANN's domain for private use, and Services of Kubernetes."""

HeaderMap = Mapping[str, str]


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by name, in lower case; the values of a repeated header are joined with commas."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def _is_loopback(address: str) -> bool:
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(read, "ipv4_mapped", None)  # how a socket for IPv6 and IPv4 shows IPv4 (RFC 4291 section 2.5.5.2)
    return (mapped or read).is_loopback


class Hosts:
    """The names under which a request without credentials is answered: those that no page on the web can have.

    A page can have any name of its own resolve to the address of this service (DNS rebinding), and is then of the same
    site for the browser. It cannot have an address, a name without dots, a name below a domain that is not delegated in
    the DNS, or the name of this machine; ``allowed`` are more names (``*``: all).
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(name.lower().rstrip(".") for name in allowed)

    def includes(self, host: str) -> bool:
        """Whether the Host header (empty: none, so no browser) has such a name."""
        found = _authority(f"http://{host or 'localhost'}")
        if found is None:
            return False
        name = found[0].rstrip(".")
        if "*" in self._allowed or name in self._allowed:
            return True
        try:
            ipaddress.ip_address(name)
            return True
        except ValueError:
            return "." not in name or name.endswith(_PRIVATE_DOMAINS) or name == socket.gethostname().lower()


_KNOWN = Hosts()


def is_local(scope: Scope, headers: HeaderMap, hosts: Hosts = _KNOWN) -> bool:
    """Whether a program on this machine sends the request, without a sign of a proxy, to one of ``hosts``."""
    client = scope.get("client")
    if client is None or not _is_loopback(client[0]):
        return False
    return not any(name.startswith(_PROXIES) for name in headers) and hosts.includes(headers.get("host", ""))


def cross_site_origin(headers: HeaderMap) -> str | None:
    """The origin of the web page of another site that sends the request; None when there is no such page.

    By ``Sec-Fetch-Site`` (W3C Fetch Metadata), which browsers send where they trust the connection, and by
    ``Origin`` (RFC 6454), which comes with everything but plain GETs. Programs send neither. The scheme does not
    count: a proxy may have ended the TLS that the browser sees.
    """
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return origin or "another site"
    if origin is None:
        return None
    page_authority = _authority(origin)
    own_authority = _authority(f"{origin.partition(':')[0]}://{headers.get('host', '')}")
    return None if page_authority is not None and page_authority == own_authority else origin


def _authority(url: str) -> tuple[str, int] | None:
    """Host and port of an origin; None when it has none, such as ``null``."""
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.scheme in _PORTS:
            return parts.hostname, parts.port or _PORTS[parts.scheme]
    except ValueError:
        pass
    return None
