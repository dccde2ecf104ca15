"""A client for the service on this machine, made from that service's settings: for commands in a container."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.options.service import authorization, make_client
from promsnmp.http.security.web_config import read_web_config

_ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104  # compared, not listened on
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL: the health check reports an expired certificate


def local_client() -> ServiceClient:
    """A client with API_TOKEN if there is one, over TLS when WEB_CONFIG_FILE configures it.

    It trusts the certificate in WEB_CONFIG_FILE and no other. Raises SettingsError when that file cannot be used.
    """
    address = os.environ.get("SERVER_ADDRESS", "")
    host = "localhost" if address in _ANY_ADDRESS else f"[{address}]" if ":" in address else address
    netloc = f"{host}:{os.environ.get('SERVER_PORT') or 8080}"
    file = os.environ.get("WEB_CONFIG_FILE")
    tls = read_web_config(Path(file)).tls if file else None
    if tls is None:
        return make_client(f"http://{netloc}")
    context = ssl.create_default_context(cadata=tls.cert.decode("latin-1"))
    context.check_hostname = False  # it need not be issued for localhost
    context.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME)  # nor pass the strict checks
    return ServiceClient(f"https://{netloc}", authorization=authorization(), tls=context)
