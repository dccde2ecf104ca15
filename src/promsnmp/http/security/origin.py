"""Where a request comes from: this machine, another one, or a web page that uses somebody's browser.

Without credentials, management answers this machine only. That is a promise about who sends the request, so it must
hold for what merely passes through this machine: proxies, whose headers give them away, and browsers, which any page on
the web can make send requests to loopback (cross-site request forgery), even under a name of its own (DNS rebinding).
What a header says is used to refuse, never to allow.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.types import Scope

_PROXIES = (
    "forwarded", "via", "x-forwarded-", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-", "x-envoy-",
    "true-client-ip", "cf-", "cdn-loop", "tailscale-",
)  # fmt: skip
"""Headers that a proxy or a tunnel adds, or how their names begin (RFC 7239, RFC 9110 section 7.6.3, RFC 8586, and
customs)."""
_PORTS = {"http": 80, "https": 443}

HeaderMap = Mapping[str, str]


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by name, in lower case; of one that is there several times the values, with commas."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def is_local(scope: Scope, headers: HeaderMap) -> bool:
    """Whether a program on this machine asks, for itself as far as one can tell, and by a name of this machine."""
    client = scope.get("client")
    if client is None or not _is_loopback(client[0]):
        return False
    return not any(name.startswith(_PROXIES) for name in headers) and _is_own_name(headers.get("host", ""))


def _is_loopback(address: str) -> bool:
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(read, "ipv4_mapped", None)  # how a socket for IPv6 and IPv4 shows IPv4 (RFC 4291 section 2.5.5.2)
    return (mapped or read).is_loopback


def _is_own_name(host: str) -> bool:
    """Whether no page of the web can have asked by this name: an address, a name without dots, or this machine's."""
    found = _authority(f"http://{host or 'localhost'}")
    if found is None:
        return False
    name = found[0].rstrip(".")
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return "." not in name or name.endswith(".localhost") or name == socket.gethostname().lower()


def cross_site_origin(headers: HeaderMap) -> str | None:
    """The origin of the page of another site that makes a browser ask; None when it is none of that kind.

    By ``Sec-Fetch-Site`` (W3C Fetch Metadata), which says it where the browser trusts the connection, and by
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
    """Host and port of an origin; None when it is none, such as ``null``."""
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.scheme in _PORTS:
            return parts.hostname, parts.port or _PORTS[parts.scheme]
    except ValueError:
        pass
    return None
