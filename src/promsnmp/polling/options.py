"""Settings of the collector: what is polled how, and what a page holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from promsnmp.settings import Settings
from promsnmp.snmp.operations.budget import DEFAULT_LIMITS, PollLimits


@dataclass(frozen=True, slots=True)
class CollectorOptions:
    """Settings that apply to every target."""

    utilization: bool = True
    """Whether pages have the histogram ``interface_utilization``."""
    wrap: bool = True
    """Whether Counter64 values are reduced modulo 2^53."""
    zeros: bool = False
    """Whether a value that is not a number counts as 0 where a number is needed, instead of giving no sample."""
    unsigned_sizes: bool = False
    """Whether negative sizes of storage and memory are shown as the sizes beyond 2^31 that are meant."""
    strict: bool = False
    """Whether there is no page at all when a part cannot be read, or when a series or a family occurs twice."""
    own_metrics: bool = True
    """Whether pages have families that snmp_exporter does not have."""
    start_times: bool = False
    """Whether pages say in protobuf when the counters began."""
    source_address: str = ""
    """The local address that requests are sent from; empty: the system chooses."""
    deadline_setting: str = ""
    """The setting or option that the deadline of a poll comes from, for errors; empty: none."""
    label_refresh: int = 1
    """Of a device of the inventory, columns that serve only as labels are read once in this many polls."""
    label_age: float = inf
    """Seconds after which they are read again, whatever the number of polls."""
    limits: PollLimits = DEFAULT_LIMITS
    """What one poll reads at most."""
    page_octets: int = 512 * 1024 * 1024
    """How large a page may be, uncompressed."""
    error_rates: bool = True
    """Whether polls compare errors and discards of interfaces with the poll before, for pages of devices."""
    link_changes: bool = False
    """Whether the states of interfaces are compared from poll to poll."""
    history_octets: int = 0
    """Bytes that the rates of all interfaces in the last hour may take together; 0: none are kept."""


def with_limits(options: CollectorOptions, settings: Settings) -> CollectorOptions:
    """``options`` with the limits that the settings have for one poll and its page."""
    limits = PollLimits(
        varbinds=settings.collection_max_varbinds,
        octets=settings.collection_max_octets,
        rows=settings.collection_max_rows,
    )
    return replace(options, limits=limits, page_octets=settings.collection_max_page_bytes)
