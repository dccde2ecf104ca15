"""docs/reference/configuration.md says what settings.py does."""

from __future__ import annotations

import re

from promsnmp.settings import Settings
from promsnmp.settings.settings import GROUPS
from scripts.pages import cli_reference, configuration


def test_the_page_lists_the_settings_as_the_code_has_them() -> None:
    page = configuration.PAGE.read_text(encoding="utf-8")
    assert page == configuration.rewritten(page), "run: make docs"


def test_every_setting_has_a_row_of_its_own_and_there_are_no_others() -> None:
    page = configuration.PAGE.read_text(encoding="utf-8")
    written = page.partition(configuration.BEGIN)[2].partition(configuration.END)[0]
    rows = re.findall(r"^\| `([A-Z_0-9]+)` \|", written, re.MULTILINE)
    assert rows == [name.upper() for group in GROUPS for name in group.model_fields]
    assert sorted(rows) == sorted(name.upper() for name in Settings.model_fields)


def test_every_setting_says_what_it_is_for() -> None:
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


def test_defaults_are_written_as_an_operator_sets_them() -> None:
    fields = Settings.model_fields
    assert configuration.default_of(fields["collection_interval"]) == "`30000`"
    assert configuration.default_of(fields["snmp_allow_adhoc_targets"]) == "`false`"
    assert configuration.default_of(fields["prom_encrypt_key"]) == "unset"


def test_bounds_and_choices_are_shown() -> None:
    fields = Settings.model_fields
    assert configuration.values_of(fields["server_port"]) == "integer 0 to 65535"
    assert configuration.values_of(fields["collection_interval"]) == "duration from 0"
    assert configuration.values_of(fields["memory_limit"]) == "size from 0"
    assert configuration.values_of(fields["cache_entry_cnt"]) == "integer from 1"
    assert configuration.values_of(fields["prom_site_lat"]) == "number -90 to 90"
    assert configuration.values_of(fields["log_format"]) == "`text`, `json`"
    assert configuration.values_of(fields["prom_inv_file"]) == "path"


def test_text_outside_the_markers_is_kept() -> None:
    page = f"before\n{configuration.BEGIN}\nold\n{configuration.END}\nafter\n"
    text = configuration.rewritten(page)
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "\nold\n" not in text


def test_the_page_of_the_command_line_has_the_help_of_every_command() -> None:
    page = cli_reference.PAGE.read_text(encoding="utf-8")
    assert page.split() == cli_reference.page().split(), "run: make docs"
