"""Settings of what becomes of traps: names, rules, and where they are passed on to."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from promsnmp.settings.group import Group
from promsnmp.settings.reading.parsing import parts
from promsnmp.settings.reading.units import Bytes, Milliseconds


class TrapOutputSettings(Group):
    """Settings of what becomes of traps."""

    TITLE = "Traps: names, rules, outputs"
    KEY = "trap_outputs"

    trap_definitions: str = Field(
        "",
        description="Files with names of more notifications, comma separated: what `promsnmp modules build --traps` "
        "makes of MIB files.",
    )
    trap_rules: Path | None = Field(
        None,
        description="File with rules: severity, text and labels of notifications, which to drop, and which belong "
        "together ([trap-rules.md](trap-rules.md)). They count before the built-in ones.",
    )
    trap_log: bool = Field(True, description="Write each notification into the log, as a line of JSON.")
    trap_file: Path | None = Field(None, description="File to which each notification is written as a line of JSON.")
    trap_file_max_bytes: Bytes = Field(
        100 * 1024 * 1024, ge=1024, description="Bytes of `TRAP_FILE` at which it is rotated (`.1` is the newest)."
    )
    trap_file_keep: int = Field(5, ge=0, le=1000, description="Rotated files that are kept.")
    trap_alertmanager_urls: SecretStr | None = Field(
        None,
        description="Alertmanagers, comma separated, such as `http://alertmanager-0:9093`; each gets every alert. "
        "`http://user:password@host` sends a password.",
    )
    trap_alertmanager_token: SecretStr | None = Field(None, description="Bearer token for them.")
    trap_alert_repeat: Milliseconds = Field(
        60_000,
        ge=1000,
        description="Milliseconds between two times at which firing alerts are sent again, for Alertmanagers that have "
        "restarted.",
    )
    trap_alert_timeout: Milliseconds = Field(
        900_000,
        ge=1000,
        description="Milliseconds after which an alert ends that nothing resolves, where its rule has no `timeout`.",
    )
    trap_page_url: str = Field(
        "", description="Address of PromSNMP for people: the source of alerts (`generatorURL`). Empty: none."
    )
    trap_loki_url: SecretStr | None = Field(None, description="Loki, such as `http://loki:3100`.")
    trap_loki_token: SecretStr | None = Field(None, description="Bearer token for Loki.")
    trap_loki_tenant: str = Field("", description="Tenant of Loki (`X-Scope-OrgID`).")
    trap_otlp_url: SecretStr | None = Field(
        None, description="Receiver of OTLP logs over HTTP, such as `http://otel-collector:4318`."
    )
    trap_otlp_token: SecretStr | None = Field(None, description="Bearer token for it.")
    trap_webhook_url: SecretStr | None = Field(None, description="URL to which notifications are sent as JSON.")
    trap_webhook_token: SecretStr | None = Field(None, description="Bearer token for it.")
    trap_webhook_secret: SecretStr | None = Field(
        None, description="Key with which the requests are signed (HMAC-SHA-256). Default: not signed."
    )
    trap_output_ca_file: Path | None = Field(
        None, description="Certificates (PEM) by which https receivers are checked. Default: those of the system."
    )
    trap_queue_dir: Path | None = Field(
        None,
        description="Folder for the queues of the outputs, so that nothing is lost when PromSNMP restarts. Replicas "
        "may share it. Default: in memory.",
    )
    trap_queue_max_bytes: Bytes = Field(
        64 * 1024 * 1024,
        ge=65_536,
        description="Maximum bytes of the queue of one output; the oldest notifications are dropped first. "
        "64 MiB are about 60,000 notifications.",
    )
    trap_queue_max_count: int = Field(
        20_000, ge=1, description="Maximum notifications of a queue in memory, besides its bytes."
    )
    trap_queue_max_age: Milliseconds = Field(
        86_400_000,
        ge=0,
        description="Milliseconds after which a notification that could not be delivered is dropped. 0: never.",
    )
    trap_queue_sync: bool = Field(
        True,
        description="Wait until the disk has stored a notification before it counts as safe (`fdatasync`). Off: it "
        "survives a crash of PromSNMP, but not a power failure.",
    )

    @property
    def trap_definition_files(self) -> tuple[Path, ...]:
        """The files of ``trap_definitions``."""
        return tuple(Path(one).expanduser() for one in parts(self.trap_definitions))
