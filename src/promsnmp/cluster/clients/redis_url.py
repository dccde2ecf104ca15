"""Parses the address of Redis from the settings: a server, a server behind TLS, or a service of sentinels."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlencode

from promsnmp.errors import SettingsError
from promsnmp.support.secret_keys import is_known

SENTINEL_PORT = 26_379
_SCHEMES = ("redis", "rediss", "unix")
_SENTINEL = re.compile(
    r"(?P<tls>rediss?)[+-]sentinel://(?:(?P<login>[^@/]*)@)?(?P<hosts>[^/?#]+)(?P<rest>.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """The address of Redis: a URL for redis-py, and the sentinels that know the server of ``service``."""

    url: str = field(repr=False)
    """May contain a password. With sentinels, its host is meaningless."""
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def first_server(self) -> tuple[str, int]:
        """Host and port of a server of Redis or of the first sentinel."""
        if self.sentinels:
            return self.sentinels[0]
        match = re.search(r"(?:@|//)(?:\[([^\]]+)\]|([^:/?@\[\]]+))(?::(\d+))?(?:[/?]|$)", self.url)
        return (match[1] or match[2], int(match[3] or 6379)) if match else ("127.0.0.1", 6379)

    @property
    def has_known_password(self) -> bool:
        """Whether the password is one that everybody knows, such as that of our manifests (``change-me``)."""
        match = re.match(r"\w+://[^/?#@:]*:([^/?#@]+)@", self.url)
        return match is not None and is_known(unquote(match[1]).encode())


def parse_redis_address(url: str = "", *, host: str = "", port: int = 6379, password: str = "") -> RedisAddress:
    """The address in REDIS_URL, else in REDIS_HOST, REDIS_PORT and REDIS_PASSWORD.

    ``redis://``, ``rediss://`` (TLS) and ``unix://`` are redis-py's. Sentinels are given as
    ``redis+sentinel://[user:password@]host[:port][,host[:port]...]/service[/db][?options]``, or in the form of the
    original's library, ``redis-sentinel://[user:password@]host[:port][,...][/db]#service``; ``rediss`` for TLS. The
    options ``sentinel_username`` and ``sentinel_password`` are for the sentinels. Raises SettingsError.
    """
    if not url:
        name = f"[{host}]" if ":" in host else host
        login = f":{quote(password, safe='')}@" if password else ""
        return RedisAddress(f"redis://{login}{name}:{port}")
    if sentinel := _SENTINEL.fullmatch(url):
        return _sentinel_address(sentinel, password)
    scheme, slashes, rest = url.partition("://")
    if scheme not in _SCHEMES or not slashes or not rest:
        raise SettingsError(
            "REDIS_URL is not a URL of Redis; write redis://[:password@]host[:port][/db], rediss:// for TLS, "
            "or redis+sentinel://host[:port][,host...]/service"
        )
    if password and "@" not in rest.partition("/")[0]:
        url = f"{scheme}://:{quote(password, safe='')}@{rest}"
    return RedisAddress(url)


def _sentinel_address(match: re.Match[str], password: str) -> RedisAddress:
    path, _, query = match["rest"].partition("#")[0].partition("?")
    parts = [unquote(part) for part in path.split("/") if part]
    service = unquote(match["rest"].partition("#")[2])
    if not service and parts and not parts[0].isdigit():
        service = parts.pop(0)
    if not service:
        raise SettingsError("REDIS_URL names sentinels but no service; write redis+sentinel://host:26379/mymaster")
    options = {name: values[-1] for name, values in parse_qs(query).items()}
    own = {name: options.pop(name) for name in ("sentinel_username", "sentinel_password") if name in options}
    login = match["login"] or (f":{quote(password, safe='')}" if password else "")
    address = f"{match['tls']}://{login + '@' if login else ''}sentinel/{parts[0] if parts else 0}"
    return RedisAddress(
        f"{address}?{urlencode(options)}" if options else address,
        tuple(_host_and_port(one) for one in match["hosts"].split(",")),
        service,
        {name.removeprefix("sentinel_"): value for name, value in own.items()},
    )


def _host_and_port(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::(\d{1,5}))?", text.strip())
    if match is None:
        raise SettingsError(f"REDIS_URL: {text!r} is not host or host:port of a sentinel")
    return match[1] or match[2], int(match[3] or SENTINEL_PORT)


def address_toward(address: RedisAddress) -> str:
    """The local address of the route to Redis; empty when there is no route. Sends no packet."""
    host, port = address.first_server
    try:
        family, kind, protocol, _, there = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(there)
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):
        return ""
