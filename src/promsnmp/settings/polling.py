"""Settings of background polling: how often, how many devices at once, which modules, how long to keep pages."""

from __future__ import annotations

from pydantic import Field

from promsnmp.settings.group import Group
from promsnmp.settings.reading.parsing import parts
from promsnmp.settings.reading.units import Bytes, Milliseconds


class PollingSettings(Group):
    """Settings of background polling."""

    TITLE = "Polling"
    KEY = "polling"

    collection_interval: Milliseconds = Field(
        30_000,
        ge=0,
        description="Milliseconds between two polls of one device that has no `interval` of its own in the inventory. "
        "0 turns background polling off, of all devices: each scrape polls.",
    )
    collection_concurrency: int = Field(200, ge=1, description="Maximum devices that are polled at the same time.")
    collection_backoff_max: Milliseconds | None = Field(
        None,
        ge=0,
        description="Maximum milliseconds between two polls of a device that does not answer; "
        "the interval doubles with each failure, up to this. Default: ten intervals of the device, at most a day.",
    )
    collection_timeout: Milliseconds = Field(
        60_000,
        ge=1,
        description="Milliseconds that the whole poll of one device may take; what has arrived by then is kept.",
    )
    collection_modules: str = Field(
        "auto",
        description="Modules for devices of the inventory that do not name their own, comma separated. "
        "`auto` stands for the modules that PromSNMP detects for the device.",
    )
    collection_label_refresh: int = Field(
        10,
        ge=1,
        description="Polls of a device between two readings of the columns that only give labels (ifName, ifAlias and "
        "the like); a change that the device reports, or that one of them shows, makes them read at once. "
        "1: read them at every poll.",
    )
    collection_max_varbinds: int = Field(
        2_000_000,
        ge=1,
        description="Maximum variable bindings that one poll reads; the page of a device that returns more is partial. "
        "A device with 20,000 interfaces returns about 800,000 of IF-MIB.",
    )
    collection_max_octets: Bytes = Field(
        64 * 1024 * 1024,
        ge=1,
        description="Maximum octets that the values of one poll may take in memory; "
        "the page of a device that returns more is partial.",
    )
    collection_max_rows: int = Field(
        250_000,
        ge=1,
        description="Maximum rows of a column that one poll reads; the walk of a longer table ends there, "
        "and the page is partial.",
    )
    collection_max_page_bytes: Bytes = Field(
        512 * 1024 * 1024,
        ge=1,
        description="Maximum bytes of a page, uncompressed; the metrics that do not fit are left out. "
        "The page of a device with 20,000 interfaces has about 130 MB.",
    )
    cache_exp_millis: Milliseconds = Field(
        300_000,
        ge=0,
        description="Milliseconds after which a page is never served again (a device with an `interval` of its own: "
        "two intervals and `COLLECTION_TIMEOUT`, if that is longer). 0 keeps no pages. "
        "With `COLLECTION_INTERVAL=0`, pages are kept only if this is set; otherwise each scrape polls.",
    )
    cache_entry_cnt: int = Field(
        10_000, ge=1, description="Maximum pages in memory; the least recently used are dropped first."
    )

    cache_max_bytes: Bytes = Field(
        1024 * 1024 * 1024,
        ge=1,
        description="Maximum bytes of memory for pages, compressed; the least recently used are dropped first. "
        "The same again limits what is remembered of devices that only scrapes ask for.",
    )
    memory_limit: Bytes | None = Field(
        None,
        ge=0,
        description="Bytes of memory that the process stays below. Close to it, the oldest pages are dropped and polls "
        "wait, and health is DOWN. Default: the limit of the container (cgroup), if it has one. 0: no limit.",
    )

    @property
    def backoff_max(self) -> float | None:
        """Seconds of ``collection_backoff_max``."""
        return None if self.collection_backoff_max is None else self.collection_backoff_max / 1000

    @property
    def page_lifetime(self) -> float:
        """Seconds to keep a page. Without background polling: 0 unless the operator set a time, as each scrape
        polls."""
        polls = self.collection_interval > 0 or "cache_exp_millis" in self.model_fields_set
        return self.cache_exp_millis / 1000 if polls else 0.0

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of ``collection_modules``, in order, without duplicates."""
        return tuple(dict.fromkeys(parts(self.collection_modules)))
