"""Devices of NetBox and Nautobot, read with their own clients (pynetbox, pynautobot); nothing is ever written there.

Both have the same ideas and nearly the same API: a device has a primary address, a site or location, a role, tags, and
custom fields, of which two say how PromSNMP polls it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from promsnmp.errors import SourceError
from promsnmp.inventory.address import normal_address
from promsnmp.inventory.model import AgentEndpoint
from promsnmp.inventory.named_credentials.document import read_name
from promsnmp.settings.device_sources.definitions import NautobotSource, NetboxSource
from promsnmp.sources.model import MAX_DEVICES, Reading, SourceDevice, Unusable
from promsnmp.sources.readers.document import Defaults
from promsnmp.sources.readers.secrets import read_secret

PAGE = 500
"""Devices of one page."""
TOTAL_SECONDS = 600.0
_VIRTUAL = "vm/"


class NetworkInventoryReader:
    """The devices that ``source.filters`` select."""

    def __init__(self, source: NetboxSource | NautobotSource, defaults: Defaults) -> None:
        self._source = source
        self._defaults = defaults

    async def read(self) -> Reading:
        """Raises SourceError, whose text has neither the token nor what the server said."""
        return await asyncio.to_thread(self._read)

    async def has_changed(self) -> bool:
        return False

    async def close(self) -> None:
        pass

    def _read(self) -> Reading:
        devices: list[SourceDevice] = []
        unusable: list[Unusable] = []
        for prefix, record in self._records():
            key = f"{prefix}{record.get('id', '')}"
            try:
                devices.append(self._device(key, record))
            except ValueError as error:
                name = str(record.get("name") or record.get("display") or key)[:80]
                unusable.append(Unusable(key, f"{name}: {error}"))
            if len(devices) + len(unusable) > MAX_DEVICES:
                raise SourceError(f"the source has more than {MAX_DEVICES:,} devices; choose some by filters")
        return Reading(tuple(devices), tuple(unusable))

    def _records(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The records of all pages. Raises SourceError."""
        try:
            import requests

            from promsnmp.sources.readers.api_session import Budget, bounded_session
        except ImportError:
            raise SourceError(_missing(self._source.type)) from None
        source = self._source
        budget = Budget(source.max_bytes, TOTAL_SECONDS, source.timeout / 1000)
        session = bounded_session(source.url, budget, ca_file=source.ca_file)
        api, known_errors = _client(source.type, source.url, read_secret(source.token_file, source.token_env))
        api.http_session = session
        endpoints = [("", api.dcim.devices)]
        if source.virtual_machines:
            endpoints.append((_VIRTUAL, api.virtualization.virtual_machines))
        try:
            for prefix, endpoint in endpoints:
                records, count = endpoint.filter(**self._query()), 0
                for record in records:
                    count += 1
                    yield prefix, dict(record)
                if count < len(records):
                    raise SourceError(f"{self._place} announced {len(records)} devices and sent {count}")
        except requests.RequestException as error:
            raise SourceError(f"{self._place}: {_reason(error)}") from None
        except known_errors as error:
            raise SourceError(f"{self._place} {_refusal(error)}") from None
        except (ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
            raise SourceError(f"{self._place} answered with something else ({type(error).__name__})") from None
        finally:
            session.close()

    @property
    def _place(self) -> str:
        return self._source.url.partition("://")[2].partition("/")[0]

    def _query(self) -> dict[str, object]:
        given = self._source.filters.items()
        filters = {name: list(value) if isinstance(value, tuple) else value for name, value in given}
        fixed: dict[str, object] = {"limit": PAGE}
        if isinstance(self._source, NetboxSource):
            fixed["exclude"] = "config_context"  # which takes NetBox longer than all the rest
        else:
            fixed["depth"] = 1  # names of related objects, not only their ids
        return {**filters, **fixed}

    # ------------------------------------------------------------------------------------------------- one record

    def _device(self, key: str, record: Mapping[str, Any]) -> SourceDevice:
        """Raises ValueError with the reason why a record is no device to poll."""
        source, custom = self._source, record.get("custom_fields")
        fields = custom if isinstance(custom, Mapping) else {}
        credentials = _text(fields.get(source.credentials_field)) or self._defaults.credentials
        return SourceDevice(
            key=key,
            endpoint=AgentEndpoint(_address(record, source.address_field), self._defaults.port),
            name=_text(record.get("name")),
            labels=self._defaults.with_own(self._labels(record)),
            modules=tuple(_words(fields.get(source.modules_field))) or self._defaults.modules,
            credentials_name=read_name(credentials) if credentials else "",
            overrides=self._defaults.overrides(),
        )

    def _labels(self, record: Mapping[str, Any]) -> dict[str, str]:
        labels = {name: _text(_at(record, path)) for name, path in self._source.label_fields.items()}
        tags = record.get("tags")
        if self._source.tag_label and isinstance(tags, list):
            labels[self._source.tag_label] = ",".join(filter(None, (_tag(one) for one in tags)))
        return {name: value for name, value in labels.items() if value}


def _client(kind: str, url: str, token: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """The client of NetBox or Nautobot, and the errors that it raises. Raises SourceError without its package."""
    try:
        if kind == "netbox":
            import pynetbox

            return pynetbox.api(url, token=token or None), (pynetbox.RequestError, pynetbox.ContentError)
        import pynautobot

        return pynautobot.api(url, token=token or None), (
            pynautobot.core.query.RequestError,
            pynautobot.core.query.ContentError,
        )
    except ImportError:
        raise SourceError(_missing(kind)) from None


def _missing(kind: str) -> str:
    return f"the package for sources of type {kind} is missing; run: pip install '.[{kind}]'"


def _reason(error: Exception) -> str:
    """What failed, without the URL and what the server said."""
    names = {
        "SSLError": "its certificate is not trusted, or it does not speak TLS",
        "ConnectTimeout": "it does not accept a connection in time",
        "ReadTimeout": "it does not answer in time",
        "InvalidSchema": "its next page is at another address; give that as url",
        "TooManyRedirects": "it redirects to another address; give that as url",
        "JSONDecodeError": "its answer is not JSON",
        "ChunkedEncodingError": "the connection was lost during the response",
        "ConnectionError": "it cannot be reached, or the connection was lost",
    }
    return next((names[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in names), type(error).__name__)


def _refusal(error: Exception) -> str:
    status = getattr(getattr(error, "req", None), "status_code", 0)
    hints = {
        400: "; is a filter wrong?",
        401: "; is the token right?",
        403: "; may the token read devices?",
        404: "; is the url right, without /api?",
    }
    if status in (0, 200):
        return "answered with something else than JSON"
    return f"answered {status}{hints.get(status, '')}"


def _at(record: Mapping[str, Any], path: str) -> object:
    """The value at ``site.slug``."""
    value: object = record
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _text(value: object) -> str:
    """Text of a value; of a choice its value, of an object its name."""
    if isinstance(value, Mapping):
        return next((str(value[key]) for key in ("value", "slug", "name", "display") if value.get(key)), "")
    return "" if value is None or isinstance(value, list) else str(value).strip()


def _words(value: object) -> Iterable[str]:
    """The words of a text with commas, or of a selection."""
    parts = value if isinstance(value, list) else _text(value).split(",")
    return filter(None, (_text(part) for part in parts))


def _tag(value: object) -> str:
    return _text(value.get("slug") or value.get("name")) if isinstance(value, Mapping) else _text(value)


def _address(record: Mapping[str, Any], path: str) -> str:
    """The address, without the length of its network. Raises ValueError."""
    value = _at(record, path)
    address = value.get("address") or value.get("host") if isinstance(value, Mapping) else value
    if not address:
        raise ValueError(f"it has no {path}")
    return normal_address(str(address).partition("/")[0])
