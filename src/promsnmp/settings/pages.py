"""What a scrape answers: its timeouts, and what a page holds besides the modules' metrics."""

from __future__ import annotations

from pydantic import Field

from promsnmp.settings.group import Group


class PageSettings(Group):
    """What an operator can set for this."""

    TITLE = "Pages"

    scrape_timeout: int = Field(
        10_000,
        ge=1,
        description="Milliseconds that a scrape may wait for a device when Prometheus does not say "
        "(`X-Prometheus-Scrape-Timeout-Seconds`).",
    )
    scrape_timeout_offset: int = Field(
        500,
        ge=0,
        description="Milliseconds before Prometheus's own timeout at which a scrape answers with the reason instead.",
    )
    scrape_strict: bool = Field(
        False,
        description="Answer a scrape with status 500, as snmp_exporter does, when not all could be read, or a series "
        "or a family stands on the page twice. Default: what is good is served, and metrics tell of the rest.",
    )
    page_own_metrics: bool = Field(
        True, description="Add what snmp_exporter does not have to pages: `promsnmp_*` and `interface_utilization`."
    )
    interface_utilization: bool = Field(
        True, description="Add the histogram `interface_utilization` to pages with interface counters."
    )
