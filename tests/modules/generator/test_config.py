"""generator.yml: every key is read, and every mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.generator.config import (
    LookupRule,
    StaticFilter,
    parse_generator,
    read_generator,
)
from promsnmp.modules.model import Filter, RegexExtract
from tests.support.modules.generated import GENERATOR


def test_everything_of_a_generator_yml_is_read() -> None:
    file = parse_generator(GENERATOR, source="generator.yml")
    assert file.auths["secret"]["password"] == "0123"
    (config,) = file.configs
    assert config.walk == ("interfaces", "ifXTable")
    assert config.settings == {"max_repetitions": 5, "retries": 0, "timeout": 90.0, "use_unconnected_udp_socket": True,
                               "allow_nonincreasing_oids": True}  # fmt: skip
    assert config.lookups[2] == LookupRule(("ifIndex",), "IF-MIB::ifName", drop_sources=True)
    assert dict(config.overrides)["ifPromiscuousMode"].type == "EnumAsInfo"
    assert dict(config.overrides)["ifMtu"].regex_extracts == (RegexExtract("Temp", ((r"(\d+)C", "$1"), (".*", "0"))),)
    assert config.static_filters == (StaticFilter(("ifMtu",), ("1", "2")),)
    assert config.filters == (Filter("1.3.6.1.2.1.2.2.1.7", ("1.3.6.1.2.1.2.2.1.4",), ("1",)),)


def test_display_hints_are_read_in_overrides_and_lookups() -> None:
    text = (
        "modules: {a: {overrides: {b: {display_hint: '@mib'}},"
        " lookups: [{source_indexes: [c], lookup: d, display_hint: '1x:'}]}}"
    )
    (config,) = parse_generator(text, source="g.yml").configs
    assert dict(config.overrides)["b"].display_hint == "@mib"
    assert config.lookups == (LookupRule(("c",), "d", display_hint="1x:"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modules:\n  a:\n    wlak: [x]", r"g\.yml:3: unknown key 'wlak' in module 'a'; allowed: .*walk"),
        (
            "modules: {a: {overrides: {b: {type: Gauge}}}}",
            r"g\.yml:1: 'type' of override 'b': 'Gauge' is not known; allowed",
        ),
        ("modules: {a: {lookups: [{lookup: b}]}}", "a lookup has no 'source_indexes'"),
        ("modules: {a: {timeout: 5x}}", "is not a duration"),
        ("modules: {a: {filters: {static: [{targets: [b], indices: [x]}]}}}", "'x' is not an index"),
        ("modules: {a: {filters: {dynamic: [{oid: b, values: [c]}]}}}", "a filter has no 'targets'"),
        ("modules: {a: {overrides: {b: {scale: many}}}}", "must be a number"),
        ("modules: {a: {overrides: {b: {display_hint: what}}}}", "'what' is not a DISPLAY-HINT"),
        ("module: {}", "unknown key 'module' in the file"),
        ("a: [", r"g\.yml:\d+: not valid YAML"),
    ],
)
def test_mistakes_in_a_generator_yml_are_named_with_their_line(text: str, message: str) -> None:
    with pytest.raises(ModuleError, match=message):
        parse_generator(text, source="g.yml")


def test_secrets_of_a_generator_yml_are_not_shown() -> None:
    file = parse_generator(GENERATOR, source="g.yml")
    assert "0123" not in repr(file)
    with pytest.raises(ModuleError) as error:
        parse_generator("auths: {a: {pasword hunter2: }}", source="g.yml")
    assert "hunter2" not in str(error.value)


def test_a_generator_yml_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"nowhere\.yml:1: cannot be read: no such file"):
        read_generator(tmp_path / "nowhere.yml")
