"""Applies rules to named notifications."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from cachetools import LRUCache

from promsnmp.snmp import oid as oids
from promsnmp.traps.names.model import AlertKey, NamedNotification, NamedVarbind, Severity, State
from promsnmp.traps.names.values import one_line
from promsnmp.traps.rules.model import Glob, Rule, Rules, first_of

MAX_LABEL = 256
"""Characters of a label's value and of a value that is grouped by, at most."""
MAX_LINE = 512
"""Characters of the text of a notification, at most."""
KNOWN_TRAPS = 4096
"""Notifications whose rules are remembered; the least recently used are forgotten."""
_SHOWN = 3
"""Varbinds that the text shows where no rule sets it."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rule whose pattern of the trap matches, and what its first ``*`` stands for."""

    rule: Rule
    wildcard: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules make of a notification, and where each setting comes from."""

    named: NamedNotification
    dropped: bool
    origin: Mapping[str, str]
    """File and line of the rule, by setting."""


class RuleSet:
    """``rules`` in their order: of each setting, the first matching rule that has it counts."""

    def __init__(self, rules: Rules) -> None:
        self.rules = tuple(rules)
        self._candidates: LRUCache[tuple[str, str, bytes], tuple[_Candidate, ...]] = LRUCache(KNOWN_TRAPS)

    def apply(self, named: NamedNotification, device_labels: Mapping[str, str]) -> NamedNotification | None:
        """The notification with severity, text, labels and state; None when a rule drops it."""
        decision = self.decide(named, device_labels)
        return None if decision.dropped else decision.named

    def decide(self, named: NamedNotification, device_labels: Mapping[str, str]) -> Decision:
        """As ``apply``, with where it comes from."""
        matching = [one for one in self._candidates_of(named) if _matches(one.rule, named, device_labels)]
        origin: dict[str, str] = {}

        def first(setting: str, get: Callable[[Rule], T | None]) -> T | None:
            for one in matching:
                if (value := get(one.rule)) is not None:
                    origin[setting] = one.rule.place
                    return value
            return None

        lookup = _lookup(named, device_labels)
        group_by = first("group_by", lambda rule: rule.group_by) or ()
        group = tuple((name.partition("|")[0], _short(first_of(name, lookup) or "")) for name in group_by)
        resolves = first("resolves", lambda rule: rule.resolves) or ()
        wildcard = next((one.wildcard for one in matching if one.rule.resolves is not None), None)
        severity = first("severity", lambda rule: rule.severity) or Severity.INFO
        text = first("text", lambda rule: rule.text)
        decided = replace(
            named,
            severity=severity,
            text=one_line(text.filled(lookup) if text is not None else _default_text(named), MAX_LINE),
            labels=self._labels(matching, lookup, origin),
            state=_state(severity, resolves=bool(resolves)),
            resolves=tuple(AlertKey(named.device_key, _put(name, wildcard), group) for name in resolves),
            group=group,
            timeout=first("timeout", lambda rule: rule.timeout) or 0.0,
            outputs=first("outputs", lambda rule: rule.outputs) or (),
        )
        return Decision(decided, first("drop", lambda rule: rule.drop) or False, origin)

    def _candidates_of(self, named: NamedNotification) -> tuple[_Candidate, ...]:
        key = (named.mib, named.name, named.notification.oid)
        found = self._candidates.get(key)
        if found is None:
            names = (named.name, f"{named.mib}::{named.name}", oids.to_text(named.notification.oid))
            all_found = (_candidate(rule, names) for rule in self.rules)
            found = self._candidates[key] = tuple(one for one in all_found if one is not None)
        return found

    @staticmethod
    def _labels(
        matching: Sequence[_Candidate], lookup: Callable[[str], str | None], origin: dict[str, str]
    ) -> dict[str, str]:
        """The labels of all matching rules; of one name, the first counts."""
        found: dict[str, str] = {}
        for one in matching:
            for name, template in one.rule.labels.items():
                if name not in found:
                    found[name] = _short(template.filled(lookup))
                    origin[f"labels.{name}"] = one.rule.place
        return found


def _state(severity: Severity, *, resolves: bool) -> State:
    if resolves:
        return State.RESOLVED
    return State.EVENT if severity is Severity.INFO else State.FIRING


def _candidate(rule: Rule, names: Sequence[str]) -> _Candidate | None:
    if not rule.traps:
        return _Candidate(rule, None)
    for glob in rule.traps:
        for name in names:
            if (found := glob.match(name)) is not None:
                return _Candidate(rule, found[0] if found else None)
    return None


def _matches(rule: Rule, named: NamedNotification, device_labels: Mapping[str, str]) -> bool:
    if rule.authenticated is not None and rule.authenticated != named.notification.authenticated:
        return False
    for name, globs in rule.varbinds:
        if not any(_has(one, globs) for one in named.varbinds if one.name == name):
            return False
    if not rule.device:
        return True
    lookup = _device_lookup(named, device_labels)
    return all(_any_match(globs, lookup(name) or "") for name, globs in rule.device)


def _has(varbind: NamedVarbind, globs: Sequence[Glob]) -> bool:
    return _any_match(globs, varbind.text) or _any_match(globs, str(varbind.value))


def _any_match(globs: Sequence[Glob], text: str) -> bool:
    return any(one.match(text) is not None for one in globs)


def _put(name: str, wildcard: str | None) -> str:
    return name if wildcard is None else name.replace("*", wildcard)


def _device_lookup(named: NamedNotification, device_labels: Mapping[str, str]) -> Callable[[str], str | None]:
    own = {"name": named.notification.device_name, "address": named.notification.sender}
    return lambda name: own.get(name) or device_labels.get(name)


def _lookup(named: NamedNotification, device_labels: Mapping[str, str]) -> Callable[[str], str | None]:
    """The names that placeholders and ``group_by`` may use."""
    notification = named.notification
    own = {
        "device": notification.device_name or notification.sender,
        "sender": notification.sender,
        "trap": named.name,
        "mib": named.mib,
    }

    def lookup(name: str) -> str | None:
        if name in own:
            return own[name]
        if name == "index":
            return next((one.index for one in named.varbinds if one.index not in ("", "0")), None)
        if name.startswith("device."):
            return device_labels.get(name.removeprefix("device."))
        plain, _, part = name.partition(":")
        found = next((one for one in named.varbinds if one.name == plain), None)
        if found is None:
            return None
        return {"index": found.index, "value": str(found.value)}.get(part, found.text)

    return lookup


def _default_text(named: NamedNotification) -> str:
    """The name, and the first values."""
    shown = [f"{one.name}={one.text}" for one in named.varbinds[:_SHOWN]]
    return f"{named.name}: {', '.join(shown)}" if shown else named.name


def _short(text: str) -> str:
    return one_line(text, MAX_LABEL)
