"""Normalises addresses and host names, however people and programs write them.

Two spellings of one address must find the same device, so every address is normalised here: when a document is read
and when a target is looked up.
"""

from __future__ import annotations

import ipaddress
import re

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_USUAL = re.compile(rf"(?:22[0-3]|2[01]\d|1\d\d|[1-9]\d?)(?:\.{_OCTET}){{3}}\Z", re.ASCII)
"""Canonical IPv4 addresses of one host: the fast path for nearly all addresses."""
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")


def normal_address(text: str) -> str:
    """The canonical spelling of an IPv4 or IPv6 address (RFC 5952) or a host name (lower case).

    Also takes Java's ``name/1.2.3.4`` and uses its address. Raises ValueError with the reason.
    """
    if _USUAL.match(text):
        return text
    text = _without_java_name(text.strip())
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return _host_name(text)
    if address.is_multicast or address.is_unspecified or bare == "255.255.255.255":
        raise ValueError(f"{bare} is not the address of one device")
    return str(address)


def _without_java_name(text: str) -> str:
    """The address, or else the name, of ``name/address`` (``InetAddress.toString()``); either may be empty."""
    name, slash, address = text.rpartition("/")
    if not slash:
        return text
    return address if address and not address.startswith("<") else name


def _host_name(text: str) -> str:
    """A host name of RFC 1123 section 2.1, underscores allowed; its last label is not a number (RFC 3696 section 2)."""
    name = text.removesuffix(".").lower()
    if not name:
        raise ValueError("is empty")
    labels = name.split(".")
    if len(name) > 253 or labels[-1].isdigit() or not all(_LABEL.match(label) for label in labels):
        raise ValueError(f"{text[:80]!r} is neither an address nor a host name")
    return name


def split_target(target: str) -> tuple[str, int | None]:
    """Address and port of ``address``, ``address:port``, ``[v6]``, ``[v6]:port``, or a bare IPv6 address.

    Raises ValueError for anything else.
    """
    target = target.strip()
    if target.startswith("["):
        address, bracket, rest = target[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in address:
            raise ValueError(f"{target[:80]!r} is not [address]:port")
        return normal_address(address), _port(rest[1:]) if rest else None
    host, colon, port = target.rpartition(":")
    if not colon or ":" in host:
        return normal_address(target), None
    return normal_address(host), _port(port)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ValueError(f"{text[:20]!r} is not a port")
    return int(text)
