"""The JSON schema of promsnmp.yml, and the file that ``promsnmp init`` writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from promsnmp.settings import load_settings
from promsnmp.settings.reading.config_file import VARIABLE
from promsnmp.settings.reading.schema import commented_file, schema
from promsnmp.settings.settings import GROUPS, Settings
from scripts.pages import config_schema


def test_the_schema_in_the_docs_is_that_of_the_settings() -> None:
    assert json.loads(config_schema.PAGE.read_text(encoding="utf-8")) == schema(), "run: make docs"


def test_the_schema_accepts_what_the_settings_accept() -> None:
    Draft202012Validator.check_schema(schema())
    check = Draft202012Validator(schema()).validate
    check(None)
    check({"polling": {"collection_interval": "1m30s", "cache_max_bytes": "64MiB", "memory_limit": 0}, "site": None})
    check({"snmp": {"snmp_config_files": ["a.yml", "b.yml"]}, "server": {"server_port": 9116, "web_ui": False}})
    for wrong in (
        {"polling": {"colection_interval": 1}},
        {"polling": {"collection_interval": "30x"}},
        {"server": {"server_port": 70_000}},
        {"logging": {"log_level": "loud"}},
    ):
        with pytest.raises(ValidationError):
            check(wrong)


def test_the_commented_file_changes_nothing_and_its_comments_are_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "promsnmp.yml"
    monkeypatch.setenv(VARIABLE, str(file))
    file.write_text(commented_file(GROUPS, {}))
    assert load_settings().model_dump() == Settings().model_dump()
    everything = re.sub(r"^( *)#(?=[a-z])", r"\1", commented_file(GROUPS, {}), flags=re.MULTILINE)
    file.write_text(everything)
    assert load_settings().model_dump() == Settings().model_dump()
    parsed = yaml.safe_load(everything)
    assert {name for group in parsed.values() for name in group} == set(Settings.model_fields)
    Draft202012Validator(schema()).validate(parsed)
    file.write_text(commented_file(GROUPS, {"inventory": {"prom_inv_file": "/srv/inventory.json"}}))
    assert load_settings().prom_inv_file == Path("/srv/inventory.json")
