"""HTTP proxies: which one the environment names for a server, and tunnels through it (RFC 9110 section 9.3.6).

``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` mean what they mean to curl and Python's urllib, which reads them here.
"""

from __future__ import annotations

import asyncio
import base64
import socket
from dataclasses import dataclass, field
from urllib import request as urllib_request
from urllib.parse import unquote, urlsplit

from promsnmp.errors import PeerError

MAX_HEAD = 16 * 1024
_PORT = 3128
"""Of a proxy whose URL has no port: squid's."""


@dataclass(frozen=True, slots=True)
class HttpProxy:
    """A proxy; ``authorization`` is the value of Proxy-Authorization, empty for none."""

    host: str
    port: int
    authorization: bytes = field(default=b"", repr=False)

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def proxy_for(scheme: str, host: str, port: int) -> HttpProxy | None:
    """The proxy that the environment names for a server. Raises ValueError, which names the variable only."""
    proxies = urllib_request.getproxies_environment()
    url = proxies.get(scheme) or proxies.get("all")
    if not url:
        return None
    if urllib_request.proxy_bypass_environment(f"{host}:{port}", proxies):  # type: ignore[attr-defined]  # it exists
        return None
    variable = f"{scheme.upper()}_PROXY" if scheme in proxies else "ALL_PROXY"
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{variable} is not a URL such as http://proxy:3128")
    authorization = b""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        authorization = b"Basic " + base64.b64encode(pair)
    try:
        return HttpProxy(parts.hostname, parts.port or _PORT, authorization)
    except ValueError:
        raise ValueError(f"{variable} is not a URL such as http://proxy:3128") from None


async def tunnel(proxy: HttpProxy, address: str) -> socket.socket:
    """A connection to ``address`` (host:port) through a proxy. Raises PeerError and OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, place = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        await loop.sock_connect(made, place)
        lines = [b"CONNECT %b HTTP/1.1" % address.encode(), b"host: %b" % address.encode()]
        if proxy.authorization:
            lines.append(b"proxy-authorization: " + proxy.authorization)
        await loop.sock_sendall(made, b"\r\n".join([*lines, b"", b""]))
        _check_answer(proxy, await _head(made))
    except BaseException:  # raised again
        made.close()
        raise
    return made


async def _head(made: socket.socket) -> bytes:
    """The answer up to the end of its headers, and no octet more: what follows is of the server behind the proxy."""
    loop, head = asyncio.get_running_loop(), b""
    while not head.endswith(b"\r\n\r\n") and len(head) < MAX_HEAD:
        octet = await loop.sock_recv(made, 1)
        if not octet:
            break
        head += octet
    return head


def _check_answer(proxy: HttpProxy, head: bytes) -> None:
    words = head.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not head.endswith(b"\r\n\r\n"):
        raise PeerError(f"the proxy {proxy.address} did not answer as an HTTP proxy")
    if not words[1].startswith(b"2"):
        status = words[1][:3].decode("ascii", "replace")
        raise PeerError(f"the proxy {proxy.address} refused the connection with status {status}")
