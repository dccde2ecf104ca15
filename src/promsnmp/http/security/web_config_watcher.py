"""Watches the web configuration: reads it at the start and every other second, and replaces it whole or not at all.

Programs renew certificates at any hour, so a change must not need a restart, and a file that is half written must not
stop the service: a file that cannot be used is logged and shown in the health, and the old configuration stays in use.
Files are compared by content, since times and names mean little where volumes swap links.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.metrics_core import Metric

from promsnmp.errors import SettingsError
from promsnmp.http.security.passwords import PasswordChecker
from promsnmp.http.security.tls import (
    ReloadableContext,
    certificate_expiry,
    certificate_names,
    is_allowed,
    server_context,
)
from promsnmp.http.security.web_config import WebConfig, read_web_config
from promsnmp.observe.health import Component, Status
from promsnmp.observe.metric_families import gauge

log = logging.getLogger(__name__)


class WebConfigWatcher:
    """The file ``path``, None for no file. Raises SettingsError when it cannot be used."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.current = WebConfig()
        self.passwords = PasswordChecker()
        self.tls: ReloadableContext | None = None
        """The context of the sockets; None for plain HTTP. Decided once, at the start."""
        self.expires: datetime | None = None
        """When the certificate in use expires."""
        self.last_error: SettingsError | None = None
        if path is not None:
            config, context = _load(path)
            self.tls = ReloadableContext.of(context) if context is not None else None
            self._use(config, context)

    def client_name(self, certificate: bytes) -> str | None:
        """The name in a client's certificate (DER, verified); None when client_allowed_sans refuses it."""
        try:
            name, sans = certificate_names(certificate)
        except ValueError:
            return None
        tls = self.current.tls
        return name if tls is not None and is_allowed(tls.allowed_sans, sans) else None

    @property
    def trusts_certificates(self) -> bool:
        """Whether a client's certificate identifies it."""
        return self.current.tls is not None and self.current.tls.client_auth.verifies

    async def refresh(self) -> None:
        """``reload`` for a periodic task: logs an error once, and never raises it."""
        before = self.last_error
        try:
            await self.reload()
        except SettingsError as error:
            if str(error) != str(before):
                log.error(
                    "reload of the web configuration failed, the old one stays in use: %s", error
                )  # the text says it all

    async def reload(self) -> None:
        """Reads the file again and uses it if it changed. Raises SettingsError, and then keeps the old one."""
        if self._path is None:
            return
        try:
            config, context = await asyncio.to_thread(_load, self._path, self.current)
            if (config.tls is None) != (self.tls is None):
                raise SettingsError(f"{self._path}: turning TLS on or off needs a restart")
        except SettingsError as error:
            self.last_error = error
            raise
        if config != self.current or self.last_error is not None:
            self._use(config, context)
            log.info("reloaded the web configuration: %s", self._path)

    def _use(self, config: WebConfig, context: ssl.SSLContext | None) -> None:
        if self.tls is not None and context is not None:
            self.tls.current = context
        self.current, self.last_error = config, None
        self.expires = certificate_expiry(config.tls) if config.tls is not None else None
        self.passwords.users = dict(config.users)
        if self.expires is not None and self.expires <= datetime.now(UTC):
            log.warning("the certificate of the web configuration expired on %s; renew it", self.expires)

    def check(self) -> Component:
        """DOWN while the file has an error, and when the certificate has expired."""
        if self._path is None:
            return Component(Status.UP, {"tls": False, "users": 0})
        details: dict[str, object] = {"tls": self.tls is not None, "users": len(self.current.users)}
        if self.expires is not None:
            details["certificateExpires"] = self.expires.isoformat()
        if self.last_error is not None:
            return Component(Status.DOWN, {**details, "error": str(self.last_error)})
        if self.expires is not None and self.expires <= datetime.now(UTC):
            return Component(Status.DOWN, {**details, "error": "the certificate has expired"})
        return Component(Status.UP, details)

    def families(self) -> Iterable[Metric]:
        """For PromSNMP's own metrics; none without a file."""
        if self._path is None:
            return
        name = "promsnmp_web_config_last_reload_successful"
        yield gauge(name, "Whether the last reload of the web configuration succeeded.", float(self.last_error is None))
        if self.expires is not None:
            name = "promsnmp_tls_certificate_expiry_timestamp_seconds"
            yield gauge(name, "Unix time at which the server's certificate expires.", self.expires.timestamp())


def _load(path: Path, current: WebConfig | None = None) -> tuple[WebConfig, ssl.SSLContext | None]:
    """The configuration, and a context for its TLS unless it equals ``current``. Raises SettingsError."""
    config = read_web_config(path)
    if config.tls is None or config == current:
        return config, None
    try:
        return config, server_context(config.tls)
    except SettingsError as error:
        raise SettingsError(f"{path}: tls_server_config: {error}") from None
