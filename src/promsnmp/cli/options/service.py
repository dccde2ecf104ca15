"""The options for a running service: ``--url``, how to log in to it, and which certificates to trust.

Secrets come from the environment, a file or a prompt, so that they do not show up in the list of processes.
"""

from __future__ import annotations

import base64
import functools
import os
import ssl
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from promsnmp.cli.client import TOKEN, URL, ServiceClient
from promsnmp.support.secret_keys import exposure

PASSWORD = "PROMSNMP_PASSWORD"  # noqa: S105  # name of a variable
DEFAULT_URL = "http://localhost:8080"
MAX_TOKEN = 8192
"""Characters of a token: a header with more is refused by most servers."""


def service_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a service to a command, which gets ``service``: a ServiceClient, or None without a URL.

    The URL comes from ``--url``, or from PROMSNMP_URL unless ``--file`` names an inventory file.
    """

    @functools.wraps(command)
    def with_service(*, url: str | None, **options: Any) -> Any:
        given = {name: options.pop(name) for name in ("token_file", "login", "ca_file", "cert_file", "key_file")}
        if url and options.get("file"):
            raise click.UsageError("--file cannot be used with --url: a running service has its own inventory file")
        chosen = url or (None if options.get("file") else os.environ.get(URL))
        if not chosen and (unused := [name for name, value in given.items() if value is not None]):
            raise click.UsageError(f"--{unused[0].replace('_', '-')} needs --url: it is for a running service")
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
    """A client made from the options. Raises click.UsageError when they conflict or a file cannot be read."""
    if login is not None and token_file is not None:
        raise click.UsageError("use either --login or --token-file, not both")
    if key_file is not None and cert_file is None:
        raise click.UsageError("--key-file needs --cert-file")
    tls = None
    if ca_file or cert_file:
        try:
            tls = ssl.create_default_context(cafile=ca_file)
            if cert_file:
                tls.load_cert_chain(cert_file, key_file, password=lambda: b"")
                if problem := exposure(key_file or cert_file, (key_file or cert_file).stat()):
                    raise click.UsageError(f"the private key is refused: {problem}")
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
        raise click.UsageError(f"--url must not contain a user name or password; use --login and set {PASSWORD}")
    if parts.scheme not in ("http", "https") or not (parts.hostname and port) or parts.query or parts.fragment:
        raise click.UsageError(f"--url {url!r} is not a URL; it looks like {DEFAULT_URL}")
    return parts.geturl()


def authorization(user: str | None = None, token_file: Path | None = None) -> str:
    """The Authorization header: basic for ``user`` (RFC 7617), else a bearer token (RFC 6750), else empty."""
    if user is not None:
        return "Basic " + base64.b64encode(f"{user}:{_password(user)}".encode()).decode()
    token = os.environ.get(TOKEN, "").strip()
    if token_file is not None:
        token = _token(token_file)
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise click.UsageError("the API token contains spaces, control characters or non-ASCII characters")
    return f"Bearer {token}" if token else ""


def _token(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            problem = (
                exposure(path, status) if stat.S_ISREG(status.st_mode) else ""
            )  # not for a pipe: <(pass show promsnmp)
            token = file.read(MAX_TOKEN + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--token-file {path}: {getattr(error, 'strerror', 'is not text')}") from None
    if problem:
        raise click.UsageError(f"--token-file {path} is refused: {problem}")
    if not token:
        raise click.UsageError(f"--token-file {path} is empty")
    if len(token) > MAX_TOKEN:
        raise click.UsageError(f"--token-file {path} has more than {MAX_TOKEN:,} characters; it holds one token")
    return token


def _password(user: str) -> str:
    if ":" in user:
        raise click.UsageError("--login must not contain a colon (RFC 7617)")
    password = os.environ.get(PASSWORD)
    if password is not None:
        return password
    if not sys.stdin.isatty():
        raise click.UsageError(f"no password for {user}; set {PASSWORD}")
    return str(click.prompt(f"Password of {user}", hide_input=True, err=True))


_FILE = click.Path(path_type=Path)
_OPTIONS = (
    click.option("--url", metavar="URL", help=f"URL of a running service, such as {DEFAULT_URL}.  [default: {URL}]"),
    click.option("--token-file", type=_FILE, metavar="FILE", help=f"File with a bearer token.  [default: {TOKEN}]"),
    click.option(
        "--login", metavar="NAME", help=f"User name for basic auth; the password comes from {PASSWORD} or a prompt."
    ),
    click.option("--ca-file", type=_FILE, metavar="FILE", help="CA certificates (PEM) to trust for https."),
    click.option("--cert-file", type=_FILE, metavar="FILE", help="Client certificate (PEM), with its chain."),
    click.option("--key-file", type=_FILE, metavar="FILE", help="Key of --cert-file, if it is in another file."),
)
