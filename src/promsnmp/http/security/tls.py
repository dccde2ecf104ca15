"""Makes SSL contexts for the listening sockets from the ``tls_server_config`` of a web configuration.

A server keeps one context for as long as it listens, but certificates, policies and CAs change. ``ReloadableContext``
is that one context: it passes each connection to the real context of that moment. OpenSSL takes certificates by file
name only, so the bytes that were read and checked reach it through a file in memory.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from promsnmp.errors import SettingsError
from promsnmp.http.security.tls_names import CURVES, SUITES, VERSIONS, limits, set_curves, unusable, usable_curves
from promsnmp.http.security.web_config import ClientAuth, TlsConfig

log = logging.getLogger(__name__)

_POLICIES = {ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL, ClientAuth.REQUIRE: ssl.CERT_REQUIRED}


class _Handshake(ssl.SSLObject):
    """A connection that logs a failed handshake: the event loop drops it silently."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (
            ssl.SSLWantReadError,
            ssl.SSLWantWriteError,
            ssl.SSLEOFError,
        ):  # EOF: a client that only checks whether the port is open
            raise
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or str(error)
            log.info("TLS handshake with a client failed: %s", reason.replace("_", " ").lower())
            raise


class ReloadableContext(ssl.SSLContext):
    """The context for the event loop; ``current`` makes the connections and may be replaced at any time."""

    current: ssl.SSLContext

    @classmethod
    def of(cls, current: ssl.SSLContext) -> ReloadableContext:
        made = cls(ssl.PROTOCOL_TLS_SERVER)
        made.current = current
        return made

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """asyncio and uvloop call this for each connection."""
        return self.current.wrap_bio(*arguments, **options)


def server_context(tls: TlsConfig) -> ssl.SSLContext:
    """A context for ``tls``. Raises SettingsError that names the key that OpenSSL cannot use."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    if not tls.prefer_server:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.sslobject_class = _Handshake
    context.set_alpn_protocols(["http/1.1"])
    context.minimum_version, context.maximum_version = VERSIONS[tls.min_version], VERSIONS[tls.max_version]
    _set_ciphers(context, tls)
    _set_curves(context, tls.curves)
    _load(context, tls)
    context.verify_mode = _POLICIES.get(tls.client_auth, ssl.CERT_NONE)
    return context


class PeerTlsContext:
    """The client context for requests between replicas that serve TLS, rebuilt when the configuration changes.

    A replica must present this replica's own certificate, or one with the same name by a CA of the configuration: those
    in ``cert_file`` behind the own certificate, ``client_ca_file``, and ``ca_file`` (CLUSTER_CA_FILE). CAs that this
    machine trusts do not count: anybody can get a certificate of a public CA. This replica presents its own certificate
    when asked. Raises SettingsError when ``ca_file`` cannot be used.
    """

    def __init__(self, current: Callable[[], TlsConfig | None], *, ca_file: Path | None = None) -> None:
        self._current = current
        self._authorities = _authorities(ca_file)
        self._made: tuple[TlsConfig, ssl.SSLContext] | None = None

    def __call__(self) -> ssl.SSLContext | None:
        tls = self._current()
        if tls is None:
            return None
        if self._made is None or self._made[0] is not tls:
            self._made = tls, _replica_context(tls, self._authorities)
        return self._made[1]


class _ReplicaContext(ssl.SSLContext):
    """Expects ``name`` in the certificates of all servers: replicas reach each other by address, which is in none."""

    name: str | None

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        return super().wrap_bio(*arguments, **{**options, "server_hostname": self.name})


def _authorities(ca_file: Path | None) -> bytes:
    if ca_file is None:
        return b""
    try:
        content = ca_file.read_bytes()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content.decode("ascii"))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError, UnicodeError a ValueError
        raise SettingsError(f"CLUSTER_CA_FILE={ca_file} has no certificates in PEM: {error}") from None
    return content


def _replica_context(tls: TlsConfig, authorities: bytes) -> ssl.SSLContext:
    own, name = _own_certificate(tls)
    context = _ReplicaContext(ssl.PROTOCOL_TLS_CLIENT)
    context.name = name
    context.check_hostname, context.hostname_checks_common_name = name is not None, False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusted = b"\n".join((tls.cert, tls.client_ca, authorities)) if name is not None else own
    with _as_file(trusted) as file:
        context.load_verify_locations(file)
    with _as_file(tls.cert) as cert, _as_file(tls.key) as key:
        context.load_cert_chain(cert, key, password=_no_passphrase)
    return context


def _own_certificate(tls: TlsConfig) -> tuple[bytes, str | None]:
    """The server's own certificate (PEM), and the first of its names that a client can check; None when it has none,
    and then only this very certificate is trusted."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    own = x509.load_pem_x509_certificates(tls.cert)[0]
    try:
        sans = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return own.public_bytes(Encoding.PEM), None
    names = (str(san.value) for san in sans if isinstance(san, x509.DNSName | x509.IPAddress))
    name = next(names, None)
    if name is not None and name.startswith("*."):
        name = f"replica{name[1:]}"  # what a wildcard stands for
    return own.public_bytes(Encoding.PEM), name


