"""TLS contexts, by handshakes in memory without sockets."""

from __future__ import annotations

import contextlib
import logging
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.errors import SettingsError
from promsnmp.http.security import tls_names
from promsnmp.http.security.tls import (
    PeerTlsContext,
    ReloadableContext,
    certificate_expiry,
    certificate_names,
    is_allowed,
    server_context,
)
from promsnmp.http.security.tls_names import CURVES, SUITES, can_be_set
from promsnmp.http.security.web_config import ClientAuth, TlsConfig
from tests.support.service.certificates import DAY, Authority, CertificatePair

CA = Authority()
SERVER = CA.server()
TLS = TlsConfig(SERVER.cert, SERVER.key)
MUTUAL = replace(TLS, client_ca=CA.cert, client_auth=ClientAuth.REQUIRE)


def shake(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """A handshake in memory; both ends. Raises ssl.SSLError."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        server.wrap_bio(up, down, server_side=True),
        client.wrap_bio(down, up, server_hostname="localhost"),
    )
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends


def test_a_client_that_trusts_the_ca_gets_the_newest_version_and_http_1_1() -> None:
    asking = CA.context()
    asking.set_alpn_protocols(["h2", "http/1.1"])
    server, _ = shake(server_context(TLS), asking)
    assert server.version() == "TLSv1.3"
    assert server.selected_alpn_protocol() == "http/1.1"


def test_other_tls_versions_are_refused() -> None:
    old = CA.context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake(server_context(TLS), old)[0].version() == "TLSv1.2"
    assert shake(server_context(replace(TLS, max_version="TLS12")), CA.context())[0].version() == "TLSv1.2"
    with pytest.raises(ssl.SSLError):
        shake(server_context(replace(TLS, min_version="TLS13")), old)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_work_where_they_are_configured() -> None:
    old = CA.context()
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    assert shake(server_context(replace(TLS, min_version="TLS10")), old)[0].version() == "TLSv1"
    with pytest.raises(ssl.SSLError):
        shake(server_context(TLS), old)


def test_other_suites_are_refused() -> None:
    asking = CA.context()
    asking.maximum_version = ssl.TLSVersion.TLSv1_2
    name = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
    server, _ = shake(server_context(replace(TLS, cipher_suites=(name,))), asking)
    chosen = server.cipher()
    assert chosen is not None
    assert chosen[0] == SUITES[name]
    with pytest.raises(ssl.SSLError):
        shake(server_context(replace(TLS, cipher_suites=("TLS_AES_128_GCM_SHA256",))), asking)


@pytest.mark.parametrize(("prefer", "chosen"), [(True, "AES256"), (False, "AES128")])
def test_the_server_s_order_of_suites_counts_unless_turned_off(prefer: bool, chosen: str) -> None:
    names = ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    asking = CA.context()
    asking.maximum_version = ssl.TLSVersion.TLSv1_2
    asking.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384")
    server, _ = shake(server_context(replace(TLS, cipher_suites=names, prefer_server=prefer)), asking)
    assert chosen in str(server.cipher())


def test_openssl_knows_every_suite_and_curve_that_may_be_named() -> None:
    for name in SUITES:
        server_context(replace(TLS, cipher_suites=(name,)))
    for name in CURVES:
        if can_be_set(name):
            server_context(replace(TLS, curves=(name,)))
        else:  # Debian 12's Python
            assert name == "X25519"
    server_context(replace(TLS, curves=tuple(CURVES)))


def test_other_curves_are_refused() -> None:
    context = server_context(replace(TLS, curves=("CurveP384",)))
    shake(context, CA.context())
    narrow = CA.context()
    narrow.set_ecdh_curve("prime256v1")
    with pytest.raises(ssl.SSLError):
        shake(context, narrow)


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Debian 12's Python, which takes OpenSSL's names of elliptic curves only, and one of them."""
    choose = ssl.SSLContext.set_ecdh_curve

    def set_ecdh_curve(context: ssl.SSLContext, name: str) -> None:
        if name == "X25519":
            raise ssl.SSLError(129, "[EC: UNKNOWN_GROUP] unknown group")
        choose(context, name)

    monkeypatch.setattr(ssl.SSLContext, "set_ecdh_curve", set_ecdh_curve)
    monkeypatch.setattr(tls_names, "CHOOSES_SEVERAL", False)


def reached_with(context: ssl.SSLContext) -> set[str]:
    """The curves with one of which a client gets a connection."""
    found = set()
    for name in ("CurveP256", "CurveP384", "CurveP521"):
        narrow = CA.context()
        narrow.set_ecdh_curve(CURVES[name])
        with contextlib.suppress(ssl.SSLError):
            shake(context, narrow)
            found.add(name)
    return found


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(
    ("names", "used", "left"),
    [
        (
            ("X25519", "CurveP384", "CurveP256"),
            {"CurveP384"},
            "skipped X25519, CurveP256; clients must support CurveP384",
        ),
        (("CurveP521", "CurveP256"), {"CurveP521"}, "skipped CurveP256; clients must support CurveP521"),
        (("CurveP256", "CurveP256"), {"CurveP256"}, ""),
        (tuple(CURVES), {"CurveP256", "CurveP384", "CurveP521"}, ""),
    ],
)
def test_curves_that_cannot_be_set_are_passed_over_with_a_warning(
    names: tuple[str, ...], used: set[str], left: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert reached_with(server_context(replace(TLS, curves=names))) == used
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [left in warning for warning in warnings] == [True] * bool(left)


@pytest.mark.skipif(not tls_names.CHOOSES_SEVERAL, reason="this Python sets one curve")
def test_several_curves_are_kept_to() -> None:
    assert reached_with(server_context(replace(TLS, curves=("CurveP256", "CurveP521")))) == {"CurveP256", "CurveP521"}


@pytest.mark.usefixtures("old")
def test_no_curve_that_can_be_set_is_an_error_that_names_those_that_can() -> None:
    with pytest.raises(SettingsError, match="X25519 cannot be set; use one of CurveP256"):
        server_context(replace(TLS, curves=("X25519",)))


def test_only_suites_of_1_3_with_a_lower_max_version_are_refused() -> None:
    with pytest.raises(SettingsError, match="max_version"):
        server_context(replace(TLS, cipher_suites=("TLS_AES_128_GCM_SHA256",), max_version="TLS12"))


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        (replace(TLS, key=CA.server().key), "does not match the certificate"),
        (replace(TLS, cert=b"text"), "cert_file has no certificate"),
        (replace(TLS, key=SERVER.cert), "key_file has no private key"),
        (replace(TLS, cert=SERVER.key), "cert_file has no certificate"),
        (replace(TLS, cert=SERVER.cert[:200]), "cert_file and key_file cannot be used"),
        (replace(MUTUAL, client_ca=b"text"), "client_ca_file has no certificates"),
    ],
)
def test_a_file_that_openssl_cannot_use_is_named(tls: TlsConfig, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        server_context(tls)


def test_an_encrypted_key_is_refused_without_a_passphrase_prompt() -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(SERVER.key, None)
    sealed = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    with pytest.raises(SettingsError, match=r"key_file.*passphrase"):
        server_context(replace(TLS, key=sealed))


def test_new_connections_use_the_present_context() -> None:
    other = Authority("another CA")
    context = ReloadableContext.of(server_context(TLS))
    shake(context, CA.context())
    pair = other.server()
    context.current = server_context(TlsConfig(pair.cert, pair.key))
    shake(context, other.context())
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(context, CA.context())


def test_a_handshake_that_fails_is_logged_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asking = CA.context()
    asking.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shake(server_context(replace(TLS, min_version="TLS13")), asking)
    (record,) = caplog.records
    assert "unsupported protocol" in record.getMessage()
    caplog.clear()
    shake(server_context(TLS), CA.context())
    assert caplog.records == []


def test_the_expiry_of_a_certificate_is_known() -> None:
    early, late = CA.server(days=1), CA.server(days=11)
    assert certificate_expiry(TlsConfig(late.cert, b"")) - certificate_expiry(
        TlsConfig(early.cert, b"")
    ) == pytest.approx(10 * DAY, abs=DAY / 24)


def der(pair: CertificatePair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.cert.decode())


def test_a_client_is_named_by_common_name_or_alternative_name_or_serial_number() -> None:
    sans = ("DNS:prometheus.example.com", "IP:2001:db8::1", "IP:192.0.2.1", "email:ops@example.com", "URI:spiffe://a/b")
    name, found = certificate_names(der(CA.issue("prometheus", *sans)))
    assert name == "prometheus"
    assert found == {"prometheus.example.com", "2001:db8::1", "192.0.2.1", "ops@example.com", "spiffe://a/b"}
    assert certificate_names(der(CA.issue("", "URI:spiffe://a/b"))) == ("spiffe://a/b", frozenset({"spiffe://a/b"}))
    name, found = certificate_names(der(CA.issue("")))
    assert name.startswith("serial-")
    assert found == frozenset()
    assert certificate_names(der(CA.issue("a\nb\x1b[0m")))[0] == "a?b?[0m"


def test_alternative_names_are_matched_whole_and_addresses_in_any_spelling() -> None:
    found = frozenset({"prometheus.example.com", "2001:db8::1"})
    assert is_allowed((), found)
    assert is_allowed((), frozenset())
    assert is_allowed(("other", "prometheus.example.com"), found)
    assert is_allowed(("2001:DB8:0:0::1",), found)
    assert not is_allowed(("example.com", "*.example.com", "prometheus"), found)
    assert not is_allowed(("prometheus.example.com",), frozenset())


# --- replicas among themselves


def test_replicas_trust_only_replicas_with_the_same_certificate() -> None:
    asking = PeerTlsContext(lambda: TLS)()
    assert asking is not None
    shake(server_context(TLS), asking)
    other = Authority("another").server()
    with pytest.raises(ssl.SSLError):
        shake(server_context(TlsConfig(other.cert, other.key)), asking)


def test_replicas_with_certificates_of_one_ca_trust_each_other_when_they_have_the_ca() -> None:
    mine, theirs = CA.server(), CA.server()
    asking = PeerTlsContext(lambda: TlsConfig(mine.cert + CA.cert, mine.key))()
    assert asking is not None
    shake(server_context(TlsConfig(theirs.cert, theirs.key)), asking)


def shakes(theirs: CertificatePair, mine: TlsConfig, ca_file: Path | None = None) -> bool:
    """Whether a replica with ``mine`` trusts one with ``theirs``."""
    asking = PeerTlsContext(lambda: mine, ca_file=ca_file)()
    assert asking is not None
    try:
        shake(server_context(TlsConfig(theirs.cert, theirs.key)), asking)
    except ssl.SSLError:
        return False
    return True


def test_replicas_trust_a_configured_ca_and_check_names(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(CA.cert)
    named, renewed = (CA.issue("", "DNS:promsnmp.example.com", "DNS:a.example.com") for _ in range(2))
    other, nameless = CA.issue("", "DNS:other.example.com"), CA.issue("promsnmp.example.com")
    mine = TlsConfig(named.cert, named.key)
    assert not shakes(renewed, mine)
    assert shakes(renewed, mine, tmp_path / "ca.crt")
    assert shakes(renewed, replace(mine, client_ca=CA.cert))
    for stranger in (other, nameless):
        assert not shakes(stranger, mine, tmp_path / "ca.crt")


def test_a_certificate_without_names_is_trusted_only_itself(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(CA.cert)
    one, other = CA.issue("promsnmp"), CA.issue("promsnmp")
    mine = TlsConfig(one.cert + CA.cert, one.key)
    assert shakes(one, mine, tmp_path / "ca.crt")
    assert not shakes(other, mine, tmp_path / "ca.crt")


@pytest.mark.parametrize("san", ["DNS:*.example.com", "IP:192.0.2.1", "IP:2001:db8::1"])
def test_wildcards_and_addresses_are_names(san: str) -> None:
    one, other = CA.issue("", san), CA.issue("", san)
    assert shakes(other, TlsConfig(one.cert + CA.cert, one.key))
    assert not shakes(CA.issue("", "DNS:example.org"), TlsConfig(one.cert + CA.cert, one.key))


def test_the_cas_of_this_machine_are_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a public CA is one of them."""
    public = Authority("a public CA")
    (tmp_path / "all.crt").write_bytes(public.cert)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "all.crt"))
    theirs = public.server()
    client = ssl.create_default_context()
    shake(server_context(TlsConfig(theirs.cert, theirs.key)), client)
    assert not shakes(theirs, TLS)


def test_a_ca_file_without_certificates_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "empty.crt").write_text("nothing")
    for name in ("empty.crt", "missing.crt"):
        with pytest.raises(SettingsError, match=f"CLUSTER_CA_FILE=.*{name}"):
            PeerTlsContext(lambda: TLS, ca_file=tmp_path / name)


def test_a_replica_shows_its_own_certificate_to_one_that_demands_one() -> None:
    asking = PeerTlsContext(lambda: MUTUAL)()
    assert asking is not None
    server, _ = shake(server_context(MUTUAL), asking)
    assert server.getpeercert(binary_form=True)


def test_the_context_is_built_once_for_each_configuration() -> None:
    now = [TLS]
    asking = PeerTlsContext(lambda: now[0])
    first = asking()
    assert asking() is first
    now[0] = replace(TLS, min_version="TLS13")
    assert asking() is not first
    assert PeerTlsContext(lambda: None)() is None
