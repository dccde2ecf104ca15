"""Finds and reads ``promsnmp.yml``: every setting by its name, below the key of its group.

A value means what it means in the environment, so ``collection_interval: 30s`` is ``COLLECTION_INTERVAL=30s``. A list
is written for values that are comma separated there. A null or empty value counts as unset.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from promsnmp.errors import SettingsError, did_you_mean
from promsnmp.settings.group import Group, is_secret
from promsnmp.support.secret_keys import exposure
from promsnmp.support.yaml_nodes import NodeError, entries, is_null, plain_value, quoted, text
from promsnmp.support.yaml_text import compose, describe_error

VARIABLE = "PROMSNMP_CONFIG"
NAME = "promsnmp.yml"
SYSTEM_PLACE = Path("/etc/promsnmp") / NAME
MAX_OCTETS = 1024 * 1024
NEAR = 0.6
"""Similarity (difflib's ratio) from which a key is taken for a misspelt one."""
PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool"))
"""Tags that leave the text as it is."""
_NAME = re.compile(r"[A-Za-z_0-9]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileValue:
    """The text of a setting in a file, and its line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file and its values by the name of the setting; no path: there is no file."""

    path: Path | None = None
    values: Mapping[str, FileValue] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """``promsnmp.yml:3`` for a setting that the file has."""
        return f"{self.path}:{self.values[name].line}"


NO_FILE = ConfigFile()


def user_place() -> Path:
    """``promsnmp/promsnmp.yml`` in the user's configuration folder (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "promsnmp" / NAME


def config_path() -> Path | None:
    """The file in use: that of PROMSNMP_CONFIG, else the user's, else the system's; None without a file.

    The last two are passed over when this user may not read them: the system's belongs to the service.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return next((place for place in (user_place(), SYSTEM_PLACE) if os.access(place, os.R_OK)), None)


@contextmanager
def use_config(path: Path | None) -> Iterator[None]:
    """Within, ``path`` is the file in use, also for the processes that are started; None changes nothing."""
    before = os.environ.get(VARIABLE)
    if path is not None:
        os.environ[VARIABLE] = str(path)
    try:
        yield
    finally:
        if path is not None:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before


def read_config(path: Path | None, groups: Mapping[str, type[Group]]) -> ConfigFile:
    """The values of a file by the name of the setting. ``groups``: the groups by their keys.

    Raises SettingsError with a line for each problem: file, line, what is wrong, and the nearest name for one that is
    not known; also when others can read a file with secrets.
    """
    if path is None:
        return NO_FILE
    reader = _Reader(path, groups)
    reader.read(_content(path))
    if not reader.problems:
        reader.problems += _exposed(path, [name for name in reader.values if is_secret(reader.fields[name])])
    if reader.problems:
        raise SettingsError("\n".join(reader.problems))
    return ConfigFile(path, reader.values)


class _Reader:
    """Reads one file; ``values`` and ``problems`` are the result."""

    def __init__(self, path: Path, groups: Mapping[str, type[Group]]) -> None:
        self.values: dict[str, FileValue] = {}
        self.problems: list[str] = []
        self.fields = {name: field for group in groups.values() for name, field in group.model_fields.items()}
        self._path = path
        self._groups = groups
        self._group_of = {name: key for key, group in groups.items() for name in group.model_fields}

    def read(self, content: str) -> None:
        try:
            root = compose(content)
            for key, key_node, node in entries(root, "the configuration", on_error=self._report) if root else ():
                if key in self._groups:
                    self._read_group(key, node)
                else:
                    self._report(self._unknown(key_node, key, "the configuration", self._groups))
        except NodeError as error:
            self._report(error)
        except yaml.YAMLError as error:
            line, reason = describe_error(error)
            self.problems.append(f"{self._path}:{line}: not valid YAML: {reason}")

    def _read_group(self, group: str, node: yaml.Node) -> None:
        if (name := self._groups[group].LIST) and isinstance(node, yaml.SequenceNode):
            self.values[name] = FileValue(json.dumps(plain_value(node)), node.start_mark.line + 1)
            return
        for name, name_node, value in entries(node, group, on_error=self._report):
            if name not in self._groups[group].model_fields:
                self._report(self._unknown(name_node, name, group, self._fields_of(group)))
                continue
            try:
                found = _text(value, name, secret=is_secret(self.fields[name]))
            except NodeError as error:
                self._report(error)
                continue
            if found:
                self.values[name] = FileValue(found, value.start_mark.line + 1)

    def _fields_of(self, group: str) -> list[str]:
        return list(self._groups[group].model_fields)

    def _unknown(self, node: yaml.Node, key: str, where: str, known: Iterable[str]) -> NodeError:
        """The error for an unknown key; it does not repeat what may be a value after a slip of the pen."""
        shown = f" {key!r}" if _NAME.fullmatch(key) else ""
        if group := self._group_of.get(key.lower()):
            return NodeError(node, f"key{shown} in {where}: write {key.lower()!r} under {group!r}")
        hint = did_you_mean(key.lower(), known, cutoff=NEAR) or did_you_mean(key.lower(), self._group_of, cutoff=NEAR)
        return NodeError(node, f"unknown key{shown} in {where}{hint or '; docs/reference/configuration.md lists all'}")

    def _report(self, error: NodeError) -> None:
        self.problems.append(f"{self._path}:{error.line}: {error}")


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(octets) > MAX_OCTETS:
        raise SettingsError(f"{path}: is larger than {MAX_OCTETS >> 20} MiB")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not UTF-8") from None


def _text(node: yaml.Node, name: str, *, secret: bool) -> str:
    """The text of a value as it would be in the environment; that of a list with commas; "" for null.

    No error shows a part of a ``secret`` value.
    """
    if is_null(node):
        return ""
    if isinstance(node, yaml.SequenceNode):
        parts = [_scalar(item, f"an item of {name}") for item in node.value]
        if wrong := next((part for part in parts if "," in part), None):
            shown = "" if secret else f": {quoted(wrong)}"
            raise NodeError(node, f"an item of {name} must have no comma{shown}")
        return ",".join(parts)
    return _scalar(node, name)


def _scalar(node: yaml.Node, what: str) -> str:
    """The text of a scalar. A tag is refused: it is the start of unquoted text, which would be lost."""
    if isinstance(node, yaml.ScalarNode) and not (is_null(node) or node.tag in PLAIN_TAGS):
        raise NodeError(node, f"{what} has a YAML tag (!); put text that starts with ! in quotes")
    return text(node, what)


def _exposed(path: Path, secrets: list[str]) -> list[str]:
    """Why a file with secrets must not be used."""
    problem = exposure(path, path.stat()) if secrets else ""
    return [f"{path} has secrets ({', '.join(secrets)}), but {problem}"] if problem else []
