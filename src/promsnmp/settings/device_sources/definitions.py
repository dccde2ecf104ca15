"""The entries of the list ``sources``: one class for each kind of source, with what people may write there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from promsnmp.settings.reading.units import Bytes, Milliseconds

_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SECRETS = ("token", "password", "user_password", "secret")


class SourceDefinition(BaseModel):
    """What all kinds have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAME, description="Its name: in the inventory, metrics and commands. Never change it.")
    interval: Milliseconds = Field(
        300_000, ge=1000, description="Time between two readings; files are also read as soon as they change."
    )
    credentials: str = Field("", description="Named credentials of devices for which the source names none.")
    modules: tuple[str, ...] = Field((), description="Modules of devices for which the source names none.")
    labels: dict[str, str] = Field({}, description="Labels of all its devices; those of a device count more.")
    port: int = Field(161, ge=1, le=65535, description="UDP port of devices for which the source has none.")
    poll_interval: Milliseconds | None = Field(
        None, ge=1000, le=86_400_000, description="`interval` of devices for which the source has none."
    )
    adopt: bool = Field(
        False,
        description="Take over devices without a source that have an address of this source, instead of a conflict.",
    )
    max_removals: int = Field(5, ge=0, description="Removals at once that are never held back.")
    max_removal_percent: int = Field(
        20, ge=0, le=100, description="The same, in per cent of its devices. More than both is held back."
    )
    accept_after: int = Field(
        0, ge=0, description="Unchanged readings after which removals that are held back are done. `0`: never."
    )

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, values: object) -> object:
        if isinstance(values, dict) and (wrong := [key for key in _SECRETS if key in values]):
            raise ValueError(f"{wrong[0]} must not be written here; use {wrong[0]}_file or {wrong[0]}_env")
        return values

    @field_validator("labels")
    @classmethod
    def _label_names(cls, value: dict[str, str]) -> dict[str, str]:
        if wrong := next((name for name in value if not _LABEL.match(name)), None):
            raise ValueError(f"{wrong[:40]!r} is not a label name")
        return value


class FileSource(SourceDefinition):
    """Files on this machine, or a mounted ConfigMap."""

    type: Literal["file"]
    path: str = Field(min_length=1, description="A file, or a pattern such as `/etc/promsnmp/devices/*.yml`.")


class RemoteSource(SourceDefinition):
    """What is asked over HTTP."""

    url: str = Field(description="`http://` or `https://`, without user and password.")
    token_file: Path | None = Field(None, description="File with a token.")
    token_env: str = Field("", description="Environment variable with a token.")
    ca_file: Path | None = Field(
        None, description="Certificates (PEM) by which the server is checked. Default: those of the system."
    )
    timeout: Milliseconds = Field(30_000, ge=100, le=600_000, description="Time for one request.")
    max_bytes: Bytes = Field(32 * 1024 * 1024, ge=1024, le=1024**3, description="Maximum bytes of all that is read.")

    @field_validator("url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        wrong = ValueError("is not a URL such as https://host:8443/path")
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise wrong from None
        if not usable or parts.fragment or not all("!" <= one <= "~" for one in value):
            raise wrong
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not have a user or password; use user and password_file, or token_file")
        return value

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.token_file and self.token_env:
            raise ValueError("token_file and token_env are both given; use one")
        return self


class HttpSource(RemoteSource):
    """JSON from an HTTP server."""

    type: Literal["http"]
    user: str = Field("", description="User name for basic authentication.")
    password_file: Path | None = Field(None, description="File with the password.")
    password_env: str = Field("", description="Environment variable with the password.")
    cert_file: Path | None = Field(None, description="Certificate (PEM) by which PromSNMP shows who it is.")
    key_file: Path | None = Field(None, description="Key of `cert_file`, if it is in another file.")

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if self.user and (self.token_file or self.token_env):
            raise ValueError("user and a token are both given; use one")
        if bool(self.user) != bool(self.password_file or self.password_env):
            raise ValueError("user needs password_file or password_env, and the other way round")
        return self


class DnsSource(SourceDefinition):
    """Devices that DNS lists in SRV records (RFC 2782)."""

    type: Literal["dns"]
    records: tuple[str, ...] = Field(
        min_length=1, description="Names of SRV records, such as `_snmp._udp.example.org`."
    )
    servers: tuple[str, ...] = Field(
        (), description="Name servers, `address` or `address:port`. Default: the system's."
    )
    timeout: Milliseconds = Field(10_000, ge=100, le=600_000, description="Time for one name.")

    @field_validator("records", "servers", mode="before")
    @classmethod
    def _also_one(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class _NetworkSource(RemoteSource):
    """What NetBox and Nautobot have in common."""

    filters: dict[str, str | tuple[str, ...]] = Field(
        {}, description="Which devices, in the words of its API, such as `status: active`, `site: [ber, muc]`."
    )
    virtual_machines: bool = Field(False, description="Virtual machines, too.")
    address_field: str = Field(
        "primary_ip", description="Field with the address: `primary_ip`, `primary_ip4`, `primary_ip6` or `oob_ip`."
    )
    label_fields: dict[str, str] = Field(description="Labels, and the field of each, such as `site: site.slug`.")
    tag_label: str = Field("tags", description="Label with the tags, comma separated. Empty: none.")
    credentials_field: str = Field(
        "promsnmp_credentials", description="Custom field with the name of a device's credentials."
    )
    modules_field: str = Field(
        "promsnmp_modules", description="Custom field with a device's modules: text with commas, or a selection."
    )

    @field_validator("label_fields")
    @classmethod
    def _fields_of_labels(cls, value: dict[str, str]) -> dict[str, str]:
        if wrong := next((name for name in value if not _LABEL.match(name)), None):
            raise ValueError(f"{wrong[:40]!r} is not a label name")
        return value


class NetboxSource(_NetworkSource):
    """Devices of NetBox."""

    type: Literal["netbox"]
    label_fields: dict[str, str] = Field(
        {"site": "site.slug", "role": "role.slug", "platform": "platform.slug", "tenant": "tenant.slug"},
        description="Labels, and the field of each, such as `site: site.slug`.",
    )


class NautobotSource(_NetworkSource):
    """Devices of Nautobot."""

    type: Literal["nautobot"]
    address_field: str = Field("primary_ip4", description="Field with the address: `primary_ip4` or `primary_ip6`.")
    label_fields: dict[str, str] = Field(
        {"location": "location.name", "role": "role.name", "platform": "platform.name", "tenant": "tenant.name"},
        description="Labels, and the field of each, such as `location: location.name`.",
    )


AnySource = Annotated[FileSource | HttpSource | DnsSource | NetboxSource | NautobotSource, Field(discriminator="type")]
KINDS: tuple[type[SourceDefinition], ...] = (FileSource, HttpSource, DnsSource, NetboxSource, NautobotSource)
ENTRY: TypeAdapter[AnySource] = TypeAdapter(AnySource)
