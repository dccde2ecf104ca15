"""Where Redis is, as the settings say it: a server, one behind TLS, or whichever server some sentinels name."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlencode

from promsnmp.errors import SettingsError

SENTINEL_PORT = 26_379
_SCHEMES = ("redis", "rediss", "unix")
_SENTINEL = re.compile(
    r"(?P<tls>rediss?)[+-]sentinel://(?:(?P<login>[^@/]*)@)?(?P<hosts>[^/?#]+)(?P<rest>.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """Where Redis is: a URL as redis-py takes it, and the sentinels to be asked for the server called ``service``."""

    url: str = field(repr=False)
    """May hold a password. With sentinels its host is of no meaning."""
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def probes(self) -> tuple[str, int]:
        """A host and port in the direction of Redis."""
        if self.sentinels:
            return self.sentinels[0]
        found = re.search(r"(?:@|//)(?:\[([^\]]+)\]|([^:/?@\[\]]+))(?::(\d+))?(?:[/?]|$)", self.url)
        return (found[1] or found[2], int(found[3] or 6379)) if found else ("127.0.0.1", 6379)


def parse_place(url: str = "", *, host: str = "", port: int = 6379, password: str = "") -> RedisPlace:
    """The place that REDIS_URL says, or else REDIS_HOST, REDIS_PORT and REDIS_PASSWORD.

    ``redis://``, ``rediss://`` (TLS) and ``unix://`` are redis-py's. Sentinels are given as
    ``redis+sentinel://[user:password@]host[:port][,host[:port]...]/service[/db][?options]``, or in the form of the
    original's library, ``redis-sentinel://[user:password@]host[:port][,...][/db]#service``; ``rediss`` for TLS. The
    options ``sentinel_username`` and ``sentinel_password`` are for the sentinels. Raises SettingsError.
    """
    if not url:
        name = f"[{host}]" if ":" in host else host
        login = f":{quote(password, safe='')}@" if password else ""
        return RedisPlace(f"redis://{login}{name}:{port}")
    if sentinel := _SENTINEL.fullmatch(url):
        return _sentinel_place(sentinel, password)
    scheme, slashes, rest = url.partition("://")
    if scheme not in _SCHEMES or not slashes or not rest:
        raise SettingsError(
            "REDIS_URL is none; write redis://[:password@]host[:port][/db], rediss:// for TLS, "
            "or redis+sentinel://host[:port][,host...]/service"
        )
    if password and "@" not in rest.partition("/")[0]:
        url = f"{scheme}://:{quote(password, safe='')}@{rest}"
    return RedisPlace(url)


def _sentinel_place(found: re.Match[str], password: str) -> RedisPlace:
    path, _, query = found["rest"].partition("#")[0].partition("?")
    parts = [unquote(part) for part in path.split("/") if part]
    service = unquote(found["rest"].partition("#")[2])
    if not service and parts and not parts[0].isdigit():
        service = parts.pop(0)
    if not service:
        raise SettingsError("REDIS_URL names sentinels, but no service: write redis+sentinel://host:26379/mymaster")
    options = {name: values[-1] for name, values in parse_qs(query).items()}
    own = {name: options.pop(name) for name in ("sentinel_username", "sentinel_password") if name in options}
    login = found["login"] or (f":{quote(password, safe='')}" if password else "")
    place = f"{found['tls']}://{login + '@' if login else ''}sentinel/{parts[0] if parts else 0}"
    return RedisPlace(
        f"{place}?{urlencode(options)}" if options else place,
        tuple(_host_and_port(one) for one in found["hosts"].split(",")),
        service,
        {name.removeprefix("sentinel_"): value for name, value in own.items()},
    )


def _host_and_port(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::(\d{1,5}))?", text.strip())
    if found is None:
        raise SettingsError(f"REDIS_URL: {text!r} is no host or host:port of a sentinel")
    return found[1] or found[2], int(found[3] or SENTINEL_PORT)


def address_toward(place: RedisPlace) -> str:
    """This machine's address on the way to a place; empty when there is no way. No packet is sent."""
    host, port = place.probes
    try:
        family, kind, protocol, _, there = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(there)
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):
        return ""