def _set_ciphers(context: ssl.SSLContext, tls: TlsConfig) -> None:
    names = [SUITES[name] for name in tls.cipher_suites if name in SUITES]
    if tls.cipher_suites and not names:  # suites of TLS 1.3 only: refuse older versions
        if tls.max_version != "TLS13":
            raise SettingsError("cipher_suites has only suites of TLS 1.3, but max_version is below TLS13")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return
    old = ["@SECLEVEL=0"] if tls.min_version < "TLS12" else []  # OpenSSL's own level has no TLS 1.0 and 1.1
    if names or old:
        context.set_ciphers(":".join((names or ["DEFAULT"]) + old))


def _set_curves(context: ssl.SSLContext, names: tuple[str, ...]) -> None:
    """Of ``names`` those that can be used. What is left out is logged: connections need one of the others."""
    chosen = usable_curves(names)
    if not names:
        return
    if not chosen:
        raise SettingsError(f"curve_preferences: {unusable(names)}")
    if set(chosen) != set(CURVES):
        set_curves(context, chosen)
    if left := [name for name in names if name not in chosen]:
        log.warning(
            "curve_preferences: skipped %s; clients must support %s (%s)",
            ", ".join(left),
            " or ".join(chosen),
            limits(),
        )


def _load(context: ssl.SSLContext, tls: TlsConfig) -> None:
    try:
        with _as_file(tls.cert) as cert, _as_file(tls.key) as key:
            context.load_cert_chain(cert, key, password=_no_passphrase)
    except ssl.SSLError as error:
        raise SettingsError(f"cert_file and key_file cannot be used: {_explained(error, tls)}") from None
    if not tls.client_auth.verifies:
        return
    try:
        with _as_file(tls.client_ca) as file:
            context.load_verify_locations(file)
    except ssl.SSLError:
        raise SettingsError("client_ca_file has no certificates in PEM") from None


def _no_passphrase() -> str:
    raise SettingsError("key_file is encrypted; use a key without a passphrase")


def _explained(error: ssl.SSLError, tls: TlsConfig) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key does not match the certificate"
    for name, pem, begin in (("cert_file", tls.cert, b"CERTIFICATE"), ("key_file", tls.key, b"PRIVATE KEY")):
        if b"-----BEGIN " not in pem or begin not in pem:
            return f"{name} has no {begin.decode().lower()} in PEM"
    return str(error.reason or error)


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """The name of a file with ``content`` that no other process can open."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("promsnmp")
        try:
            os.write(number, content)
            yield f"/proc/self/fd/{number}"
        finally:
            os.close(number)
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            yield file.name


# ------------------------------------------------------------------------------------------------------ certificates


def certificate_expiry(tls: TlsConfig) -> datetime:
    """When the server's certificate expires."""
    from cryptography import x509  # here: it takes 2 MB, and most services have no certificate

    return x509.load_pem_x509_certificates(tls.cert)[0].not_valid_after_utc


def certificate_names(certificate: bytes) -> tuple[str, frozenset[str]]:
    """Name and alternative names of a client's certificate (DER).

    The name is the subject's common name, or else an alternative name, or else the serial number. Alternative names
    are those of exporter-toolkit: DNS names, e-mail addresses, IP addresses and URIs (RFC 5280 section 4.2.1.6).
    """
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    kinds = (x509.DNSName, x509.RFC822Name, x509.IPAddress, x509.UniformResourceIdentifier)
    read = x509.load_der_x509_certificate(certificate)
    try:
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        sans = [str(one.value) for one in found if isinstance(one, kinds)]
    except (x509.ExtensionNotFound, ValueError):  # ValueError: an extension that is not well-formed
        sans = []
    common = [str(one.value) for one in read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    name = next(iter([*common, *sans]), f"serial-{read.serial_number:x}")
    return "".join(one if one.isprintable() else "?" for one in name), frozenset(sans)  # it goes into logs


def is_allowed(allowed: tuple[str, ...], sans: frozenset[str]) -> bool:
    """Whether one of a certificate's alternative names is in ``allowed`` (an empty one allows all)."""
    return not allowed or not sans.isdisjoint(_plain(name) for name in allowed)


def _plain(name: str) -> str:
    """An address in its usual spelling."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
