"""Reads profiles of the Datadog agent: YAML files, each with those that it extends.

The keys are those of the profile format reference (DataDog/integrations-core, docs/developer/tutorials/snmp). Both
names of a tag's column, ``symbol`` and the older ``column``, are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from promsnmp.errors import ModuleError
from promsnmp.migration.node_values import compose, items_at, line_of, mapping, text_at, texts_at
from promsnmp.migration.notes import Notes
from promsnmp.modules.snmp_yml.reader import read_octets
from promsnmp.support import yaml_nodes, yaml_scalars
from promsnmp.support.yaml_nodes import NodeError

MOST_OCTETS = 4 << 20
MOST_PROFILES = 5000
MOST_EXTENDED = 200
"""Files that one profile extends, directly or not."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """An object: a scalar, or a column."""

    name: str
    oid: str = ""
    """"" for a value that is always 1, or where the profile gives a name only."""
    scale: float = 0.0
    extract: str = ""
    format: str = ""
    metric_type: str = ""
    is_one: bool = False
    matches: bool = False
    """Whether its value goes through match_pattern."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the rows of a table."""

    name: str
    symbol: Symbol | None
    index: int
    """Which sub-identifier of the index, from 1; 0: it is a column."""
    mapping: tuple[tuple[int, str], ...]
    ranges: tuple[tuple[int, int], ...]
    """``index_transform``: first and last sub-identifier, from 0."""
    line: int
    unsupported: str = ""
    """What of it we have no word for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of ``metrics``: a scalar, or columns of a table with their tags."""

    symbols: tuple[Symbol, ...]
    tags: tuple[Tag, ...]
    is_table: bool
    metric_type: str
    flag: tuple[int, str]
    """Place and suffix of a flag_stream."""
    file: str
    line: int


@dataclass(slots=True)
class Profile:
    """A profile with everything that it extends."""

    name: str
    file: str
    sys_object_ids: tuple[str, ...] = ()
    entries: list[Entry] = field(default_factory=list)
    device_tags: list[str] = field(default_factory=list)
    has_metadata: bool = False


class Profiles:
    """The profiles in folders; of two with one name, that in the first folder counts."""

    def __init__(self, folders: Sequence[Path], notes: Notes) -> None:
        """Raises ModuleError when a folder cannot be read."""
        self._notes = notes
        self._files: dict[str, Path] = {}
        for folder in folders:
            try:
                found = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
            except OSError as error:
                raise ModuleError(f"{folder}: cannot be read: {(error.strerror or str(error)).lower()}") from None
            for path in found:
                self._files.setdefault(path.stem, path)
        if len(self._files) > MOST_PROFILES:
            raise ModuleError(f"{folders[0]}: more than {MOST_PROFILES:,} profiles")
        self._read: dict[str, Profile] = {}
        self._extends: dict[str, list[tuple[str, int]]] = {}

    @property
    def names(self) -> list[str]:
        """The profiles of devices; names that begin with an underscore are parts of others."""
        return [name for name in self._files if not name.startswith("_")]

    def profile(self, name: str) -> Profile:
        """The profile with what it extends: its own entries come first. Raises ModuleError."""
        own = self._own(name)
        whole = Profile(name, own.file, own.sys_object_ids, has_metadata=own.has_metadata)
        for part in self._order(name):
            one = self._own(part)
            whole.entries += one.entries
            whole.device_tags += one.device_tags
            whole.has_metadata = whole.has_metadata or one.has_metadata
            whole.sys_object_ids = whole.sys_object_ids or one.sys_object_ids
        return whole

    def _order(self, name: str) -> list[str]:
        """The profile and those that it extends, each once."""
        order: list[str] = []
        waiting = [name]
        while waiting:
            one = waiting.pop(0)
            if one in order:
                continue
            order.append(one)
            if len(order) > MOST_EXTENDED:
                raise ModuleError(f"{self._files[name]}: it extends more than {MOST_EXTENDED} profiles")
            self._own(one)
            for other, line in self._extends[one]:
                if other in self._files:
                    waiting.append(other)
                else:
                    what = f"it extends {other!r}, which is in no folder; give its folder, too"
                    self._notes.add(str(self._files[one]), line, what, lost=True)
        return order

    def _own(self, name: str) -> Profile:
        if name not in self._read:
            path = self._files[name]
            try:
                root = compose(read_octets(path, MOST_OCTETS), str(path))
                self._read[name] = self._of(name, path, mapping(root, "the profile"))
            except NodeError as error:
                raise ModuleError(f"{path}:{error.line}: {error}") from None
        return self._read[name]

    def _of(self, name: str, path: Path, parts: dict[str, yaml.Node]) -> Profile:
        self._extends[name] = [
            (Path(yaml_nodes.text(node, "'extends'")).stem, line_of(node)) for node in items_at(parts, "extends")
        ]
        profile = Profile(name, str(path), tuple(texts_at(parts, "sysobjectid")))
        profile.entries = [_entry(node, str(path)) for node in items_at(parts, "metrics")]
        tags = [mapping(node, "a tag") for node in items_at(parts, "metric_tags")]
        profile.device_tags = [text_at(tag, "tag") or "tags" for tag in tags]
        profile.has_metadata = "metadata" in parts
        return profile


