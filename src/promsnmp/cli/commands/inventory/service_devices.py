"""The devices of a running service."""

from __future__ import annotations

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.commands.inventory.edit_device import PATH
from promsnmp.cli.output.device import Document
from promsnmp.errors import ServiceError

PAGE = 1000
"""Devices per request."""


def list_devices(service: ServiceClient, query: str = "") -> list[Document]:
    """The devices of a service that match a query. Raises ServiceError."""
    found: list[Document] = []
    page = pages = 1
    while page <= pages:
        answer = service.get(PATH, **({"query": query} if query else {}), page=page, size=PAGE).json()
        try:
            found += answer["devices"]
            pages = answer["pages"]
        except (KeyError, TypeError):
            raise ServiceError(
                f"{service.url}: unexpected response, not a list of devices; is this the URL of PromSNMP?"
            ) from None
        page += 1
    return found
