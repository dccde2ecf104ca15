"""The HTTP server: where it listens, who may ask what, how it ends."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from promsnmp.settings.group import Group
from promsnmp.settings.parsing import listen_address, parts


class ServerSettings(Group):
    """What an operator can set for this."""

    TITLE = "The HTTP server"

    server_port: int = Field(8080, ge=0, le=65535, description="TCP port of the HTTP server; 0 takes a free one.")
    server_address: str = Field(
        "", description="Address to listen on. Empty: every address, IPv4 and IPv6. `127.0.0.1`: this machine only."
    )
    server_more_addresses: str = Field(
        "",
        description="Further places to listen at, comma separated: `address:port`, `[IPv6]:port` or `:port`.",
    )
    web_config_file: Path | None = Field(
        None,
        description="TLS, client certificates and users with passwords, in the form of Prometheus's exporter-toolkit "
        "([access.md](../how-to/access.md)). Read again when it changes.",
    )
    api_token: SecretStr | None = Field(
        None, description="Bearer token for calls that change something, or show configuration."
    )
    api_allow_anonymous: bool = Field(
        False,
        description="Without `API_TOKEN` and users: let everybody change everything. "
        "Default: programs on this machine only.",
    )
    api_protect_scrapes: bool = Field(
        False,
        description="Ask scrapes, `/targets` and pages for credentials, too, as other exporters do with such a file. "
        "Health stays open.",
    )
    shutdown_timeout: int = Field(
        30_000, ge=0, description="Milliseconds that requests in flight are given to finish after SIGTERM."
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
    def listen_addresses(self) -> list[tuple[str, int]]:
        """Addresses (empty: all of them) and ports to listen at."""
        more = [listen_address(part) for part in parts(self.server_more_addresses)]
        return [(self.server_address, self.server_port), *more]
