"""Makes the sources of the settings."""

from __future__ import annotations

from collections.abc import Callable

from promsnmp.inventory.modules import KnownModules
from promsnmp.inventory.store import InventoryStore
from promsnmp.settings import Settings
from promsnmp.settings.device_sources.definitions import (
    AnySource,
    DnsSource,
    FileSource,
    HttpSource,
    NautobotSource,
    NetboxSource,
)
from promsnmp.sources.model import SourceReader, SourceRules
from promsnmp.sources.readers.dns_srv import DnsReader
from promsnmp.sources.readers.document import Defaults
from promsnmp.sources.readers.files import FileReader
from promsnmp.sources.readers.http_json import HttpReader
from promsnmp.sources.readers.network_inventory import NetworkInventoryReader
from promsnmp.sources.service import FollowedSource, SourceService
from promsnmp.sources.state import SourceState


def make_sources(
    settings: Settings, store: InventoryStore, leads: Callable[[], bool], known_modules: KnownModules
) -> SourceService:
    """The service for the sources of the settings. Raises SettingsError."""
    followed = [FollowedSource(make_state(one), make_reader(one)) for one in settings.source_definitions]
    return SourceService(store, followed, leads=leads, known_modules=known_modules)


def make_state(source: AnySource) -> SourceState:
    """The state of a source that has not been read."""
    rules = SourceRules(source.name, source.adopt, source.max_removals, source.max_removal_percent)
    return SourceState(rules, source.type, source.interval / 1000, source.accept_after)


def make_reader(source: AnySource) -> SourceReader:
    """What reads a source."""
    defaults = Defaults(
        credentials=source.credentials,
        modules=source.modules,
        labels=tuple(source.labels.items()),
        port=source.port,
        interval=source.poll_interval or 0,
    )
    match source:
        case FileSource():
            return FileReader(source.path, defaults)
        case HttpSource():
            return HttpReader(source, defaults)
        case DnsSource():
            return DnsReader(source, defaults)
        case NetboxSource() | NautobotSource():
            return NetworkInventoryReader(source, defaults)
