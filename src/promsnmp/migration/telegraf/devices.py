"""The agents of Telegraf's ``[[inputs.snmp]]`` (Telegraf, plugins/inputs/snmp, README; defaults are those there)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from promsnmp.errors import ModuleError
from promsnmp.inventory.document.parsing import read_milliseconds
from promsnmp.migration.drafts import MOST_DEVICES, Draft, Drafts, label_name
from promsnmp.migration.migrated import Document
from promsnmp.migration.notes import Notes

DEFAULT_TIMEOUT, DEFAULT_RETRIES = 5000, 3
_INPUT = re.compile(r"^[ \t]*\[\[[ \t]*inputs[ \t]*\.[ \t]*\"?snmp\"?[ \t]*\]\]", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]|@\{")
"""An environment variable, or a secret of a secret store."""
_LEVELS = {"noauthnopriv": 1, "authnopriv": 2, "authpriv": 3}
_OUR_METRICS = ("field", "table")
_TEXTS = {"sec_name": "securityName", "auth_protocol": "authProtocol", "auth_password": "authPassphrase"} | {
    "priv_protocol": "privProtocol", "priv_password": "privPassphrase", "context_name": "contextName"
}  # fmt: skip


def read(octets: bytes, file: str, notes: Notes) -> Drafts:
    """The devices of a file. Raises ModuleError when it is not TOML."""
    try:
        text = octets.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise ModuleError(f"{file}:{line}: it is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        last = octets.count(b"\n") + 1  # the message says "at end of document" there
        raise ModuleError(f"{file}:{found[1] if found else last}: not valid TOML") from None
    except (RecursionError, ValueError):
        raise ModuleError(f"{file}:1: not valid TOML: nested too deeply, or with a number of too many digits") from None
    inputs = _tables(_tables_of(document, "inputs").get("snmp"))
    starts = [text.count("\n", 0, match.start()) + 1 for match in _INPUT.finditer(text)]
    lines = text.splitlines()
    if not inputs:
        notes.add(file, 1, "there is no [[inputs.snmp]] in this file", lost=True)
    if _tables(_tables_of(document, "inputs").get("snmp_legacy")):
        notes.add(file, 1, "inputs.snmp_legacy is not read; write its agents as [[inputs.snmp]]", lost=True)
    if not isinstance(interval := _tables_of(document, "agent").get("interval"), str):
        interval = ""
    tags = _labels(_tables_of(document, "global_tags"))
    drafts: list[Draft] = []
    for number, one in enumerate(inputs):
        start = starts[number] if len(starts) == len(inputs) else 1
        drafts += _Input(one, file, start, lines, notes).drafts(interval, tags)
        if len(drafts) > MOST_DEVICES:
            raise ModuleError(f"{file}:{start}: more than {MOST_DEVICES:,} devices; split the file")
    return Drafts(drafts)


def _tables(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _tables_of(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _labels(tags: Mapping[str, Any]) -> dict[str, str]:
    return {label_name(name): str(value) for name, value in tags.items() if isinstance(value, str | int) and name}


class _Input:
    """One ``[[inputs.snmp]]``, which begins at line ``start``."""

    def __init__(self, values: Mapping[str, Any], file: str, start: int, lines: list[str], notes: Notes) -> None:
        self._values = values
        self._file = file
        self._start = start
        self._lines = lines
        self._notes = notes

    def drafts(self, interval: str, tags: Mapping[str, str]) -> list[Draft]:
        if any(self._values.get(key) for key in _OUR_METRICS):
            what = "its fields and tables are not read: devices are polled with the modules that suit them"
            self._note(f"{what}; promsnmp modules build makes modules for other tables")
        agents = self._values.get("agents")
        if not isinstance(agents, list) or not agents:
            self._note("the input has no list 'agents'", lost=True)
            return []
        try:
            credentials, hint = self._credentials(), self._values.get("alias")
            agent, device = self._agent(), self._device(interval, tags)
        except ValueError as error:
            self._note(f"the input is not imported: {error}", lost=True)
            return []
        drafts = []
        for address in agents:
            line = self._line_of(str(address))
            host = _host(str(address))
            if host is None:
                what = f"{str(address)[:80]}: not imported: the inventory has SNMP over UDP only"
                self._notes.add(self._file, line, what, lost=True)
                continue
            drafts.append(
                Draft(
                    file=self._file,
                    line=line,
                    address=host,
                    credentials=credentials,
                    agent=agent,
                    device=device,
                    credentials_hint=hint if isinstance(hint, str) else "",
                )
            )
        return drafts

    def _note(self, what: str, *, lost: bool = False) -> None:
        self._notes.add(self._file, self._start, what, lost=lost)

    def _line_of(self, address: str) -> int:
        """The line of an agent, which is near the beginning of its input in nearly every file."""
        lines = enumerate(self._lines[self._start - 1 :], self._start)
        return next((number for number, line in lines if address in line), self._start)

    def _credentials(self) -> Document:
        version = str(self._values.get("version", 2)).lower()
        if version not in ("1", "2", "2c", "3"):
            raise ValueError(f"version {version[:20]!r} must be 1, 2 or 3")
        if version != "3":
            community = self._text("community", "public")
            return {"version": 0 if version == "1" else 1, "readCommunity": community}
        level = _LEVELS.get(str(self._values.get("sec_level", "")).lower())
        if level is None:
            raise ValueError("sec_level must be noAuthNoPriv, authNoPriv or authPriv")
        unused = {1: ("auth_", "priv_"), 2: ("priv_",), 3: ()}[level]
        found: Document = {
            ours: self._text(theirs) for theirs, ours in _TEXTS.items() if theirs in self._values
            and not theirs.startswith(unused or "\0")
        }  # fmt: skip
        return {"version": 3, "securityLevel": level, **{key: value for key, value in found.items() if value}}

    def _text(self, key: str, default: str = "") -> str:
        """Raises ValueError for a variable: its value is not in the file."""
        text = str(self._values.get(key, default))
        if _VARIABLE.search(text):
            raise ValueError(f"{key} is a variable or in a secret store; write its value into a copy of the file")
        return text

    def _agent(self) -> Document:
        timeout = _milliseconds("timeout", self._values.get("timeout")) or DEFAULT_TIMEOUT
        return {"timeout": timeout, "retries": self._values.get("retries", DEFAULT_RETRIES)}

    def _device(self, interval: str, tags: Mapping[str, str]) -> Document:
        device: Document = {"labels": {**tags, **_labels(_tables_of(self._values, "tags"))}}
        if own := _milliseconds("interval", self._values.get("interval", interval)):
            device["interval"] = own
        if "max_repetitions" in self._values:
            device["maxRepetitions"] = self._values["max_repetitions"]
        if self._values.get("use_unconnected_udp_socket") or self._values.get("unconnected_udp_socket"):
            device["unconnected"] = True
        return device


def _milliseconds(key: str, value: object) -> int:
    """A duration of Telegraf: text such as ``10s``, or a number of seconds; 0 for none. Raises ValueError."""
    try:
        if isinstance(value, str):
            return read_milliseconds(f"{value}s" if value.isdigit() else value) if value else 0
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return read_milliseconds(value * 1000 if is_number else value) if value else 0  # type: ignore[operator]  # a number
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{key}: {error}") from None


def _host(address: str) -> str | None:
    """``host:port`` of an agent; None for TCP."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    return rest if scheme in ("udp", "udp4", "udp6") else None
