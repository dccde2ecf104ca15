"""Certificates for tests: a CA, and certificates that it signs for servers and clients."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A certificate and its key, as PEM."""

    cert: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> None:
        """Writes ``name.crt`` and ``name.key`` into ``folder``."""
        (folder / f"{name}.crt").write_bytes(self.cert)
        (folder / f"{name}.key").write_bytes(self.key)
        (folder / f"{name}.key").chmod(0o600)


class Authority:
    """A CA with a key of its own."""

    def __init__(self, name: str = "test CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.cert = _pem(_signed(self._name, self._name, self._key, self._key, [], days=30, is_ca=True))

    def issue(self, common_name: str = "", *sans: str, days: float = 30) -> CertificatePair:
        """A certificate that is valid for ``days`` (negative: it has expired).

        Each of ``sans`` begins with ``DNS:``, ``IP:``, ``URI:`` or ``email:``.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
        signed = _signed(subject, self._name, key, self._key, [_san(text) for text in sans], days=days, is_ca=False)
        form = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        return CertificatePair(_pem(signed), key.private_bytes(serialization.Encoding.PEM, form, plain))

    def server(self, *, days: float = 30) -> CertificatePair:
        """A certificate for the tests' server on loopback."""
        return self.issue("server", "DNS:localhost", "IP:127.0.0.1", "IP:::1", days=days)

    def context(self, client: Path | None = None) -> ssl.SSLContext:
        """A TLS context for a client that trusts this CA, with the certificate and key of ``client`` (without
        ``.crt``)."""
        context = ssl.create_default_context(cadata=self.cert.decode())
        if client is not None:
            context.load_cert_chain(f"{client}.crt", f"{client}.key")
        return context


def _san(text: str) -> x509.GeneralName:
    kind, _, value = text.partition(":")
    match kind:
        case "IP":
            return x509.IPAddress(ipaddress.ip_address(value))
        case "URI":
            return x509.UniformResourceIdentifier(value)
        case "email":
            return x509.RFC822Name(value)
        case _:
            return x509.DNSName(value)


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    sans: list[x509.GeneralName],
    *,
    days: float,
    is_ca: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 60 * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if is_ca:
        builder = builder.add_extension(_SIGNS, critical=True)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
