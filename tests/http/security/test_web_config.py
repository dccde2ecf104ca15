"""Files of --web.config.file: which are read and which are refused, compared with promtool."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from promsnmp.errors import SettingsError
from promsnmp.http.security import tls_names
from promsnmp.http.security.web_config import ClientAuth, WebConfig, read_web_config
from tests.support.service.certificates import Authority
from tests.support.tools import require_tool

CA = Authority()
HASH = "$2b$04$......................RMJaCaaFAhaGTIc7mUyDM8r35mbOo0S"
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"

GOOD = [
    "",
    "{}\n",
    "tls_server_config:\nbasic_auth_users:\n",
    TLS,
    TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n",
    TLS + "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n",
    TLS + "  client_auth_type: RequestClientCert\n",
    TLS + "  client_auth_type: NoClientCert\n  min_version: TLS13\n  max_version: TLS13\n",
    TLS + "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n  prefer_server_cipher_suites: false\n",
    TLS + "  curve_preferences: [X25519, CurveP256, CurveP384, CurveP521]\n",
    f"basic_auth_users:\n  alice: {HASH}\n  bob: {HASH.replace('2b', '2y')}\n",
    "http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n    X-XSS-Protection: '0'\n",
]
"""Files that promtool and PromSNMP accept."""
BAD = {
    "tls_server_config:\n  cert_file: server.crt\n": "key_file",
    "tls_server_config:\n  key_file: server.key\n": "cert_file",
    "tls_server_config:\n  cert_file: other.crt\n  key_file: server.key\n": "web.yml:2: cert_file: .*other.crt cannot",
    TLS + "  client_ca_file: ca.crt\n": "client_auth_type",
    TLS + "  client_ca_file: no.crt\n  client_auth_type: RequireAndVerifyClientCert\n": "web.yml:4: client_ca_file",
    TLS + "  client_auth_type: Sometimes\n": "web.yml:4: .*Sometimes.*RequireAndVerifyClientCert",
    TLS + "  min_version: TLS14\n": "web.yml:4: min_version: 'TLS14'.*TLS13",
    TLS + "  cipher_suites: [TLS_NONE]\n": "web.yml:4: .*TLS_NONE",
    TLS + "  curve_preferences: [CurveP1]\n": "web.yml:4: .*CurveP1",
    TLS + "  junk: 1\n": "web.yml:4: unknown key.*cert_file",
    "junk: 1\n": "web.yml:1: unknown key",
    "basic_auth_users:\n  alice: password\n": "web.yml:2: the password of alice is not a bcrypt hash",
    "basic_auth_users:\n  - alice\n": "web.yml:2: basic_auth_users must be a mapping",
    "http_server_config:\n  headers:\n    X-Other: 1\n": "web.yml:3: .*X-Other.*X-Frame-Options",
    "http_server_config:\n  headers:\n    X-Frame-Options: no\n": "web.yml:3: X-Frame-Options: 'no'.*sameorigin",
    "http_server_config:\n  http2: maybe\n": "web.yml:2: http2 must be true or false",
    "a: [\n": "web.yml:2: ",
    "text\n": "web.yml:1: the file must be a mapping",
}
"""Files that promtool and PromSNMP refuse, with what the error must contain."""
STRICTER = {
    "tls_server_config:\n  min_version: TLS13\n": "needs cert_file",
    TLS + "  client_auth_type: RequireAnyClientCert\n": "use RequireAndVerifyClientCert",
    TLS + "  client_auth_type: VerifyClientCertIfGiven\n": "needs client_ca_file",
    TLS + "  min_version: TLS13\n  max_version: TLS12\n": "above max_version",
    f"basic_auth_users:\n  '': {HASH}\n": "must not be empty",
    f"basic_auth_users:\n  'a:b': {HASH}\n": "colon",
    'http_server_config:\n  headers:\n    Content-Security-Policy: "a\\nb: c"\n': "characters",
}
"""Files that promtool accepts although they protect less than they seem to, or cannot work."""
NEWER = {
    TLS + "  client_allowed_sans: [a]\n": "web.yml:4: needs client_auth_type: RequireAndVerifyClientCert",
    "rate_limit:\n  interval: 1s\n": "burst",
    "rate_limit:\n  interval: soon\n  burst: 1\n": "web.yml:2: interval.*soon",
}
"""Keys that the promtool of Debian does not know yet."""


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The path for a web configuration, with certificates beside it."""
    CA.server().write(tmp_path, "server")
    (tmp_path / "ca.crt").write_bytes(CA.cert)
    return tmp_path / "web.yml"


def promtool_takes(file: Path) -> bool:
    return not promtool_refuses(file)


