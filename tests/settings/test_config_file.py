"""promsnmp.yml: found, read, below the environment, with a line and the nearest name for each mistake."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from promsnmp.errors import SettingsError
from promsnmp.settings import load_settings
from promsnmp.settings.reading import config_file
from promsnmp.settings.reading.config_file import VARIABLE, config_path, user_place
from promsnmp.settings.reading.sources import misspelt_variables
from promsnmp.settings.settings import GROUPS, Settings, group_keys, read_sources

SECRET = "hunter2-hunter2"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "promsnmp.yml"
    path.touch(0o600)
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_values_come_from_options_then_the_environment_then_credentials_then_the_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(
        f"server: {{server_port: 1, server_address: 192.0.2.1, api_token: {SECRET}}}\n"
        "polling:\n  collection_interval: 1m\n  cache_exp_millis: 10s\n"
        "snmp:\n  snmp_adhoc_networks: [192.0.2.0/24, '2001:db8::/32']\n  snmp_source_address:\nsite:\n"
    )
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "api_token").write_text("from-systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    monkeypatch.setenv("SERVER_PORT", "2")
    monkeypatch.setenv("SERVER_ADDRESS", "")
    found = load_settings(collection_interval=3)
    assert (found.server_port, found.server_address, found.collection_interval) == (2, "192.0.2.1", 3)
    assert found.api_token is not None
    assert found.api_token.get_secret_value() == "from-systemd"
    assert found.snmp_adhoc_networks == "192.0.2.0/24,2001:db8::/32"
    assert "cache_exp_millis" in found.model_fields_set
    origin = read_sources().origin
    assert origin("server_port") == "environment SERVER_PORT"
    assert origin("api_token") == "credential api_token"
    assert origin("collection_interval") == f"{file}:3"
    assert origin("web_ui") == "default"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("polling:\n  colection_interval: 1", ":2: .*'collection_interval'"),
        ("server:\n\n  collection_interval: 1", ":3: .*under 'polling'"),
        ("snpm: {}", ":1: .*'snmp'"),
        ("polling: 3", ":1: "),
        ("polling:\n  collection_interval: {a: 1}", ":2: "),
        ("polling:\n  collection_interval: 1\n  collection_interval: 2", ":3: .*repeated"),
        ("polling:\n  collection_interval: 30x", ":2: collection_interval=30x: .*units"),
        ("snmp:\n  snmp_config_files: ['a,b']", ":2: .*comma"),
        ("[", ": not valid YAML"),
        ("a: &a [*a]", ":1: "),
    ],
)
def test_a_mistake_is_told_with_its_line(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_a_wrong_secret_is_not_shown(file: Path) -> None:
    file.write_text(f"server:\n  api_token: {SECRET} with spaces\n  'prom_encrypt_key={SECRET}': 1\n")
    with pytest.raises(SettingsError) as failed:
        load_settings()
    assert SECRET not in str(failed.value)
    file.write_text(f"server:\n  api_token: {SECRET} with spaces\n")
    with pytest.raises(SettingsError, match=r":2: api_token: ") as failed:
        load_settings()
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize(
    "value", [f"[a, '{SECRET},b']", f"!{SECRET}", f"*{SECRET}", f"[!{SECRET}]", f"{{{SECRET}: 1}}"]
)
def test_a_secret_that_yaml_reads_otherwise_is_refused_and_not_shown(file: Path, value: str) -> None:
    file.write_text(f"trap_outputs:\n  trap_webhook_token: {value}\n")
    with pytest.raises(SettingsError, match=":2: ") as failed:
        load_settings()
    assert SECRET not in str(failed.value)


def test_a_file_with_secrets_is_refused_when_others_can_read_it(file: Path) -> None:
    file.write_text(f"server: {{api_token: {SECRET}}}")
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_settings()
    file.write_text("server: {server_port: 1}")
    assert load_settings().server_port == 1


def test_a_named_file_must_be_there_and_has_a_limit(file: Path) -> None:
    file.write_bytes(b"#" * (config_file.MAX_OCTETS + 1))
    with pytest.raises(SettingsError, match="larger than"):
        load_settings()
    file.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings()
    file.unlink()
    with pytest.raises(SettingsError, match="No such file"):
        load_settings()


def test_the_user_s_file_comes_before_the_system_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(config_file, "SYSTEM_PLACE", tmp_path / "etc.yml")
    assert config_path() is None
    (tmp_path / "etc.yml").touch()
    assert config_path() == tmp_path / "etc.yml"
    user_place().parent.mkdir(parents=True)
    user_place().touch()
    assert config_path() == user_place()


def test_every_setting_can_be_in_the_file(file: Path) -> None:
    assert len(group_keys()) == len(GROUPS)
    file.write_text(yaml.safe_dump({group.KEY: dict.fromkeys(group.model_fields) for group in GROUPS}))
    assert load_settings().model_dump() == Settings().model_dump()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("COLECTION_INTERVAL", "COLLECTION_INTERVAL"),
        ("PROM_INVFILE", "PROM_INV_FILE"),
        ("snmp_config_file", "SNMP_CONFIG_FILES"),
    ],
)
def test_a_misspelt_variable_is_told(variable: str, meant: str) -> None:
    assert misspelt_variables(Settings.model_fields, {variable: "1"}) == {variable: meant}


def test_variables_of_other_programs_are_not_taken_for_ours() -> None:
    others = (
        "KUBERNETES_SERVICE_PORT_HTTPS", "KUBERNETES_PORT", "REDIS_SERVICE_HOST", "REDIS_SERVICE_PORT",
        "REDIS_PORT_6379_TCP", "HOSTNAME", "LOGNAME", "POD_IPS", "PROMSNMP_URL", "PROMSNMP_TOKEN",
        "PROM_ENCRYPT_KEY_NEW", "SERVER_NAME", "PATH", "LANG", "XDG_DATA_HOME", "WEB_URL",
        "API_KEY", "LOG_LEVELS_OF_OTHERS",
    )  # fmt: skip
    assert (
        misspelt_variables(Settings.model_fields, dict.fromkeys((*others, *map(str.upper, Settings.model_fields)), "1"))
        == {}
    )
    assert misspelt_variables(Settings.model_fields, os.environ) == {}
