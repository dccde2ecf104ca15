"""The file of ``--web.config.file``, in the form of Prometheus's exporter-toolkit: TLS, headers, users, a rate limit.

Operators have such files already, for other exporters. So every key of the format is known here, with its default
(exporter-toolkit, docs/web-configuration.md). A value that is not supported is an error with its line, never ignored:
a file must not promise more safety than it gives. The files that it names are read with it, so that one value holds the
whole configuration.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import yaml

from promsnmp.errors import SettingsError
from promsnmp.http.security.tls_names import CURVES, SUITES, TLS13_SUITES, VERSIONS, unusable, usable_curves
from promsnmp.support import yaml_nodes, yaml_scalars, yaml_text
from promsnmp.support.secret_keys import exposure
from promsnmp.support.yaml_nodes import NodeError

HEADERS: Mapping[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""Headers that may be set, and the values that they may have (none: any)."""
_HASH = re.compile(r"\$2[abxy]?\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
_TLS_KEYS = frozenset(
    [
        "cert",
        "key",
        "client_ca",
        "cert_file",
        "key_file",
        "client_ca_file",
        "client_auth_type",
        "client_allowed_sans",
        "min_version",
        "max_version",
        "cipher_suites",
        "prefer_server_cipher_suites",
        "curve_preferences",
    ]
)


class ClientAuth(Enum):
    """Policies of Go's crypto/tls for the certificates of clients."""

    NONE = "NoClientCert"
    REQUEST = "RequestClientCert"
    """The same as NONE: a certificate that is not verified proves nothing."""
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRE = "RequireAndVerifyClientCert"

    @property
    def verifies(self) -> bool:
        return self in (ClientAuth.IF_GIVEN, ClientAuth.REQUIRE)


UNVERIFIED_POLICIES = ("RequireAnyClientCert", "RequireClientCert")
"""Policies that demand a certificate and accept any: Python's ssl cannot do that, and it would protect nothing."""


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """``tls_server_config``: certificates as PEM, names as the file has them."""

    cert: bytes = field(repr=False)
    key: bytes = field(repr=False)
    client_ca: bytes = field(default=b"", repr=False)
    client_auth: ClientAuth = ClientAuth.NONE
    allowed_sans: tuple[str, ...] = ()
    min_version: str = "TLS12"
    max_version: str = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    prefer_server: bool = True
    curves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What the file says. ``rate`` is (seconds for one request, requests at once); no file is an empty one."""

    tls: TlsConfig | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """bcrypt hashes by user name."""
    rate: tuple[float, int] | None = None


def read_web_config(path: Path) -> WebConfig:
    """The file and what it names. Raises SettingsError, with file, line and key of what is wrong."""
    content = _content(path, "")
    try:
        root = yaml_text.compose(content)
        return _config(root, path) if root is not None else WebConfig()
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise SettingsError(f"{path}:{line}: {reason}" if line else f"{path}: {reason}") from None
    except NodeError as problem:
        raise SettingsError(f"{path}:{problem.line}: {problem}") from None


def _config(root: yaml.Node, path: Path) -> WebConfig:
    sections = {"tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"}
    found = dict(yaml_nodes.pairs(root, "the file", sections, secret=True))
    return WebConfig(
        tls=_tls(found.get("tls_server_config"), path),
        headers=_headers(found.get("http_server_config")),
        users=_users(found.get("basic_auth_users")),
        rate=_rate(found.get("rate_limit")),
    )


# --------------------------------------------------------------------------------------------------------------- tls


def _tls(node: yaml.Node | None, path: Path) -> TlsConfig | None:
    """None for a section without keys."""
    found = dict(yaml_nodes.pairs(node, "tls_server_config", _TLS_KEYS, secret=True)) if node is not None else {}
    if not found or node is None:
        return None
    cert = _pem(found, "cert", path) or _missing(node, "cert")
    key = _pem(found, "key", path, private=True) or _missing(node, "key")
    client_ca = _pem(found, "client_ca", path)
    policy = _policy(found.get("client_auth_type"))
    if client_ca and policy is ClientAuth.NONE:
        raise NodeError(node, f"client_ca_file has no effect without client_auth_type: {ClientAuth.REQUIRE.value}")
    if policy.verifies and not client_ca:
        raise NodeError(node, f"client_auth_type {policy.value} needs client_ca_file, the CA of the clients")
    sans = _words(found, "client_allowed_sans")
    if "client_allowed_sans" in found and policy is not ClientAuth.REQUIRE:
        raise NodeError(found["client_allowed_sans"], f"needs client_auth_type: {ClientAuth.REQUIRE.value}")
    low, high = _version(found, "min_version", "TLS12"), _version(found, "max_version", "TLS13")
    if low > high:
        raise NodeError(node, f"min_version {low} is above max_version {high}")
    return TlsConfig(
        cert,
        key,
        client_ca,
        policy,
        sans,
        low,
        high,
        cipher_suites=_words(found, "cipher_suites", SUITES.keys() | TLS13_SUITES),
        prefer_server=_flag(found, "prefer_server_cipher_suites", default=True),
        curves=_curves(found),
    )


def _pem(found: Mapping[str, yaml.Node], key: str, path: Path, *, private: bool = False) -> bytes:
    """The value of ``key``, or the content of the file that ``key_file`` names; empty without both. The file wins, as
    in exporter-toolkit. The file that holds a ``private`` value is refused when others can read it."""
    node = found.get(f"{key}_file")
    if node is not None and (name := yaml_nodes.text(node, f"{key}_file")):
        return _named(node, path.parent / name, f"{key}_file: ", private=private)
    if key not in found:
        return b""
    if private:
        _named(found[key], path, f"{key}: ", private=True)
    return yaml_nodes.text(found[key], key).encode()


def _named(node: yaml.Node, path: Path, what: str, *, private: bool) -> bytes:
    try:
        return _content(path, what, private=private)
    except SettingsError as error:
        raise NodeError(node, str(error)) from None


def _content(path: Path, what: str, *, private: bool = False) -> bytes:
    try:
        with path.open("rb") as file:
            if private and (problem := exposure(path, os.fstat(file.fileno()))):
                raise SettingsError(f"{what}{path} is refused: {problem}")
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{what}{path} cannot be read: {reason}") from None


def _missing(node: yaml.Node, key: str) -> bytes:
    raise NodeError(node, f"tls_server_config needs {key}_file (or {key})")


def _policy(node: yaml.Node | None) -> ClientAuth:
    name = yaml_nodes.text(node, "client_auth_type") if node is not None else ""
    if not name or node is None:
        return ClientAuth.NONE
    if name in UNVERIFIED_POLICIES:
        raise NodeError(node, f"client_auth_type {name} accepts any certificate; use {ClientAuth.REQUIRE.value}")
    return ClientAuth(yaml_scalars.choice(node, "client_auth_type", [one.value for one in ClientAuth]))


def _version(found: Mapping[str, yaml.Node], key: str, default: str) -> str:
    return yaml_scalars.choice(found[key], key, VERSIONS) if key in found else default


def _words(found: Mapping[str, yaml.Node], key: str, allowed: Collection[str] = ()) -> tuple[str, ...]:
    items = yaml_nodes.items(found[key], key) if key in found else []
    what = f"an item of {key}"
    return tuple(yaml_scalars.choice(one, what, allowed) if allowed else yaml_nodes.text(one, what) for one in items)


def _curves(found: Mapping[str, yaml.Node]) -> tuple[str, ...]:
    """All that are named: those that cannot be set here are passed over later, unless there are no others."""
    names = _words(found, "curve_preferences", CURVES)
    if names and not usable_curves(names):
        raise NodeError(found["curve_preferences"], f"curve_preferences: {unusable(names)}")
    return names


def _flag(found: Mapping[str, yaml.Node], key: str, *, default: bool) -> bool:
    return yaml_scalars.flag(found[key], key) if key in found else default


# -------------------------------------------------------------------------------------------------------- the others


def _headers(node: yaml.Node | None) -> Mapping[str, str]:
    """Headers for every response. ``http2`` is accepted and has no effect: PromSNMP speaks HTTP/1.1."""
    if node is None:
        return {}
    found = dict(yaml_nodes.pairs(node, "http_server_config", {"http2", "headers"}))
    _flag(found, "http2", default=True)
    headers = {}
    for name, value in yaml_nodes.pairs(found["headers"], "headers", HEADERS) if "headers" in found else ():
        text = yaml_scalars.choice(value, name, HEADERS[name]) if HEADERS[name] else yaml_nodes.text(value, name)
        if not (text.isascii() and text.isprintable()):
            raise NodeError(value, f"{name} has characters that a header cannot hold")
        if text:
            headers[name] = text
    return headers


def _users(node: yaml.Node | None) -> Mapping[str, str]:
    users = {}
    for name, value in yaml_nodes.pairs(node, "basic_auth_users", secret=True) if node is not None else ():
        if not name or ":" in name:
            raise NodeError(value, "the name of a user must not be empty or contain a colon (RFC 7617)")
        stored = yaml_nodes.text(value, "a password")
        users[name] = stored.replace("$2$", "$2b$", 1)  # as the first version of bcrypt wrote it
        if not _HASH.fullmatch(stored):
            raise NodeError(value, f"the password of {name} is not a bcrypt hash; promsnmp web-password makes one")
    return users


def _rate(node: yaml.Node | None) -> tuple[float, int] | None:
    found = dict(yaml_nodes.pairs(node, "rate_limit", {"interval", "burst"})) if node is not None else {}
    if "interval" not in found or yaml_nodes.text(found["interval"], "interval") in ("0", "0s", ""):
        return None
    seconds = yaml_scalars.seconds(found["interval"], "interval")
    burst = yaml_scalars.count(found["burst"], "burst") if "burst" in found else 0
    if not burst:
        raise NodeError(
            found["interval"], "rate_limit needs a burst of 1 or more, the number of requests that may come at once"
        )
    return seconds, burst
