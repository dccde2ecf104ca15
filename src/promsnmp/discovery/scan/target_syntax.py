"""Parses the targets of a search: addresses, networks, ranges and names.

Network and broadcast addresses are left out of networks, but a single address is taken as it is. Names are kept; the
search resolves them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from promsnmp.discovery.scan.addresses import NON_HOST_SPANS, Addresses, Span
from promsnmp.inventory.address import normal_address

MAX_NETWORK_SIZE = 1 << 20
"""Largest network or range in addresses: an IPv4 /12, an IPv6 /108."""
MAX_FORCED_SIZE = 1 << 32
"""The same with ``force``: all of IPv4. Asking 2^64 addresses would take millions of years."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class SearchScope:
    """The scope of a search: ``addresses`` and ``names``, never ``excluded``."""

    addresses: Addresses = field(default_factory=Addresses)
    names: tuple[str, ...] = ()
    excluded: Addresses = field(default_factory=Addresses)

    @property
    def size(self) -> int:
        """Addresses to ask; a name counts as one."""
        return self.addresses.size + len(self.names)


def read_scope(
    targets: Sequence[str], exclude: Sequence[str] = (), *, force: bool = False
) -> tuple[SearchScope, list[str]]:
    """The scope of ``targets`` without ``exclude``, and the problems, each with its place.

    Invalid targets are left out of the scope. ``force`` allows networks larger than MAX_NETWORK_SIZE.
    """
    problems: list[str] = []
    spans, names = [], []
    for number, text in enumerate(targets):
        try:
            found = read_target(text)
            if isinstance(found, str):
                names.append(found)
                continue
            _check_size(text, found, force=force)
            spans.append(found)
        except ValueError as error:
            problems.append(f"potentialTargets[{number}]: {error}")
    excluded = Addresses(_excluded(exclude, problems))
    addresses = Addresses(spans).without((*NON_HOST_SPANS, *excluded.spans))
    return SearchScope(addresses, tuple(dict.fromkeys(names)), excluded), problems


def split_targets(text: str) -> list[str]:
    """The targets in a text that people typed, apart by space, lines, commas or semicolons."""
    return text.replace(",", " ").replace(";", " ").split()


def read_networks(texts: Sequence[str], place: str) -> tuple[Addresses, list[str]]:
    """Whole networks (with their edges), ranges and addresses; names and anything else are problems."""
    problems: list[str] = []
    return Addresses(_excluded(texts, problems, place)), problems


def _excluded(texts: Sequence[str], problems: list[str], place: str = "exclude") -> list[Span]:
    spans = []
    for number, text in enumerate(texts):
        try:
            found = read_target(text, whole=True)
        except ValueError as error:
            problems.append(f"{place}[{number}]: {error}")
            continue
        if isinstance(found, str):
            problems.append(f"{place}[{number}]: {found[:80]!r} is a name; use addresses, networks or ranges")
        else:
            spans.append(found)
    return spans


def _check_size(text: str, span: Span, *, force: bool) -> None:
    if span.size > MAX_FORCED_SIZE:
        raise ValueError(f"{text[:80]!r} has {_count(span)} addresses; the limit is {MAX_FORCED_SIZE:,}")
    if span.size > MAX_NETWORK_SIZE and not force:
        size = f"{text[:80]!r} has {_count(span)} addresses, more than {MAX_NETWORK_SIZE:,} (a /12)"
        raise ValueError(f"{size}; set force to search it anyway")


def _count(span: Span) -> str:
    return f"{span.size:,}" if span.size < 10**12 else f"2^{span.size.bit_length() - 1}"


def read_target(text: str, *, whole: bool = False) -> Span | str:
    """The span of ``text``, or the name.

    ``192.0.2.7``, ``2001:db8::7``, ``192.0.2.0/24``, ``192.0.2.0/255.255.255.0``, ``192.0.2.1-192.0.2.50``,
    ``192.0.2.1-50``, ``2001:db8::1-2001:db8::ff``, ``2001:db8::1-ff`` (of the last group); an address with a zone
    (``fe80::1%eth0``) counts as a name. ``whole`` keeps the network and broadcast addresses of a network. Raises
    ValueError.
    """
    text = text.strip()
    first, dash, last = (part.strip() for part in text.partition("-"))
    if "/" in text:
        return _network(text, whole=whole)
    if dash and (start := _address(first)) is not None:
        return _range(text, start, last)
    found = _address(text)
    if found is None or "%" in text:
        return _name(text)
    normal_address(str(found))  # raises for addresses that never belong to one device
    return Span(found.version, int(found), int(found))


def _address(text: str) -> Address | None:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _name(text: str) -> str:
    try:
        return normal_address(text)
    except ValueError:
        reason = "is not an address, network (192.0.2.0/24), range (192.0.2.1-192.0.2.50) or name"
        if ":" in text and text.rpartition(":")[2].isdigit():
            reason += "; give the port separately, as port"
        raise ValueError(f"{text[:80]!r} {reason}") from None


def _network(text: str, *, whole: bool) -> Span:
    try:
        network = ipaddress.ip_network(text.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        raise ValueError(f"{text[:80]!r} is not a network such as 192.0.2.0/24 or 2001:db8::/120") from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        network = ipaddress.ip_network((mapped, network.prefixlen - 96))
    first, last = int(network.network_address), int(network.broadcast_address)
    if not whole and last - first > 1:  # RFC 3021 section 2.1, RFC 6164 section 6: a link of two has neither
        first += 1  # the network's address; in IPv6 that of any router of it (RFC 4291 section 2.6.1)
        last -= network.version == 4
    return Span(network.version, first, last)


def _range(text: str, start: Address, last: str) -> Span:
    end = _address(last)
    if end is None and last.isascii():
        end = _last_part(start, last)
    if end is None or end.version != start.version:
        raise ValueError(f"{text[:80]!r} is not a range such as 192.0.2.1-192.0.2.50, 192.0.2.1-50 or 2001:db8::1-ff")
    if int(end) < int(start):
        raise ValueError(f"{text[:80]!r} ends before it starts")
    return Span(start.version, int(start), int(end))


def _last_part(start: Address, text: str) -> Address | None:
    """``start`` with its last octet (IPv4, decimal) or group (IPv6, hexadecimal) replaced by ``text``."""
    base, digits, bits = (10, 3, 8) if start.version == 4 else (16, 4, 16)
    try:
        number = int(text, base) if text.isalnum() and len(text) <= digits else -1
    except ValueError:
        return None
    if not 0 <= number < 1 << bits:
        return None
    return type(start)(int(start) >> bits << bits | number)
