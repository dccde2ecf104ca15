"""How a command asks a running PromSNMP: where it is, who asks, and what went wrong, in the words of a command line.

The standard library's client is enough for a handful of JSON calls: it knows proxies and certificates, and the service
need not carry a library that only commands would use. It follows no redirects, since they would take credentials
elsewhere. Secrets come from the environment, a file or a prompt, so that they stand in no list of processes.
"""

from __future__ import annotations

import base64
import functools
import http.client
import ipaddress
import json
import os
import socket
import ssl
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit

import click

from promsnmp.errors import ServiceError

URL, TOKEN, PASSWORD = "PROMSNMP_URL", "API_TOKEN", "PROMSNMP_PASSWORD"  # names of variables
DEFAULT_URL = "http://localhost:8080"
TIMEOUT = 30.0
"""Seconds that the service has to answer."""


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """A good answer (2xx); names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises ServiceError when it is something else."""
        try:
            return json.loads(self.body or b"null")
        except ValueError:
            raise ServiceError("the answer is not JSON: is that a PromSNMP?", status=self.status) from None


class ServiceClient:
    """Calls to the service at ``url``, with ``authorization`` as the header of that name says it."""

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
        """The answer to one request; ``document`` is sent as JSON.

        Raises ServiceError, with the status and the service's own words when it refused.
        """
        address = self.url + quote(path) + (f"?{urlencode(query)}" if query else "")
        sent = {"Accept": "application/json, text/plain;q=0.9", **(headers or {})}
        if self._authorization:
            sent["Authorization"] = self._authorization
        body = None
        if document is not None:
            body, sent["Content-Type"] = json.dumps(document).encode(), "application/json"
        request = urllib.request.Request(address, data=body, headers=sent, method=method)  # noqa: S310  # see _checked
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                response_headers = {name.lower(): value for name, value in answer.headers.items()}
                return ServiceResponse(answer.status, response_headers, answer.read())
        except HTTPError as error:
            with error:
                raise _service_error(error, self.url, signed=bool(self._authorization)) from None
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            raise ServiceError(f"{self.url}: {_reason(error)}") from None


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
    """What the service says, and what to do where it wants to know who asks."""
    text, problems = _error_text(error.read())
    if error.code == http.HTTPStatus.UNAUTHORIZED:
        what = "does not accept these credentials" if signed else "asks who you are"
        text = f"the service {what} ({text}); set {TOKEN}, or give --token-file or --login"
    elif 300 <= error.code < 400:
        text = f"it answers with a redirect to {error.headers.get('location', 'nowhere')}; give --url as it is there"
    return ServiceError(f"{url}: {text or error.reason}", status=error.code, problems=problems)


def _error_text(body: bytes) -> tuple[str, list[str]]:
    """Text and problems of an error's body: ours in JSON, or the first line of whatever came."""
    try:
        document = json.loads(body)
        text, problems = str(document["error"]), [str(item) for item in document.get("problems") or ()]
        return text, [problem for problem in problems if problem not in text]
    except (ValueError, KeyError, TypeError, AttributeError):
        return body.decode("utf-8", "replace").strip().partition("\n")[0][:200], []


def _reason(error: BaseException) -> str:
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}); --ca-file names the CA that signed it"
        case ssl.SSLError():
            return f"no TLS connection ({error.reason or error}); does it speak https, does it want --cert-file?"
        case ConnectionRefusedError():
            return f"nothing listens there; is promsnmp serve running? (--url, {URL})"
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return f"the name does not resolve ({error.strerror})"
        case http.client.HTTPException():
            return f"what it answers is not HTTP ({type(error).__name__}); is the URL https?"
        case _:
            return str(getattr(error, "strerror", None) or error)


# ------------------------------------------------------------------------------------------------------ the options


