"""Settings of the site: labels of `/targets` and of `promsnmp_site_info`."""

from __future__ import annotations

from pydantic import Field

from promsnmp.settings.group import Group


class SiteSettings(Group):
    """Settings of the site."""

    TITLE = "Site"
    KEY = "site"

    prom_tenant_id: str = Field("default_tenant", description="Tenant, shown in `/targets` and `promsnmp_site_info`.")
    prom_site_id: str = Field("default_site", description="Site, shown in `/targets` and `promsnmp_site_info`.")
    prom_site_label: str = Field("", description="The site's name for people.")
    prom_site_descr: str = Field("", description="The site's description.")
    prom_site_addr: str = Field("", description="The site's postal address.")
    prom_site_lat: float | None = Field(None, ge=-90, le=90, description="The site's latitude in degrees.")
    prom_site_long: float | None = Field(None, ge=-180, le=180, description="The site's longitude in degrees.")
