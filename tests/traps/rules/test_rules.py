"""Rules: what they set, which counts, pairs, and their errors."""

from __future__ import annotations

import pytest

from promsnmp.errors import ModuleError
from promsnmp.snmp.credentials import SecurityLevel
from promsnmp.traps.names.model import AlertKey, Severity, State
from promsnmp.traps.rules.model import MAX_WILDCARDS, Glob
from promsnmp.traps.rules.reader import MAX_RULES, check_rules, default_rules, read_rules
from tests.support.notifications import (
    ADMIN_STATUS,
    COLD_START,
    IF_DESCR,
    IF_INDEX,
    LINK_DOWN,
    LINK_UP,
    NAMER,
    link,
    named,
    notification,
    passed,
    varbind,
)


def test_link_down_and_up_are_a_pair() -> None:
    down, up = passed(link(LINK_DOWN)), passed(link(LINK_UP))
    assert (down.state, down.severity, down.timeout) == (State.FIRING, Severity.WARNING, 86400)
    assert down.key == AlertKey("core1-id", "linkDown", (("ifIndex", "3"),))
    assert (up.state, up.severity, up.resolves) == (State.RESOLVED, Severity.INFO, (down.key,))
    assert down.text == "Interface 3 went down"


def test_group_by_takes_the_first_name_that_is_there() -> None:
    without_index = passed(notification(LINK_DOWN, varbind(f"{IF_DESCR}.3", b"eth0")))
    assert without_index.key == passed(link(LINK_DOWN)).key
    assert without_index.text == "Interface eth0 went down"


def test_an_interface_that_was_switched_off_fires_nothing() -> None:
    off = passed(notification(LINK_DOWN, varbind(f"{IF_INDEX}.3", 3), varbind(f"{ADMIN_STATUS}.3", 2)))
    assert (off.state, off.severity) == (State.EVENT, Severity.INFO)


def test_a_wildcard_stands_for_the_same_in_resolves() -> None:
    cleared = passed(notification("1.3.6.1.4.1.318.0.277"))
    fired = passed(notification("1.3.6.1.4.1.318.0.276"))
    assert (cleared.name, fired.name) == ("rPDUOverloadCleared", "rPDUOverload")
    assert cleared.resolves == (fired.key,)


def test_each_setting_is_of_the_first_rule_that_has_it() -> None:
    rules = """
    rules:
      - {trap: linkDown, device: {site: "lab*"}, severity: info}
      - {trap: "link*", labels: {team: net, what: "{ifOperStatus} {device.site|device}"}}
      - {trap: 1.3.6.1.6.3.1.1.5.3, labels: {team: other}, text: "{nothing}", outputs: [loki]}
    """
    lab = named(link(), rules, {"site": "lab7"})
    other = named(link(), rules, {"site": "prod"})
    assert lab is not None
    assert other is not None
    assert (lab.severity, other.severity) == (Severity.INFO, Severity.WARNING)
    assert lab.labels == {"team": "net", "what": "down lab7"}
    assert (lab.text, lab.outputs) == ("?", ("loki",))
    assert lab.group == other.group == (("ifIndex", "3"),)


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ("varbinds: {ifOperStatus: down}", True),
        ("varbinds: {ifOperStatus: 2}", True),
        ("varbinds: {ifOperStatus: [up, d*]}", True),
        ("varbinds: {ifOperStatus: up}", False),
        ("varbinds: {ifName: '*'}", False),
        ("device: {name: core?}", True),
        ("device: {address: 192.0.2.*}", True),
        ("device: {rack: '*'}", True),  # a label that is missing is empty
        ("device: {rack: '?*'}", False),
        ("authenticated: true", False),
        ("authenticated: false", True),
    ],
)
def test_conditions(condition: str, *, matches: bool) -> None:
    found = named(link(), f"rules:\n  - trap: IF-MIB::linkDown\n    {condition}\n    drop: true\n")
    assert (found is None) == matches


def test_an_earlier_rule_keeps_what_a_later_one_drops() -> None:
    sent = notification(COLD_START, level=SecurityLevel.AUTH_PRIV)
    rules = "rules: [{trap: '*', authenticated: true, drop: false}, {drop: true}]"
    assert named(sent, rules) is not None
    assert named(notification(COLD_START), rules) is None


def test_default_rules_name_what_is_defined() -> None:
    known = NAMER.ready()
    names = [name for one in known.notifications.values() for name in (one.name, f"{one.mib}::{one.name}")]
    objects = {one.name for one in known.objects.values()} | {"index", "trap", "device"}
    for rule in default_rules():
        for glob in rule.traps:
            assert any(glob.match(name) is not None for name in names), f"{rule.place}: {glob.written}"
        placeholders = [*(rule.text.names() if rule.text else ()), *"|".join(rule.group_by or ()).split("|")]
        used = {name.partition(":")[0] for name in placeholders} | {name for name, _ in rule.varbinds}
        assert used - {""} <= objects, rule.place
        assert {name for name in rule.resolves or () if "*" not in name} <= set(names), rule.place


def test_globs_do_not_take_long() -> None:
    assert Glob.of("*a" * MAX_WILDCARDS + "b").match("a" * 60) is None


def test_too_many_wildcards_are_refused_with_their_line() -> None:
    for entry in ('trap: "%s"', 'varbinds: {ifDescr: "%s"}'):
        written = "rules:\n  - severity: info\n    " + entry % ("*a" * 400) + "\n"
        with pytest.raises(ModuleError, match=f"rules.yml:3.*more than {MAX_WILDCARDS} wildcards"):
            read_rules(written.encode(), source="rules.yml")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("rules:\n  - {trap: linkDown, severity: bad}", 2, "severity"),
        ("rules:\n  - {trap: linkDown, severty: info}", 2, "severity"),
        ("rules:\n  - trap: linkDown", 2, "sets nothing"),
        ("rules:\n  - {trap: a, text: 'x {'}", 2, "brace"),
        ("rules:\n  - {trap: a, labels: {severity: x}}", 2, "severity"),
        ("rules:\n  - {trap: a, labels: {a-b: x}}", 2, "a-b"),
        ("rules:\n  - {trap: a, resolves: b, timeout: 1h}", 2, "timeout"),
        ("rules:\n  - {trap: a, timeout: soon}", 2, "soon"),
        ("rules:\n  - {trap: a, outputs: [mail]}", 2, "mail"),
        ("rules: {a: b}", 1, "list"),
        ("rules:\n  - {trap: [}", 2, "YAML"),
    ],
)
def test_errors_name_file_line_and_what(text: str, line: int, what: str) -> None:
    with pytest.raises(ModuleError) as raised:
        read_rules(text.encode(), source="rules.yml")
    assert str(raised.value).startswith(f"rules.yml:{line}:")
    assert what in str(raised.value)


def test_every_wrong_rule_is_reported() -> None:
    rules, problems = check_rules(b"rules:\n  - {trap: a}\n  - {trap: b, drop: true}\n  - {x: 1}\n", source="r")
    assert len(rules) == 1
    assert [one.split(":")[1] for one in problems] == ["2", "4"]


def test_the_number_of_rules_is_bounded() -> None:
    with pytest.raises(ModuleError):
        read_rules(b"rules:\n" + b"  - {drop: true}\n" * (MAX_RULES + 2), source="r")
