"""The neighbour tables of LLDP-MIB (IEEE 802.1AB-2005) and CISCO-CDP-MIB in the samples of a page, whichever module has
them: their rows, and how identifiers, addresses and names are written in them. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from promsnmp.web.scrape_text import Sample

LLDP_INDEX = ("lldpRemLocalPortNum", "lldpRemIndex")
"""Without lldpRemTimeMark: a neighbour has one row, whenever it changed."""
CDP_INDEX = ("cdpCacheIfIndex", "cdpCacheDeviceIndex")
MOST_TEXT = 255
"""Characters of a name: the longest of LLDP (lldpRemSysName, SIZE 0..255)."""
_HEX = re.compile(r"0x(?:[0-9a-f]{2})*|[0-9a-f]{12}|[0-9a-f]{4}(?:\.[0-9a-f]{4})+|[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2})+")
"""Octets as pages and the inventory write them."""
_NO_HEX = re.compile(r"[^0-9a-f]")


def table_rows(found: Iterable[Sample], index: Sequence[str]) -> dict[tuple[str, ...], dict[str, str]]:
    """The labels of all samples of a row, together; rows by the labels ``index``. Samples without any of these are left
    out."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for sample in found:
        at = tuple(sample.labels.get(name, "") for name in index)
        if any(at):
            rows.setdefault(at, {}).update(sample.labels)
    return rows


def digits_of(text: str) -> str:
    """An octet string as hexadecimal digits, however it is written: ``0x02005E``, ``02:00:5E``, ``2:0:5e``, or as text,
    such as the name that a chassis identifier may be."""
    given = text[: 4 * MOST_TEXT].lower()
    if _HEX.fullmatch(given) is None:
        return given.encode(errors="replace").hex()
    if ":" in given or "-" in given:
        return "".join(octet.zfill(2) for octet in re.split("[:-]", given))
    return _NO_HEX.sub("", given.removeprefix("0x"))


def address_of(text: str) -> str:
    """An address as text, from text or from octets in hexadecimal digits; empty for anything else."""
    try:
        is_octets = text[:2].lower() == "0x"
        return str(ipaddress.ip_address(bytes.fromhex(text[2:]) if is_octets else text))
    except ValueError:
        return ""


def cdp_name(device_id: str) -> str:
    """The name in a cdpCacheDeviceId: NX-OS adds the serial number, ``name(SERIAL)``."""
    return device_id[:MOST_TEXT].partition("(")[0].strip()
