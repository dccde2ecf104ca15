"""Settings of the HTTP server: where it listens, who has access, how it stops."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from promsnmp.settings.group import Group
from promsnmp.settings.reading.parsing import listen_address, parts
from promsnmp.settings.reading.units import Bytes, Milliseconds

_POD_SHUTDOWN_DELAY = 10.0
"""Seconds until all nodes of a cluster know that a pod ends; the seed's preStop hook waits as long."""


class ServerSettings(Group):
    """Settings of the HTTP server."""

    TITLE = "The HTTP server"
    KEY = "server"

    server_port: int = Field(8080, ge=0, le=65535, description="TCP port of the HTTP server; 0 takes a free one.")
    server_address: str = Field(
        "", description="Address to listen on. Empty: every address, IPv4 and IPv6. `127.0.0.1`: this machine only."
    )
    server_more_addresses: str = Field(
        "",
        description="More addresses to listen on, comma separated: `address:port`, `[IPv6]:port` or `:port`.",
    )
    server_systemd_socket: bool = Field(
        False,
        description="Use the sockets that systemd passes (socket activation, `LISTEN_FDS`) instead of "
        "`SERVER_ADDRESS`, `SERVER_PORT` and `SERVER_MORE_ADDRESSES`.",
    )
    web_config_file: Path | None = Field(
        None,
        description="File with TLS, client certificates and users with passwords, in the format of Prometheus's "
        "exporter-toolkit ([access.md](../how-to/access.md)). Changes of the file take effect without a restart.",
    )
    api_token: SecretStr | None = Field(
        None, description="Bearer token for requests that change something or show the configuration."
    )
    api_allow_anonymous: bool = Field(
        False,
        description="Without `API_TOKEN` and users: everybody may change everything. "
        "Default: only programs on this machine may.",
    )
    api_allowed_hosts: str = Field(
        "",
        description="Host names, comma separated, under which requests without credentials may change something or "
        "see the configuration. Addresses, names without dots, `*.localhost`, `*.internal`, `*.svc` and the machine's "
        "own name are always allowed: a web page can have none of them. `*`: any name.",
    )
    api_protect_scrapes: bool = Field(
        False,
        description="Require credentials for scrapes, `/targets` and pages too, as other exporters do. "
        "Health stays open.",
    )
    web_ui: bool = Field(
        True,
        description="[Pages for people](../how-to/web-interface.md) at `/`, `/devices`, `/replicas` and `/modules`. "
        "`false`: only a page of links at `/`.",
    )
    web_read_anonymous: bool = Field(
        False,
        description="Everybody may read these pages, although `API_TOKEN`, users or certificates are set up; they show "
        "the inventory without secrets, and pages of devices. Without effect with `API_PROTECT_SCRAPES`.",
    )
    web_session_lifetime: Milliseconds = Field(
        43_200_000,
        ge=60_000,
        le=2_592_000_000,
        description="Milliseconds after which somebody who has logged in to these pages has to log in again.",
    )
    web_history_max_bytes: Bytes = Field(
        64 * 1024 * 1024,
        ge=0,
        description="Memory for the rates of interfaces in the last hour, which pages of devices draw: about 6,500 "
        "bytes for a switch of 48 ports. Devices that do not fit have no such lines. `0`: none are kept.",
    )
    shutdown_delay: Milliseconds | None = Field(
        None,
        ge=0,
        description="Milliseconds after SIGTERM for which PromSNMP is not ready but answers new requests, until load "
        "balancers have noticed. Default: `10000` in a pod of Kubernetes, `0` elsewhere. Ctrl-C does not wait.",
    )
    shutdown_timeout: Milliseconds = Field(
        30_000, ge=0, description="Milliseconds that requests in flight have to finish after SIGTERM."
    )

    server_max_connections: int = Field(
        4096,
        ge=1,
        description="Maximum open connections of clients; fewer when the system allows too few file descriptors. "
        "An idle connection is closed when a new one needs its place.",
    )
    server_max_connections_per_address: int | None = Field(
        None,
        ge=1,
        description="Maximum connections from one IPv4 address or one /64 of IPv6. Default: half of all.",
    )
    server_header_timeout: Milliseconds = Field(
        10_000,
        ge=100,
        description="Milliseconds that a client has for the TLS handshake, and for the head of a request.",
    )
    server_idle_timeout: Milliseconds = Field(
        75_000,
        ge=35_000,
        description="Milliseconds after which an idle connection is closed. More than the scrape interval saves "
        "connections; other replicas close theirs after 30 seconds.",
    )

    @field_validator("server_more_addresses")
    @classmethod
    def _places(cls, value: str) -> str:
        for part in parts(value):
            listen_address(part)
        return value

    @field_validator("api_token")
    @classmethod
    def _token_form(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all("!" <= character <= "~" for character in value.get_secret_value()):
            raise ValueError("must be printable ASCII without spaces (make one: openssl rand -hex 32)")
        return value

    @property
    def shutdown_delay_seconds(self) -> float:
        """Seconds from SIGTERM to the end of accepting requests."""
        if self.shutdown_delay is None:
            return _POD_SHUTDOWN_DELAY if "KUBERNETES_SERVICE_HOST" in os.environ else 0.0
        return self.shutdown_delay / 1000

    @property
    def listen_addresses(self) -> list[tuple[str, int]]:
        """Addresses (empty: all of them) and ports to listen on."""
        more = [listen_address(part) for part in parts(self.server_more_addresses)]
        return [(self.server_address, self.server_port), *more]
