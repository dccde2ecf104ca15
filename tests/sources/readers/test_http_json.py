"""Devices over HTTP: who is asked how, and what every kind of bad answer does."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import pytest

from promsnmp.errors import SourceError
from promsnmp.settings.device_sources.definitions import HttpSource
from promsnmp.sources.readers.document import Defaults
from promsnmp.sources.readers.http_json import HttpReader
from tests.support.service.certificates import Authority
from tests.support.sources.http_source import Answered, Asked, http_source

TARGETS = b'[{"targets": ["192.0.2.1"], "labels": {"site": "ber"}}]'


def reader(url: str, **more: object) -> HttpReader:
    return HttpReader(HttpSource(name="cmdb", type="http", url=url, **more), Defaults())


async def test_the_answer_is_read_again_only_when_it_has_changed() -> None:
    def answer(asked: Asked) -> Answered:
        if asked.headers.get("if-none-match") == '"v1"':
            return Answered(304, b"")
        return Answered(body=TARGETS, headers={"content-type": "application/json", "etag": '"v1"'})

    async with http_source(answer) as server:
        source = reader(f"{server.url}/sd?role=switch", interval=30_000)
        first = await source.read()
        assert await source.read() is first
    assert [one.endpoint.address for one in first.devices] == ["192.0.2.1"]
    assert (server.asked[0].path, server.asked[0].query) == ("/sd", [("role", "switch")])
    assert server.asked[0].headers["x-prometheus-refresh-interval-seconds"] == "30"
    assert [one.headers.get("if-none-match") for one in server.asked] == [None, '"v1"']


async def test_credentials_come_from_files_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret-1\n")
    secret.chmod(0o600)
    monkeypatch.setenv("CMDB_TOKEN", "s3cret-2")
    async with http_source(lambda _: Answered(body=TARGETS)) as server:
        await reader(server.url, token_file=secret).read()
        await reader(server.url, token_env="CMDB_TOKEN").read()
        await reader(server.url, user="me", password_file=secret).read()
    basic = base64.b64encode(b"me:s3cret-1").decode()
    expected = ["Bearer s3cret-1", "Bearer s3cret-2", f"Basic {basic}"]
    assert [one.headers["authorization"] for one in server.asked] == expected
    secret.chmod(0o644)
    for source in (
        reader(server.url, token_file=secret),
        reader(server.url, token_file=tmp_path / "nosuch"),
        reader(server.url, token_env="NOSUCH"),
    ):
        with pytest.raises(SourceError) as caught:
            await source.read()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answered(500, b"s3cret"), "answered 500"),
        (Answered(403), "answered 403"),
        (Answered(302, headers={"location": "http://s3cret/"}), "answered 302"),
        (Answered(304), "answered 304"),
        (Answered(body=b"<html>s3cret", headers={"content-type": "text/html"}), "text/html"),
        (Answered(body=b'[{"s3cret'), "not valid JSON"),
        (Answered(body=b"{}"), "must be a list"),
        (Answered(body=TARGETS, announced=len(TARGETS) + 1), "connection was lost"),
        (Answered(body=b"[" + b" " * 2000 + b"]"), "larger than 1024"),
        (Answered(hangs=True), "did not answer within 0.3"),
    ],
)
async def test_a_bad_answer_is_an_error_without_secrets(answer: Answered, reason: str) -> None:
    async with http_source(lambda _: answer) as server:
        source = reader(f"{server.url}/s3cret", timeout=300 if answer.hangs else 20_000, max_bytes=1024)
        with pytest.raises(SourceError, match=reason) as caught:
            await source.read()
    assert "s3cret" not in str(caught.value)
    assert server.url.removeprefix("http://") in str(caught.value) or "JSON" in reason or "list" in reason


async def test_nothing_listens() -> None:
    async with http_source(lambda _: Answered()) as server:
        pass
    with pytest.raises(SourceError, match="cannot be reached"):
        await reader(server.url).read()


async def test_the_server_is_checked_by_its_certificate(tmp_path: Path) -> None:
    authority = Authority()
    authority.issue("server", "IP:127.0.0.1").write(tmp_path, "server")
    (tmp_path / "ca.crt").write_bytes(authority.cert)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    async with http_source(lambda _: Answered(body=TARGETS), tls=tls) as server:
        assert len((await reader(server.url, ca_file=tmp_path / "ca.crt").read()).devices) == 1
        with pytest.raises(SourceError, match="certificate"):
            await reader(server.url).read()
        with pytest.raises(SourceError, match="nosuch"):
            await reader(server.url, ca_file=tmp_path / "nosuch.crt").read()
