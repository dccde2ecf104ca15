"""The service on this machine, asked with nothing but its own settings: for containers that look after themselves."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.options.service import authorization, make_client
from promsnmp.http.security.web_config import read_web_config

_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  # compared, not listened on
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL: that a certificate expired is told by the health


def local_client() -> ServiceClient:
    """With API_TOKEN if there is one, and over TLS where WEB_CONFIG_FILE asks for it: whoever has the certificate that
    is in there is the service.

    Raises SettingsError when that file cannot be used.
    """
    address = os.environ.get("SERVER_ADDRESS", "")
    host = "localhost" if address in _EVERYWHERE else f"[{address}]" if ":" in address else address
    place = f"{host}:{os.environ.get('SERVER_PORT') or 8080}"
    file = os.environ.get("WEB_CONFIG_FILE")
    tls = read_web_config(Path(file)).tls if file else None
    if tls is None:
        return make_client(f"http://{place}")
    context = ssl.create_default_context(cadata=tls.cert.decode("latin-1"))
    context.check_hostname = False  # it need not be called localhost
    context.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME)  # nor be of a strict form
    return ServiceClient(f"https://{place}", authorization=authorization(), tls=context)