def _entry(node: yaml.Node, file: str) -> Entry:
    parts = mapping(node, "a metric")
    kind = text_at(parts, "metric_type", "forced_type")
    options = mapping(parts["options"], "'options'") if "options" in parts else {}
    flag = (
        (yaml_scalars.count(options["placement"], "'placement'", 10_000) if "placement" in options else 0),
        text_at(options, "metric_suffix"),
    )
    if "table" in parts or "symbols" in parts:
        symbols = tuple(_symbol(one) for one in items_at(parts, "symbols"))
        tags = tuple(_tag(one) for one in items_at(parts, "metric_tags") if isinstance(one, yaml.MappingNode))
        return Entry(symbols, tags, is_table=True, metric_type=kind, flag=flag, file=file, line=line_of(node))
    symbol = _symbol(parts["symbol"]) if isinstance(parts.get("symbol"), yaml.MappingNode) else _symbol(node)
    return Entry((symbol,), (), is_table=False, metric_type=kind, flag=flag, file=file, line=line_of(node))


def _symbol(node: yaml.Node) -> Symbol:
    if isinstance(node, yaml.ScalarNode):
        return Symbol(str(node.value))
    parts = mapping(node, "a symbol")
    return Symbol(
        name=text_at(parts, "name", "symbol"),
        oid=_oid(parts),
        scale=yaml_scalars.number(parts["scale_factor"], "'scale_factor'") if "scale_factor" in parts else 0.0,
        extract=text_at(parts, "extract_value"),
        format=text_at(parts, "format"),
        metric_type=text_at(parts, "metric_type"),
        is_one=text_at(parts, "constant_value_one").lower() == "true",
        matches="match_pattern" in parts,
    )


def _oid(parts: Mapping[str, yaml.Node]) -> str:
    node = parts.get("OID")
    if node is None:
        return ""
    text = yaml_nodes.text(node, "'OID'").strip().strip(".")
    if not all(part.isascii() and part.isdigit() and int(part[:12]) < 2**32 for part in text.split(".")):
        raise NodeError(node, f"{yaml_nodes.quoted(text)} is not an OID")
    return text


def _tag(node: yaml.Node) -> Tag:
    parts = mapping(node, "a tag")
    column = parts.get("symbol") or parts.get("column")
    unsupported = next((key for key in ("match", "tags") if key in parts), "")
    transforms = [mapping(one, "an index_transform") for one in items_at(parts, "index_transform")]
    if any("drop_right" in one for one in transforms):
        unsupported = "drop_right"
        transforms = []
    ranges = tuple(
        (_position(one, "start", node), _position(one, "end", node)) for one in transforms
    )  # both ends belong to it
    if any(end < start for start, end in ranges):
        raise NodeError(node, "an index_transform ends before it starts")
    numbers = mapping(parts["mapping"], "'mapping'") if "mapping" in parts else {}
    return Tag(
        name=text_at(parts, "tag", "symbol_tag"),
        symbol=None if column is None else _symbol(column),
        index=yaml_scalars.count(parts["index"], "'index'", 128) if "index" in parts else 0,
        mapping=tuple(
            (int(key), yaml_nodes.text(value, "a mapping"))
            for key, value in numbers.items()
            if key.lstrip("-").isdigit() and key.isascii() and len(key) < 12
        ),
        ranges=ranges,
        line=line_of(node),
        unsupported=unsupported,
    )


def _position(parts: Mapping[str, yaml.Node], key: str, node: yaml.Node) -> int:
    if key not in parts:
        raise NodeError(node, f"an index_transform has no {key!r}")
    return yaml_scalars.count(parts[key], f"{key!r}", 127)
