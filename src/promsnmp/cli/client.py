"""Calls the HTTP API of a running PromSNMP, and turns its errors into messages for a command line.

The standard library's client is enough for a handful of JSON calls: it knows proxies and certificates, and the service
need not carry a library that only commands would use. It follows no redirects, because they would take credentials
elsewhere. ``cli/options/service.py`` has the options that make a client.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit

from promsnmp.errors import ServiceError

URL, TOKEN = "PROMSNMP_URL", "API_TOKEN"  # names of variables
TIMEOUT = 30.0
"""Seconds that the service has to answer."""


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """A successful response (2xx); names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises ServiceError when it is something else."""
        try:
            return json.loads(self.body or b"null")
        except ValueError:
            raise ServiceError("the response is not JSON; is this the URL of PromSNMP?", status=self.status) from None


class ServiceClient:
    """Calls the service at ``url``; ``authorization`` is the value of that header, empty for none."""

    def __init__(
        self, url: str, *, authorization: str = "", tls: ssl.SSLContext | None = None, timeout: float = TIMEOUT
    ) -> None:
        self.url = url.rstrip("/")
        self._authorization = authorization
        self._timeout = timeout
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=tls), _NoRedirects()]
        if _is_loopback(url):
            handlers.append(urllib.request.ProxyHandler({}))  # no proxy reaches this machine's loopback
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, **query: str | int) -> ServiceResponse:
        """As ``call``, with GET; ``path`` begins with a slash and is quoted here."""
        return self.call("GET", path, query=query)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        document: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> ServiceResponse:
        """Sends one request, ``document`` as JSON, and returns the response.

        Raises ServiceError, with the status and the service's own message when it refused.
        """
        address = self.url + quote(path) + (f"?{urlencode(query)}" if query else "")
        sent = {"Accept": "application/json, text/plain;q=0.9", **(headers or {})}
        if self._authorization:
            sent["Authorization"] = self._authorization
        body = None
        if document is not None:
            body, sent["Content-Type"] = json.dumps(document).encode(), "application/json"
        request = urllib.request.Request(address, data=body, headers=sent, method=method)  # noqa: S310  # see _checked_url
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                response_headers = {name.lower(): value for name, value in answer.headers.items()}
                return ServiceResponse(answer.status, response_headers, answer.read())
        except HTTPError as error:
            with error:
                raise _service_error(error, self.url, signed=bool(self._authorization)) from None
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            raise ServiceError(f"{self.url}: {_reason(error, self.url)}") from None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _service_error(error: HTTPError, url: str, *, signed: bool) -> ServiceError:
    """The message of the service, and what to do about a 401 or a redirect."""
    text, problems = _error_text(error.read())
    if error.code == http.HTTPStatus.UNAUTHORIZED:
        what = "the service rejected these credentials" if signed else "the service requires authentication"
        text = f"{what} ({text}); set {TOKEN}, or use --token-file or --login"
    elif 300 <= error.code < 400:
        text = f"redirected to {error.headers.get('location', 'nowhere')}; use that location as --url"
    return ServiceError(f"{url}: {text or error.reason}", status=error.code, problems=problems)


def _error_text(body: bytes) -> tuple[str, list[str]]:
    """Text and problems of an error's body: PromSNMP's JSON, or the first line of anything else."""
    try:
        document = json.loads(body)
        text, problems = str(document["error"]), [str(item) for item in document.get("problems") or ()]
        return text, [problem for problem in problems if problem not in text]
    except (ValueError, KeyError, TypeError, AttributeError):
        return body.decode("utf-8", "replace").strip().partition("\n")[0][:200], []


_CLOSED = (ConnectionError, http.client.RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""How a connection ends that the other side does not want. A server of TLS 1.3 that misses the client's certificate
ends it when the client has sent its request, or is sending it: first comes its alert, or that it has gone."""


def _reason(error: BaseException, url: str) -> str:
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    match error:
        case ssl.SSLCertVerificationError():
            return f"certificate not trusted ({error.verify_message}); use --ca-file with the CA that signed it"
        case ConnectionRefusedError():
            return f"connection refused; is promsnmp serve running? (--url, {URL})"
        case _ if isinstance(error, _CLOSED):
            return f"connection closed without a response; {_why_closed(url)}"
        case ssl.SSLError() if "_ALERT_" in (error.reason or ""):
            return f"TLS handshake refused ({_words(error.reason)}); {_why_closed(url)}"
        case ssl.SSLError():
            return f"TLS handshake failed ({error.reason or error}); does it speak https, does it need --cert-file?"
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return f"cannot resolve the host name ({error.strerror})"
        case http.client.HTTPException():
            return f"the response is not HTTP ({type(error).__name__}); is the URL https?"
        case _:
            return str(getattr(error, "strerror", None) or error)


def _why_closed(url: str) -> str:
    if urlsplit(url).scheme == "https":
        return "does it require a client certificate, or another one? (--cert-file, --key-file)"
    return "is the URL https?"


def _words(reason: str) -> str:
    return reason.lower().replace("_", " ")
