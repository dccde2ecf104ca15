"""The web configuration in use while its files change."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest

from promsnmp.errors import SettingsError
from promsnmp.http.security.passwords import hash_password
from promsnmp.http.security.web_config_watcher import WebConfigWatcher
from promsnmp.observe.health import Status
from tests.support.service.certificates import Authority

CA = Authority()
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
USERS = f"basic_auth_users:\n  alice: {hash_password('right')}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    CA.server().write(tmp_path, "server")
    (tmp_path / "web.yml").write_text(TLS)
    return tmp_path / "web.yml"


async def test_without_a_file_there_is_nothing_to_do() -> None:
    web = WebConfigWatcher(None)
    await web.refresh()
    await web.reload()
    assert web.tls is None
    assert web.check().status is Status.UP
    assert list(web.families()) == []


def test_a_file_that_cannot_be_used_ends_the_start(file: Path) -> None:
    file.write_text("junk: 1\n")
    with pytest.raises(SettingsError, match=r"web\.yml:1: unknown key"):
        WebConfigWatcher(file)
    file.write_text(TLS)
    CA.server().write(file.parent, "other")
    (file.parent / "server.key").write_bytes((file.parent / "other.key").read_bytes())
    with pytest.raises(SettingsError, match=r"web\.yml: tls_server_config: .*key does not match"):
        WebConfigWatcher(file)


async def test_changed_users_and_certificates_come_into_use(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    web = WebConfigWatcher(file)
    assert web.tls is not None
    context, until = web.tls.current, web.expires
    await web.refresh()
    assert web.tls.current is context
    assert caplog.records == []

    file.write_text(TLS + USERS)
    await web.refresh()
    assert await web.passwords.check("alice", "right")

    CA.server(days=90).write(file.parent, "server")
    await web.refresh()
    assert web.tls.current is not context
    assert until is not None
    assert web.expires is not None
    assert web.expires > until
    assert [record.getMessage() for record in caplog.records] == [f"reloaded the web configuration: {file}"] * 2


async def test_a_wrong_file_changes_nothing_is_logged_once_and_shown_in_the_health(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(TLS + USERS)
    web = WebConfigWatcher(file)
    assert web.tls is not None
    context = web.tls.current
    file.write_text(TLS + "basic_auth_users:\n  alice: plain\n")
    for _ in range(3):
        await web.refresh()
    assert await web.passwords.check("alice", "right")
    assert web.tls.current is context
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "web.yml:5: the password of alice is not a bcrypt hash" in record.getMessage()
    assert web.check().status is Status.DOWN
    assert "web.yml:5" in str(web.check().details["error"])
    assert next(iter(web.families())).samples[0].value == 0

    (file.parent / "server.key").unlink()
    file.write_text(TLS)
    await web.refresh()
    assert "server.key cannot be read" in caplog.records[-1].getMessage()
    file.unlink()
    with pytest.raises(SettingsError, match=r"web\.yml cannot be read"):
        await web.reload()
    assert await web.passwords.check("alice", "right")

    CA.server().write(file.parent, "server")
    file.write_text(TLS)
    await web.refresh()
    assert web.check().status is Status.UP
    assert web.passwords.users == {}


async def test_a_certificate_that_changes_before_its_key_comes_into_use_with_the_key(file: Path) -> None:
    web = WebConfigWatcher(file)
    CA.server().write(file.parent, "new")
    (file.parent / "server.crt").write_bytes((file.parent / "new.crt").read_bytes())
    await web.refresh()
    assert "key does not match" in str(web.last_error)
    (file.parent / "server.key").write_bytes((file.parent / "new.key").read_bytes())
    await web.refresh()
    assert web.last_error is None


@pytest.mark.parametrize(("before", "after"), [(TLS, USERS), (USERS, TLS)], ids=["off", "on"])
async def test_turning_tls_on_or_off_needs_a_restart(file: Path, before: str, after: str) -> None:
    file.write_text(before)
    web = WebConfigWatcher(file)
    file.write_text(after)
    with pytest.raises(SettingsError, match="restart"):
        await web.reload()
    assert (web.current.tls is not None) is (before == TLS)


async def test_an_expired_certificate_is_served_and_shown(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    CA.server(days=-1).write(file.parent, "server")
    web = WebConfigWatcher(file)
    assert "expired" in caplog.text
    assert web.check().status is Status.DOWN
    assert web.expires is not None
    values = {family.name: family.samples[0].value for family in web.families()}
    assert values["promsnmp_tls_certificate_expiry_timestamp_seconds"] == web.expires.timestamp()
    assert values["promsnmp_web_config_last_reload_successful"] == 1


def test_clients_are_accepted_by_their_alternative_names(file: Path) -> None:
    (file.parent / "ca.crt").write_bytes(CA.cert)
    policy = "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"
    file.write_text(TLS + policy + "  client_allowed_sans: [ops.example.com]\n")
    web = WebConfigWatcher(file)
    ops, other = CA.issue("ops", "DNS:ops.example.com"), CA.issue("ops", "DNS:other.example.com")
    assert web.client_name(ssl.PEM_cert_to_DER_cert(ops.cert.decode())) == "ops"
    assert web.client_name(ssl.PEM_cert_to_DER_cert(other.cert.decode())) is None
    assert web.client_name(b"no certificate") is None
    assert web.trusts_certificates