def service_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say where the service is and who asks; it is called with ``service``, a Client,
    or None when neither ``--url`` nor PROMSNMP_URL was given."""

    @functools.wraps(command)
    def with_service(*, url: str | None, **options: Any) -> Any:
        given = {name: options.pop(name) for name in ("token_file", "login", "ca_file", "cert_file", "key_file")}
        chosen = url or os.environ.get(URL)
        if not chosen and (unused := [name for name, value in given.items() if value is not None]):
            raise click.UsageError(f"--{unused[0].replace('_', '-')} is for a running service: give --url, too")
        return command(service=make_client(chosen, **given) if chosen else None, **options)

    for option in reversed(_OPTIONS):
        with_service = option(with_service)
    return with_service


def make_client(
    url: str,
    *,
    token_file: Path | None = None,
    login: str | None = None,
    ca_file: Path | None = None,
    cert_file: Path | None = None,
    key_file: Path | None = None,
) -> ServiceClient:
    """A client of the options. Raises click.UsageError where they contradict each other or a file cannot be read."""
    if login is not None and token_file is not None:
        raise click.UsageError("--login and --token-file are two ways to say who asks: give one of them")
    if key_file is not None and cert_file is None:
        raise click.UsageError("--key-file is the key of --cert-file: give that, too")
    tls = None
    if ca_file or cert_file:
        try:
            tls = ssl.create_default_context(cafile=ca_file)
            if cert_file:
                tls.load_cert_chain(cert_file, key_file, password=lambda: b"")
        except OSError as error:  # ssl.SSLError is one
            names = ", ".join(str(item) for item in (ca_file, cert_file, key_file) if item)
            raise click.UsageError(f"cannot use {names}: {error.strerror or error}") from None
    return ServiceClient(_checked_url(url), authorization=authorization(login, token_file), tls=tls)


def _checked_url(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port or 80
    except ValueError:
        port = 0
    if parts.username or parts.password:
        raise click.UsageError(f"--url must not hold a name or password: give --login, and the password in {PASSWORD}")
    if parts.scheme not in ("http", "https") or not (parts.hostname and port) or parts.query or parts.fragment:
        raise click.UsageError(f"--url {url!r} is not a URL such as {DEFAULT_URL}")
    return parts.geturl()


def authorization(user: str | None = None, token_file: Path | None = None) -> str:
    """The header: basic for ``user`` (RFC 7617), else a bearer token (RFC 6750) if there is one."""
    if user is not None:
        return "Basic " + base64.b64encode(f"{user}:{_password(user)}".encode()).decode()
    token = os.environ.get(TOKEN, "").strip()
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"--token-file {token_file}: {getattr(error, 'strerror', 'is not text')}") from None
        if not token:
            raise click.UsageError(f"--token-file {token_file}: there is nothing in it")
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise click.UsageError("the token holds characters that no token has")
    return f"Bearer {token}" if token else ""


def _password(user: str) -> str:
    if ":" in user:
        raise click.UsageError("--login is a name alone, and has no colon in it (RFC 7617)")
    password = os.environ.get(PASSWORD)
    if password is not None:
        return password
    if not sys.stdin.isatty():
        raise click.UsageError(f"there is no password for {user}: set {PASSWORD}")
    return str(click.prompt(f"Password of {user}", hide_input=True, err=True))


_FILE = click.Path(path_type=Path)
_OPTIONS = (
    click.option("--url", metavar="URL", help=f"The running service, such as {DEFAULT_URL}. Default: {URL}."),
    click.option("--token-file", type=_FILE, metavar="FILE", help=f"Bearer token in a file. Default: {TOKEN}."),
    click.option("--login", metavar="NAME", help=f"Name for basic auth; its password is in {PASSWORD}, or asked for."),
    click.option("--ca-file", type=_FILE, metavar="FILE", help="CA certificates (PEM) to trust for https."),
    click.option("--cert-file", type=_FILE, metavar="FILE", help="Client certificate (PEM), with its chain."),
    click.option("--key-file", type=_FILE, metavar="FILE", help="Its key, where it is not in the same file."),
)
