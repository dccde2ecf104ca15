"""Relabelling as Prometheus does it before a scrape (prometheus.io, ``<relabel_config>``; ``model/relabel``).

Expressions are RE2 and match whole values, and a dot matches newlines, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from promsnmp.modules.regex import RegexMatch, RegexPattern, compile_regex, expand

Labels = dict[str, str]
"""Label values by name; no value is empty."""
DEFAULT_REGEX = "(.*)"
_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_NEEDS_TARGET = frozenset({"replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"})


@dataclass(frozen=True)
class Rule:
    """One item of ``relabel_configs``. ``check`` is to be called first: it raises ValueError for a wrong rule."""

    action: str = "replace"
    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = DEFAULT_REGEX
    target_label: str = ""
    replacement: str = "$1"
    modulus: int = 0
    line: int = 0

    def check(self) -> None:
        """Raises ValueError with the reason when Prometheus would refuse the rule, or it is not known here."""
        if self.action not in _ACTIONS:
            raise ValueError(f"unknown action {self.action[:40]!r}")
        if self.action in _NEEDS_TARGET and not self.target_label:
            raise ValueError(f"action {self.action} needs target_label")
        if self.action == "hashmod" and self.modulus < 1:
            raise ValueError("action hashmod needs modulus")
        _ = self.pattern

    @cached_property
    def pattern(self) -> RegexPattern:
        """The expression, for whole values. Raises ValueError."""
        return compile_regex(f"^(?s:{self.regex})$")

    def match(self, text: str) -> RegexMatch | None:
        return self.pattern.search(text)


def relabel(labels: Mapping[str, str], rules: Sequence[Rule]) -> Labels | None:
    """The labels after all rules; None when a rule drops the target."""
    result = {name: value for name, value in labels.items() if value}
    for rule in rules:
        value = rule.separator.join(result.get(name, "") for name in rule.source_labels)
        if not _ACTIONS[rule.action](rule, value, result):
            return None
    return result


def _set(labels: Labels, name: str, value: str) -> bool:
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)
    return True


def _replace(rule: Rule, value: str, labels: Labels) -> bool:
    if match := rule.match(value):
        target = expand(rule.target_label, rule.pattern, match)
        if _LABEL_NAME.match(target):
            _set(labels, target, expand(rule.replacement, rule.pattern, match))
    return True


def _hashmod(rule: Rule, value: str, labels: Labels) -> bool:
    digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
    return _set(labels, rule.target_label, str(int.from_bytes(digest[8:]) % rule.modulus))


def _labelmap(rule: Rule, _: str, labels: Labels) -> bool:
    for name, value in list(labels.items()):
        if match := rule.match(name):
            _set(labels, expand(rule.replacement, rule.pattern, match), value)
    return True


def _keep_names(rule: Rule, labels: Labels, *, matching: bool) -> bool:
    for name in [name for name in labels if bool(rule.match(name)) is not matching]:
        del labels[name]
    return True


_ACTIONS: Mapping[str, Callable[[Rule, str, Labels], bool]] = {
    "replace": _replace,
    "keep": lambda rule, value, _: rule.match(value) is not None,
    "drop": lambda rule, value, _: rule.match(value) is None,
    "keepequal": lambda rule, value, labels: labels.get(rule.target_label, "") == value,
    "dropequal": lambda rule, value, labels: labels.get(rule.target_label, "") != value,
    "hashmod": _hashmod,
    "lowercase": lambda rule, value, labels: _set(labels, rule.target_label, value.lower()),
    "uppercase": lambda rule, value, labels: _set(labels, rule.target_label, value.upper()),
    "labelmap": _labelmap,
    "labeldrop": lambda rule, _, labels: _keep_names(rule, labels, matching=False),
    "labelkeep": lambda rule, _, labels: _keep_names(rule, labels, matching=True),
}
"""What a rule does to the labels; false: the target is dropped."""
