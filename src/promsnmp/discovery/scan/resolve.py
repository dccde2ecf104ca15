"""Resolves host names of targets and of the inventory without delaying a search."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from promsnmp.errors import AddressError
from promsnmp.snmp.transport import Address, SnmpEndpoint, literal_address, resolve

AT_ONCE = 16
RESOLVE_TIMEOUT = 10.0
"""Seconds to resolve one name."""


def is_address(text: str) -> bool:
    """Whether ``text`` is an address rather than a name."""
    return literal_address(SnmpEndpoint(text)) is not None


async def resolve_names(names: Iterable[str], port: int) -> dict[str, Address | None]:
    """The address of each name; None when it does not resolve in time."""
    semaphore = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> Address | None:
        async with semaphore:
            try:
                async with asyncio.timeout(RESOLVE_TIMEOUT):
                    return await resolve(SnmpEndpoint(name, port))
            except (AddressError, TimeoutError):
                return None

    wanted = list(names)
    return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))


def text_of(place: Address) -> str:
    """The address as text, with its zone if it has one."""
    return place.sockaddr[0]


def scope_of(place: Address) -> int:
    """The scope id of an IPv6 address with a zone, else 0 (RFC 4007 section 6)."""
    return place.sockaddr[3] if len(place.sockaddr) == 4 else 0
