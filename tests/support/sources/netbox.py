"""The part of the REST APIs of NetBox and Nautobot that lists devices: paging, filters, tokens, and their errors.

After NetBox's documentation (REST API overview, filtering) and Nautobot's (REST API, ``depth``): lists are pages with
``count``, ``next``, ``previous`` and ``results``; several values of one filter mean any of them; a wrong token is 403,
a wrong value of a filter 400.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.support.sources.http_source import Answered, Asked

TOKEN = "s3cret-0123456789abcdef0123456789abcdef0123"
DEVICES = "/api/dcim/devices/"
MACHINES = "/api/virtualization/virtual-machines/"


def named(number: int, name: str) -> dict[str, Any]:
    """A related object in brief."""
    url = f"http://netbox/api/dcim/things/{number}/"
    return {"id": number, "url": url, "display": name.title(), "name": name.title(), "slug": name}


def netbox_device(number: int, *, site: str | None = "ber", status: str = "active", **more: Any) -> dict[str, Any]:
    """A device as NetBox shows it."""
    address = f"10.0.{number // 256}.{number % 256}/24"
    return {
        "id": number,
        "url": f"http://netbox/api/dcim/devices/{number}/",
        "display": f"sw{number}",
        "name": f"sw{number}",
        "device_type": {"id": 1, "manufacturer": named(1, "cisco"), "model": "C9300", "slug": "c9300"},
        "role": named(2, "access"),
        "tenant": None,
        "platform": named(3, "ios-xe"),
        "site": named(4, site) if site else None,
        "status": {"value": status, "label": status.title()},
        "primary_ip": {"id": number, "display": address, "address": address, "family": {"value": 4, "label": "IPv4"}},
        "primary_ip4": {"id": number, "display": address, "address": address},
        "primary_ip6": None,
        "tags": [{"id": 1, "name": "SNMP", "slug": "snmp", "color": "00ff00"}],
        "custom_fields": {"promsnmp_credentials": None, "promsnmp_modules": None},
    } | more


def nautobot_device(number: int, **more: Any) -> dict[str, Any]:
    """A device as Nautobot 2 shows it with ``depth=1``."""
    address = f"10.1.0.{number}/24"
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "object_type": "dcim.device",
        "display": f"nb{number}",
        "url": f"http://nautobot/api/dcim/devices/{number}/",
        "name": f"nb{number}",
        "location": {"id": "l1", "object_type": "dcim.location", "display": "Berlin", "name": "Berlin"},
        "role": {"id": "r1", "object_type": "extras.role", "display": "Access", "name": "Access"},
        "status": {"id": "s1", "object_type": "extras.status", "display": "Active", "name": "Active"},
        "platform": None,
        "tenant": None,
        "primary_ip4": {"id": "i1", "object_type": "ipam.ipaddress", "host": f"10.1.0.{number}", "address": address},
        "primary_ip6": None,
        "tags": [{"id": "t1", "object_type": "extras.tag", "display": "SNMP", "name": "SNMP"}],
        "custom_fields": {"promsnmp_credentials": "core", "promsnmp_modules": ["if_mib", "ups"]},
    } | more


@dataclass(slots=True)
class FakeNetbox:
    """``answer`` answers as NetBox does; ``page_size`` is what its administrator allows."""

    devices: Sequence[dict[str, Any]]
    machines: Sequence[dict[str, Any]] = ()
    page_size: int = 1000
    base: str = ""
    """The address in links to next pages."""
    fault: dict[int, Answered] = field(default_factory=dict)
    """Answers in place of the right ones, by the number of the request."""
    requests: int = 0

    def answer(self, asked: Asked) -> Answered:
        number, self.requests = self.requests, self.requests + 1
        if number in self.fault:
            return self.fault[number]
        if asked.headers.get("authorization") != f"Token {TOKEN}":
            return _json({"detail": "Invalid token s3cret"}, 403)
        records = {DEVICES: self.devices, MACHINES: self.machines}.get(asked.path)
        if records is None:
            return _json({"detail": "Not found."}, 404)
        query = dict(asked.query)
        limit, offset = min(int(query.pop("limit", 50)), self.page_size), int(query.pop("offset", 0))
        for name, slug in (("status", "value"), ("site", "slug"), ("role", "slug")):
            if wanted := [value for key, value in asked.query if key == name]:
                if name == "site" and not set(wanted) <= {"ber", "muc"}:
                    return _json({"site": ["Select a valid choice. s3cret is not one of the available choices."]}, 400)
                records = [one for one in records if one[name][slug] in wanted]
        page = records[offset : offset + limit]
        following = None
        if offset + limit < len(records):
            more = [(key, value) for key, value in asked.query if key not in ("limit", "offset")]
            following = f"{self.base}{asked.path}?{urlencode([*more, ('limit', limit), ('offset', offset + limit)])}"
        return _json({"count": len(records), "next": following, "previous": None, "results": page})


def _json(document: object, status: int = 200) -> Answered:
    return Answered(status, json.dumps(document).encode(), {"content-type": "application/json", "API-Version": "4.4"})
