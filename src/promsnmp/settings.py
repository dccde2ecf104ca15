"""Every setting, read once from the environment into one frozen value.

The names are those of the original PromSNMP where it had them, and otherwise follow its style. Each field's
description is the text of ``docs/configuration.md`` (a test compares them), so write it for an operator.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from promsnmp.errors import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
KEY_LENGTHS = (16, 24, 32)


def default_inventory_file() -> Path:
    """``promsnmp-inventory.json`` in the user's data folder (XDG Base Directory Specification, XDG_DATA_HOME)."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "promsnmp" / "promsnmp-inventory.json"


class Settings(BaseSettings):
    """What an operator can set, by environment variable (upper case of the field's name)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

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
        "([access.md](access.md)). Read again when it changes.",
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

    collection_interval: int = Field(
        30_000,
        ge=0,
        description="Milliseconds between two polls of one device. 0 turns background polling off: each scrape polls.",
    )
    collection_concurrency: int = Field(200, ge=1, description="How many devices are polled at the same time, at most.")
    collection_backoff_max: int | None = Field(
        None,
        ge=0,
        description="Milliseconds between two polls of a device that does not answer, at most; "
        "the interval doubles up to this with each failure. Default: ten intervals.",
    )
    collection_timeout: int = Field(
        60_000, ge=1, description="Milliseconds that the whole poll of one device may take; what came by then is kept."
    )
    collection_modules: str = Field(
        "auto",
        description="Modules that a device of the inventory is polled with, comma separated, unless it names its own. "
        "`auto` stands for those that suit the device, as found out by asking it.",
    )
    collection_label_refresh: int = Field(
        10,
        ge=1,
        description="Polls of a device between two readings of the columns that only give labels (ifName, ifAlias and "
        "the like); they are read at once when the device tells of a change. 1 reads them at every poll.",
    )
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
    cache_exp_millis: int = Field(
        300_000,
        ge=0,
        description="Milliseconds after which a page is never served again. 0 keeps no pages. "
        "With `COLLECTION_INTERVAL=0` pages are kept only if this is set: otherwise each scrape polls.",
    )
    cache_entry_cnt: int = Field(10_000, ge=1, description="Pages kept in memory, at most; the least recently used go.")

    snmp_config_files: str = Field(
        "",
        description="Files in the form of snmp_exporter's `snmp.yml`, comma separated; `*` and `?` match names. "
        "Their modules and auths take the place of built-in ones of the same name.",
    )
    snmp_allow_adhoc_targets: bool = Field(
        False,
        description="Poll addresses that are not in the inventory when `/snmp?target=` names them. "
        "Default: on when `SNMP_CONFIG_FILES` is set, else off.",
    )
    snmp_adhoc_networks: str = Field(
        "",
        description="Networks, comma separated, that such addresses must lie in (`192.0.2.0/24,2001:db8::/32`). "
        "Empty: anywhere.",
    )
    interface_utilization: bool = Field(
        True, description="Add the histogram `interface_utilization` to pages with interface counters."
    )
    snmp_wrap_large_counters: bool = Field(
        True, description="Reduce Counter64 values modulo 2^53, as snmp_exporter does, so that `rate()` stays exact."
    )
    snmp_zero_for_non_numbers: bool = Field(
        False, description="Show 0 where a number is wanted and the device gives something else, as snmp_exporter does."
    )
    snmp_expand_environment: bool = Field(
        True, description="Replace `$NAME` in names and passphrases of version 3 auths in `SNMP_CONFIG_FILES`."
    )
    snmp_source_address: str = Field(
        "", description="Address that devices of its family are asked from. Empty: the system chooses."
    )
    scrape_strict: bool = Field(
        False,
        description="Answer a scrape with status 500, as snmp_exporter does, when not all could be read, or a series "
        "or a family stands on the page twice. Default: what is good is served, and metrics tell of the rest.",
    )
    page_own_metrics: bool = Field(
        True, description="Add what snmp_exporter does not have to pages: `promsnmp_*` and `interface_utilization`."
    )

    discovery_cron: str = Field(
        "0 0 2 * * *",
        description="When all saved seeds are searched, as Spring writes it: second minute hour day month weekday; "
        "`-` is for never ([schedule.md](schedule.md)).",
    )
    discovery_tz: str = Field(
        "",
        description="Time zone of `DISCOVERY_CRON`, such as `Europe/Berlin`. Empty: the machine's (`TZ`), or else UTC.",
    )
    discovery_on_start: bool = Field(False, description="Search all saved seeds at the start, too.")
    discovery_packets_per_second: int = Field(
        3000,
        ge=1,
        le=100_000,
        description="Packets that searches for devices send in a second, all together, at most. "
        "A /16 takes about 45 s for each credential that is tried.",
    )
    discovery_in_flight: int = Field(
        5000, ge=1, le=1_000_000, description="Addresses that one search waits for at the same time, at most."
    )
    discovery_timeout: int = Field(
        1000, ge=1, le=3_600_000, description="Milliseconds that a search waits for the answer to one packet."
    )
    discovery_retries: int = Field(1, ge=0, le=100, description="How often a search asks a silent address again.")
    discovery_lost_after: int = Field(
        259_200_000,
        ge=0,
        description="Milliseconds after which a device that searches do not find where it should be is marked as lost. "
        "Default: three days.",
    )
    discovery_remove_lost: bool = Field(
        False, description="Remove devices from the inventory instead of marking them as lost."
    )
    discovery_neighbour_networks: str = Field(
        "",
        description="Networks, comma separated, within which the LLDP and CDP neighbours of found devices are asked, "
        "too. Empty: neighbours are not followed.",
    )

    prom_inv_file: Path = Field(
        default_factory=default_inventory_file,
        description="The encrypted inventory file. Default: `promsnmp/promsnmp-inventory.json` "
        "in `$XDG_DATA_HOME` (`~/.local/share`).",
    )
    prom_encrypt_key: SecretStr | None = Field(
        None,
        description="Key of the inventory file: 16, 24 or 32 bytes of text. "
        "Unset: one is made beside the file, mode 0600.",
    )

    prom_tenant_id: str = Field("default_tenant", description="Tenant, shown in `/targets` and `promsnmp_site_info`.")
    prom_site_id: str = Field("default_site", description="Site, shown in `/targets` and `promsnmp_site_info`.")
    prom_site_label: str = Field("", description="The site's name for people.")
    prom_site_descr: str = Field("", description="The site's description.")
    prom_site_addr: str = Field("", description="The site's postal address.")
    prom_site_lat: float | None = Field(None, ge=-90, le=90, description="The site's latitude in degrees.")
    prom_site_long: float | None = Field(None, ge=-180, le=180, description="The site's longitude in degrees.")

    pod_name: str = Field(
        default_factory=socket.gethostname,
        description="This replica's name, which no other one may have. Default: the host's name.",
    )
    pod_namespace: str = Field(
        "", description="Kubernetes namespace of the Lease. Default: that of the service account, else `default`."
    )
    pod_ip: str = Field(
        "",
        description="Address at which the other replicas reach this one. "
        "Default: `SERVER_ADDRESS`, else this machine's address on the way to Redis.",
    )
    election_backend: Literal["none", "redis", "kubernetes"] | None = Field(
        None,
        description="Where replicas elect the one that writes and searches: `redis`, `kubernetes` (a Lease) or `none` "
        "(there is one replica). Default: `redis` when `REDIS_HOST` or `REDIS_URL` is set, else `none`.",
    )
    election_lease_duration: int = Field(
        30_000, ge=1000, description="Milliseconds after which a leader that is not heard of is replaced."
    )
    election_renew_interval: int = Field(
        10_000, ge=100, description="Milliseconds between two renewals of the leader's lease; a third of it, or less."
    )
    redis_host: str = Field("", description="Host of Redis, which several replicas share.")
    redis_port: int = Field(6379, ge=1, le=65535, description="Port of Redis.")
    redis_password: SecretStr | None = Field(None, description="Password of Redis.")
    redis_url: SecretStr | None = Field(
        None,
        description="Redis as a URL, instead of host and port: `redis://[user:password@]host[:port][/db]`, `rediss://` "
        "for TLS (`?ssl_ca_certs=FILE`), `redis+sentinel://host[:port][,host...]/service[/db]` for Sentinel.",
    )
    redis_key_prefix: str = Field("", description="What the names of keys in Redis begin with, as in `site-1:leader`.")
    cluster_service: str = Field(
        "",
        description="DNS name whose addresses are those of all replicas (a headless Service), optionally with `:port`. "
        "Needed where there is no Redis, so that replicas share the work.",
    )
    cluster_member_timeout: int = Field(
        10_000, ge=500, description="Milliseconds of silence after which a replica's devices are polled by the others."
    )
    kubernetes_service_host: str = Field("", description="Address of the Kubernetes API; Kubernetes sets it in pods.")
    kubernetes_service_port: int = Field(443, ge=1, le=65535, description="Port of the Kubernetes API; likewise.")
    kubernetes_service_account: Path = Field(
        Path("/var/run/secrets/kubernetes.io/serviceaccount"),
        description="Folder with `token`, `ca.crt` and `namespace` for the Kubernetes API.",
    )
    shutdown_timeout: int = Field(
        30_000, ge=0, description="Milliseconds that requests in flight are given to finish after SIGTERM."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["text", "json"] = Field("text", description="`text` for people, `json` for log collectors.")

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("server_more_addresses")
    @classmethod
    def _places(cls, value: str) -> str:
        for part in _parts(value):
            listen_address(part)
        return value

    @field_validator("snmp_source_address")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            return str(ip_address(value)) if value else ""
        except ValueError:
            raise ValueError("is not an address such as 192.0.2.1 or 2001:db8::1") from None

    @field_validator("api_token")
    @classmethod
    def _token_form(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all("!" <= character <= "~" for character in value.get_secret_value()):
            raise ValueError("must be printable ASCII without spaces (make one: openssl rand -hex 32)")
        return value

    @field_validator("snmp_adhoc_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        _networks(value)
        return value

    @field_validator("prom_encrypt_key")
    @classmethod
    def _key_length(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (size := len(value.get_secret_value().encode())) not in KEY_LENGTHS:
            raise ValueError(f"is {size} bytes long; it must be 16, 24 or 32 bytes (make one: openssl rand -hex 8)")
        return value

    @model_validator(mode="after")
    def _election_possible(self) -> Self:
        if self.election_renew_interval * 2 > self.election_lease_duration:
            raise ValueError("ELECTION_RENEW_INTERVAL must be at most half of ELECTION_LEASE_DURATION")
        if self.backend == "redis" and not self.has_redis:
            raise ValueError("ELECTION_BACKEND=redis needs REDIS_HOST or REDIS_URL")
        if self.backend == "kubernetes" and not self.kubernetes_service_host:
            raise ValueError("ELECTION_BACKEND=kubernetes needs KUBERNETES_SERVICE_HOST, which every pod has")
        return self

    @property
    def has_redis(self) -> bool:
        return bool(self.redis_host or self.redis_url)

    @property
    def backend(self) -> str:
        """Where leaders are elected."""
        return self.election_backend or ("redis" if self.has_redis else "none")

    @property
    def backoff_max(self) -> float:
        """Seconds of ``collection_backoff_max``, or else of ten intervals."""
        longest = self.collection_backoff_max
        return (10 * self.collection_interval if longest is None else longest) / 1000

    @property
    def listen_addresses(self) -> list[tuple[str, int]]:
        """Addresses (empty: all of them) and ports to listen at."""
        more = [listen_address(part) for part in _parts(self.server_more_addresses)]
        return [(self.server_address, self.server_port), *more]

    @property
    def config_patterns(self) -> tuple[str, ...]:
        """The parts of ``snmp_config_files``."""
        return _parts(self.snmp_config_files)

    @property
    def adhoc_targets(self) -> bool:
        """Whether addresses outside the inventory are polled: as set, else when module files are given."""
        is_set = "snmp_allow_adhoc_targets" in self.model_fields_set
        return self.snmp_allow_adhoc_targets if is_set else bool(self.config_patterns)

    @property
    def adhoc_networks(self) -> tuple[Network, ...]:
        """The parts of ``snmp_adhoc_networks``."""
        return _networks(self.snmp_adhoc_networks)

    @property
    def page_lifetime(self) -> float:
        """Seconds that a page is kept: none when each scrape is to poll, which is so unless the operator set a time."""
        polls = self.collection_interval > 0 or "cache_exp_millis" in self.model_fields_set
        return self.cache_exp_millis / 1000 if polls else 0.0

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of ``collection_modules``, in order, without duplicates."""
        return tuple(dict.fromkeys(_parts(self.collection_modules)))


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def listen_address(text: str) -> tuple[str, int]:
    """Address (empty: all of them) and port of ``address:port``, ``[IPv6]:port`` or ``:port``. Raises ValueError."""
    address, _, port = text.rpartition(":")
    if ":" in address and not (address.startswith("[") and address.endswith("]")):
        raise ValueError(f"{text!r} is not address:port, [IPv6]:port or :port")
    if not (port.isascii() and port.isdigit() and int(port) < 65_536) or ":" not in text:
        raise ValueError(f"{text!r} is not address:port, [IPv6]:port or :port")
    return address.removeprefix("[").removesuffix("]"), int(port)


def _networks(text: str) -> tuple[Network, ...]:
    """Raises ValueError that names the part that is no network."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tuple(ipaddress.ip_network(part) for part in parts)
    except ValueError as error:
        raise ValueError(f"{error}; write networks such as 192.0.2.0/24,2001:db8::/32") from None


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, ``overrides`` first.

    Raises SettingsError with one line per wrong variable; values are shown, except those of secrets.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # keyword names are checked by pydantic
    except ValidationError as error:
        raise SettingsError("\n".join(_problem(item) for item in error.errors())) from None


def _problem(item: object) -> str:
    assert isinstance(item, dict)
    name = ".".join(map(str, item["loc"]))
    reason = str(item["msg"]).removeprefix("Value error, ")
    if not name:  # of several variables together, and the reason names them
        return reason
    field = Settings.model_fields.get(name)
    is_secret = field is not None and SecretStr in (field.annotation, *get_args(field.annotation))
    shown = "" if is_secret else f"={item['input']!s}"
    return f"{name.upper()}{shown}: {reason[:1].lower() + reason[1:]}"
