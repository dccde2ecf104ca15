"""The rest of the program as one value for the HTTP handlers, which use nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Request

from promsnmp.cluster.cluster import Cluster
from promsnmp.discovery.service import Discovery
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.http.middleware.page_errors import ErrorPages
from promsnmp.http.responses.cached import CachedResponse
from promsnmp.http.responses.events import EventStreams
from promsnmp.http.responses.forms import Form
from promsnmp.http.security.auth import ANONYMOUS, PRINCIPAL, AccessControl
from promsnmp.http.security.login import Login
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.model import Device
from promsnmp.inventory.query import DeviceSelector, Query
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.observe.health import Health
from promsnmp.observe.meters import Meter
from promsnmp.observe.registry import SelfMetrics
from promsnmp.polling.detection.first_contact import SystemNames
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.settings import Settings
from promsnmp.sources.service import SourceService


@dataclass(frozen=True, slots=True)
class ExecutorUsage:
    """How busy one kind of background work is: jobs that run, jobs that may run at once, jobs that wait."""

    active: int = 0
    limit: int = 0
    queued: int = 0


@dataclass(frozen=True, slots=True)
class PageViewer:
    """Who looks at a page for people."""

    name: str = ""
    """The caller's name, as access control gives it; empty for somebody who has not said who they are."""
    may_change: bool = False
    form_token: str = ""
    """What a form of the page must carry."""


NOBODY = PageViewer()


@dataclass(frozen=True, slots=True)
class FormSender:
    """Who sends a form: ``who`` for the audit log, and the ID of the request when another replica forwards it."""

    who: str
    request_id: str = ""
    viewer: PageViewer = NOBODY


class SharedPage(Protocol):
    """A page that is the same for all who look, plain and compressed."""

    @property
    def status(self) -> int: ...

    @property
    def html(self) -> bytes: ...

    @property
    def gzip(self) -> bytes: ...


class PeoplePages(ErrorPages, Protocol):
    """The pages for people (``web``)."""

    async def page(
        self,
        name: str,
        *,
        item: str = "",
        query: Sequence[tuple[str, str]] = (),
        is_fragment: bool = False,
        viewer: PageViewer = NOBODY,
    ) -> tuple[int, str]:
        """Status and HTML of a page: ``item`` is the rest of its path, ``query`` its parameters. ``is_fragment``: only
        the part that a page which is open replaces."""

    async def shared_page(
        self, name: str, *, query: Sequence[tuple[str, str]] = (), is_fragment: bool = False
    ) -> SharedPage:
        """As ``page``, for the pages that are the same for all who look: ``overview`` and ``map``."""

    async def neighbours(self, question: bytes) -> bytes:
        """What this replica knows of its devices' neighbours, for the map of another replica."""

    async def file(self, name: str, *, query: Sequence[tuple[str, str]]) -> bytes:
        """What a page offers as a file. Raises ValueError for a wrong query."""

    async def submit(self, name: str, form: Form, sender: FormSender, *, item: str = "") -> tuple[int, str]:
        """Does what a form of the page ``name`` says: status and HTML, or 303 and where to go on, relative to the
        form's path. Raises InventoryError, OutcomeUnknown, SettingsError, and ValueError for a wrong form."""

    def login_page(
        self,
        viewer: PageViewer,
        *,
        next_path: str,
        asks_name: bool,
        takes_token: bool,
        session: str,
        error: str,
        hint: str,
    ) -> str:
        """The page at which people log in; for one with a ``session`` (its principal), log out. ``hint``: why nobody
        can log in."""

    async def selection(self, form: Form) -> Sequence[Device]:
        """The devices that a form of the list chooses. Raises ValueError."""

    def pack(self, devices: Iterable[Device]) -> str:
        """Devices as the field ``ids`` of a form, which ``selection`` reads."""

    async def csv(self, query: Sequence[tuple[str, str]]) -> AsyncIterator[bytes]:
        """The devices that a query selects, as CSV, part by part. Raises ValueError."""

    async def csv_of(self, form: Form) -> AsyncIterator[bytes]:
        """The same for the devices that a form of the list chooses. Raises ValueError."""

    def asset(self, name: str) -> tuple[str, bytes] | None:
        """Media type and contents of a file that pages load; None when there is no such file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that handlers use."""

    version: str
    compiled: bool
    settings: Settings
    """Those that this replica runs with."""
    health: Health
    metrics: SelfMetrics
    process_meters: Callable[[], Iterable[Meter]]
    targets: Callable[[Query], Awaitable[CachedResponse | None]]
    """The service discovery document of the devices that a query selects; None while the inventory is not loaded."""
    show_inventory: Callable[[], bytes]
    """The inventory as JSON, secrets masked."""
    cluster: Cluster
    """The replicas and their leader."""
    devices: Devices
    """Single devices."""
    discovery: Discovery
    sources: SourceService
    """Searches for devices, and their seeds."""
    search: DeviceSelector
    poll_status: Callable[[Device], PollStatus]
    """How the last poll of a device ended."""
    replace_inventory: Callable[..., Awaitable[object]]
    """Replaces the inventory by parsed JSON, on behalf of ``who``; raises InventoryError."""
    reload: Callable[[], Awaitable[object]]
    """Reads all files again; raises ModuleError, InventoryError or SettingsError, and then keeps the old content."""
    catalogue_store: CatalogueStore
    """Modules and auths in use."""
    evict_pages: Callable[[], None]
    """Empty the cache of pages."""
    access: AccessControl
    """Who may send what, for routes that answer differently."""
    login: Login
    """Who has logged in to the pages for people."""
    poll_now: Callable[..., Awaitable[int]]
    """Polls devices that this replica polls, at once; see ``PollingSubsystem.poll_now``."""
    ask_device: Callable[[Device], Awaitable[SystemNames]]
    """Asks a device that is not in the inventory yet for its name; raises SnmpError."""
    people: PeoplePages | None = None
    """The pages for people; None when they are off."""
    streams: EventStreams = field(default_factory=EventStreams)
    """Streams of events that are open."""
    histograms: Callable[[bytes], Sequence[UtilizationSeries]] = lambda _: ()
    """The utilisation histograms of the target that a query string names; raises TargetError or ModuleError."""
    polling: Callable[[], ExecutorUsage] = ExecutorUsage


async def get_services(request: Request) -> Services:
    """The services of the application."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


ServicesDep = Annotated[Services, Depends(get_services)]
"""The annotation with which a handler gets the services."""


REQUEST_ID = "promsnmp.request_id"
"""Key of an ASGI scope: the ID of a request that another replica forwarded, set by the leader proxy."""


def request_id(request: Request) -> str:
    """The ID of a forwarded request, to be kept with the write that it causes; empty for any other request."""
    return str(request.scope.get(REQUEST_ID, ""))


def caller(request: Request) -> str:
    """The caller, for the audit log: the name that access control found, and the address."""
    return f"{request.scope.get(PRINCIPAL, ANONYMOUS)}@{request.client.host if request.client else 'unknown'}"