def promtool_refuses(file: Path) -> str:
    """What promtool has against a file; empty when it takes it."""
    promtool = require_tool("promtool", package="prometheus")
    done = subprocess.run([promtool, "check", "web-config", str(file)], check=False, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("text", GOOD)
def test_a_file_that_promtool_accepts_is_read(web: Path, text: str) -> None:
    web.write_text(text)
    read_web_config(web)
    assert promtool_takes(web)


@pytest.mark.parametrize("text", BAD)
def test_a_file_that_promtool_refuses_is_refused_with_line_and_key(web: Path, text: str) -> None:
    web.write_text(text)
    with pytest.raises(SettingsError, match=BAD[text]):
        read_web_config(web)
    assert not promtool_takes(web)


@pytest.mark.parametrize("text", STRICTER)
def test_a_file_that_protects_less_than_it_says_is_refused(web: Path, text: str) -> None:
    web.write_text(text)
    with pytest.raises(SettingsError, match=STRICTER[text]):
        read_web_config(web)
    assert promtool_takes(web)


@pytest.mark.parametrize("text", NEWER)
def test_newer_keys_are_checked_too(web: Path, text: str) -> None:
    web.write_text(text)
    with pytest.raises(SettingsError, match=NEWER[text]):
        read_web_config(web)


def test_every_key_reaches_its_field(web: Path) -> None:
    web.write_text(f"""
tls_server_config:
  cert_file: server.crt
  key_file: {web.parent}/server.key
  client_ca_file: ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus.example.com, 192.0.2.1]
  min_version: TLS13
  cipher_suites: [TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256]
http_server_config:
  headers:
    Strict-Transport-Security: max-age=63072000
    X-XSS-Protection: ''
basic_auth_users:
  alice: {HASH}
  old: {HASH.replace("$2b$", "$2$")}
rate_limit:
  interval: 250ms
  burst: 20
""")
    config = read_web_config(web)
    assert config.tls is not None
    assert config.tls.cert == (web.parent / "server.crt").read_bytes()
    assert config.tls.key == (web.parent / "server.key").read_bytes()
    assert config.tls.client_ca == CA.cert
    assert config.tls.client_auth is ClientAuth.REQUIRE
    assert config.tls.allowed_sans == ("prometheus.example.com", "192.0.2.1")
    assert (config.tls.min_version, config.tls.max_version) == ("TLS13", "TLS13")
    assert (config.tls.cipher_suites, config.tls.prefer_server) == (("TLS_AES_128_GCM_SHA256",), False)
    assert config.tls.curves == ("CurveP256",)
    assert config.headers == {"Strict-Transport-Security": "max-age=63072000"}
    assert config.users == {"alice": HASH, "old": HASH}
    assert config.rate == (0.25, 20)


def test_certificates_may_be_inline(web: Path) -> None:
    pair = CA.server()
    indented = {name: pem.decode().replace("\n", "\n    ") for name, pem in (("cert", pair.cert), ("key", pair.key))}
    web.touch(0o600)
    web.write_text("tls_server_config:\n" + "".join(f"  {name}: |\n    {pem}\n" for name, pem in indented.items()))
    config = read_web_config(web)
    assert config.tls is not None
    assert config.tls.cert.strip() == pair.cert.strip()
    refused = promtool_refuses(web)
    assert not refused or "field cert not found" in refused  # Debian 12's is older than these keys
    web.chmod(0o644)
    with pytest.raises(SettingsError, match=r"web\.yml:\d+: key: .*web\.yml is refused: every user"):
        read_web_config(web)


def test_a_key_file_that_others_can_read_is_refused(web: Path) -> None:
    web.write_text(TLS)
    (web.parent / "server.key").chmod(0o644)
    with pytest.raises(SettingsError, match=r"web\.yml:3: key_file: .*server\.key is refused: .*chmod 600"):
        read_web_config(web)


def test_curves_of_which_none_can_be_set_are_an_error_with_the_line(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_names, "can_be_set", lambda name: name != "X25519")
    monkeypatch.setattr(tls_names, "CHOOSES_SEVERAL", False)
    web.write_text(TLS + "  curve_preferences: [X25519, CurveP256]\n")
    config = read_web_config(web)
    assert config.tls is not None
    assert config.tls.curves == ("X25519", "CurveP256")
    web.write_text(TLS + "  curve_preferences: [X25519]\n")
    with pytest.raises(SettingsError, match=r"web\.yml:4: curve_preferences: X25519 cannot be set.*CurveP256"):
        read_web_config(web)


def test_an_interval_of_zero_means_no_rate_limit(web: Path) -> None:
    web.write_text("rate_limit:\n  interval: 0\n  burst: 20\n")
    assert read_web_config(web) == WebConfig()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"web\.yml cannot be read: No such file"):
        read_web_config(tmp_path / "web.yml")


@pytest.mark.parametrize(
    "text", ["basic_auth_users:\n  alice: hush-hush\n", "hush-hush\n", "hush-hush: 1\n", "*hush-hush\n"]
)
def test_no_error_shows_a_possible_password(web: Path, text: str) -> None:
    web.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_web_config(web)
    assert "hush" not in str(caught.value)


def test_no_representation_shows_hashes_or_keys(web: Path) -> None:
    web.write_text(f"{TLS}basic_auth_users:\n  alice: {HASH}\n")
    shown = repr(read_web_config(web))
    assert HASH not in shown
    assert "PRIVATE" not in shown
