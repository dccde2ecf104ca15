"""Settings of scrapes and pages: timeouts, and what a page has besides the metrics of its modules."""

from __future__ import annotations

from pydantic import Field

from promsnmp.settings.group import Group
from promsnmp.settings.reading.units import Milliseconds


class PageSettings(Group):
    """Settings of scrapes and pages."""

    TITLE = "Pages"
    KEY = "pages"

    scrape_timeout: Milliseconds = Field(
        10_000,
        ge=1,
        description="Milliseconds that a scrape may wait for a device when Prometheus sends no timeout "
        "(`X-Prometheus-Scrape-Timeout-Seconds`).",
    )
    scrape_timeout_offset: Milliseconds = Field(
        500,
        ge=0,
        description="Milliseconds before Prometheus's timeout at which a scrape gives up and answers with the reason.",
    )
    scrape_concurrency: int = Field(
        1000,
        ge=1,
        description="Maximum polls that run at the same time because a scrape waits for them; further scrapes wait. "
        "Background polls do not count.",
    )
    scrape_strict: bool = Field(
        False,
        description="Answer a scrape with status 500, as snmp_exporter does, when the device did not give all "
        "of its data, or when the page would have a series or a family twice. Default: serve what is good; "
        "metrics report the rest.",
    )
    page_own_metrics: bool = Field(
        True,
        description="Add the metrics that snmp_exporter does not have to pages: `promsnmp_*` and "
        "`interface_utilization`.",
    )
    page_start_timestamps: bool = Field(
        True,
        description="Say in protobuf when the counters of a device began, for Prometheus with "
        "`--enable-feature=created-timestamp-zero-ingestion` or `st-storage`. Never with `PAGE_OWN_METRICS=false`.",
    )
    targets_native_histograms: bool = Field(
        False,
        description="Give the targets of `/targets` the label `__scrape_native_histograms__`, by which Prometheus 3.13 "
        "and newer scrape them in protobuf, with native histograms, whatever its configuration says.",
    )
    health_metrics: bool = Field(
        True,
        description="Add the health of devices (CPU, memory, temperatures, fans, power supplies, ... under the same "
        "names for all vendors) to the pages of the inventory's devices and of `module=auto`.",
    )
    interface_utilization: bool = Field(
        True, description="Add the histogram `interface_utilization` to pages with interface counters."
    )
