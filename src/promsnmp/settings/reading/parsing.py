"""Parses lists, networks and addresses in the text of a setting."""

from __future__ import annotations

import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parts(value: str) -> tuple[str, ...]:
    """The parts of a comma-separated list, stripped of blanks; empty parts are dropped."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def listen_address(text: str) -> tuple[str, int]:
    """Address (empty: all of them) and port of ``address:port``, ``[IPv6]:port`` or ``:port``. Raises ValueError."""
    address, _, port = text.rpartition(":")
    if ":" in address and not (address.startswith("[") and address.endswith("]")):
        raise ValueError(f"{text!r} is not address:port, [IPv6]:port or :port")
    if not (port.isascii() and port.isdigit() and int(port) < 65_536) or ":" not in text:
        raise ValueError(f"{text!r} is not address:port, [IPv6]:port or :port")
    return address.removeprefix("[").removesuffix("]"), int(port)


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a comma-separated list. Raises ValueError naming the invalid part."""
    try:
        return tuple(ipaddress.ip_network(part) for part in parts(text))
    except ValueError as error:
        raise ValueError(f"{error}; write networks such as 192.0.2.0/24,2001:db8::/32") from None
