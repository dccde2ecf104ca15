"""The keys of health definitions, each with the function that reads it: from YAML nodes to ``model.py``.

``docs/health.md`` describes the language. Every error has its line; a definition with errors does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

import yaml

from promsnmp.modules.health import expression, template
from promsnmp.modules.health.expression import Expression
from promsnmp.modules.health.families import KINDS, Kind
from promsnmp.modules.health.model import ABSENT, STATES, Column, Definition, InfoSource, Reading, StatusValues, Table
from promsnmp.modules.health.template import Template
from promsnmp.modules.regex import RegexPattern, compile_regex
from promsnmp.modules.snmp_yml import scalars
from promsnmp.support import yaml_nodes, yaml_scalars
from promsnmp.support.yaml_nodes import ErrorHandler, NodeError, ReportedError, quoted

INFO_LABELS = ("vendor", "model", "os", "os_version", "serial_number")
"""The labels of ``snmp_device_info``."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ID = re.compile(r"[A-Za-z0-9_.-]+")
_TABLE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_LIMIT_TYPE = re.compile(r"[a-z]+(\.[a-z]+)*")
_BUILT_IN_COLUMNS = {
    "sysDescr": Column("1.3.6.1.2.1.1.1", at=template.parse_template("0")),
    "sysObjectID": Column("1.3.6.1.2.1.1.2", at=template.parse_template("0")),
    "ifName": Column("1.3.6.1.2.1.31.1.1.1.1"),
    "ifDescr": Column("1.3.6.1.2.1.2.2.1.2"),
}
"""Columns that every table has without naming them."""
_USAGE_PARTS = ("used", "free", "limit", "ratio")
_Fields = Mapping[str, yaml.Node]
_T = TypeVar("_T")


class DefinitionReader:
    """Reads definitions; errors that leave the rest of a definition readable go to ``on_error``."""

    def __init__(self, on_error: ErrorHandler) -> None:
        self._on_error = on_error
        self._error_count = 0
        self._what = ""

    def definition(self, name: str, node: yaml.Node) -> Definition:
        """One definition. Raises NodeError."""
        self._what = f"health definition {quoted(name)}"
        self._error_count = 0
        fields = self._fields(node, self._what, _DEFINITION)
        read = Definition(
            name,
            devices=self._object_ids(fields, "devices"),
            answers=self._object_ids(fields, "answers"),
            fallback=self._kinds(fields),
            info=tuple(self._each(fields, "info", self._info)),
            tables=tuple(self._each(fields, "tables", self._table)),
        )
        if not read.devices and not read.answers:
            raise NodeError(node, f"{self._what} has neither 'devices' nor 'answers'")
        names = [one.name for one in read.tables]
        if repeated := next((one for one in names if names.count(one) > 1), None):
            raise NodeError(node, f"{self._what} has two tables named {quoted(repeated)}")
        if self._error_count:
            raise ReportedError(node)
        return read

    # ------------------------------------------------------------------------------------------------------- structure

    def _fields(self, node: yaml.Node, what: str, allowed: Collection[str]) -> dict[str, yaml.Node]:
        return dict(yaml_nodes.pairs(node, what, allowed, on_error=self._report))

    def _each(self, fields: _Fields, key: str, reader: Callable[[yaml.Node], _T]) -> Iterator[_T]:
        """Reads the items of a list; one with an error is reported and left out."""
        if (node := fields.get(key)) is None:
            return
        for one in yaml_nodes.items(node, f"{key!r} of {self._what}"):
            try:
                yield reader(one)
            except NodeError as error:
                self._report(error)

    def _report(self, error: NodeError) -> None:
        self._error_count += 1
        self._on_error(error)

    def _object_ids(self, fields: _Fields, key: str) -> tuple[str, ...]:
        return tuple(self._each(fields, key, lambda node: self._object_id(node, f"an OID of {key!r}")))

    def _object_id(self, node: yaml.Node, what: str) -> str:
        return scalars.object_id(node, f"{what} of {self._what}").removeprefix(".")

    def _kinds(self, fields: _Fields) -> frozenset[str]:
        return frozenset(
            self._each(fields, "fallback", lambda node: yaml_scalars.choice(node, "a kind of 'fallback'", KINDS))
        )

    # ---------------------------------------------------------------------------------------------------------- tables

    def _table(self, node: yaml.Node) -> Table:
        fields = self._fields(node, f"a table of {self._what}", _TABLE)
        name = self._matching(fields, "name", node, _TABLE_NAME, "letters, digits, - and _")
        columns = self._columns(fields, node)
        table_name = self._template(fields, "label", columns)
        readings = tuple(self._each(fields, "readings", lambda one: self._reading(one, columns, table_name)))
        if not readings and not self._error_count:
            raise NodeError(node, f"table {quoted(name)} of {self._what} has no 'readings'")
        return Table(name, columns, readings, where=self._expression(fields, "where", columns))

    def _columns(self, fields: _Fields, node: yaml.Node) -> dict[str, Column]:
        columns = dict(_BUILT_IN_COLUMNS)
        if "columns" not in fields:
            raise NodeError(node, f"a table or info of {self._what} has no 'columns'")
        for name, value in yaml_nodes.pairs(fields["columns"], f"'columns' of {self._what}", on_error=self._report):
            if not _NAME.fullmatch(name) or expression.is_index_name(name) or name == "index":
                raise NodeError(value, f"a column of {self._what} cannot be named {quoted(name)}: use letters")
            columns[name] = self._column(value, f"column {quoted(name)}")
        for column in columns.values():
            for needed in sorted(column.at.names if column.at else ()):
                if needed not in columns or columns[needed].at is not None:
                    raise NodeError(
                        fields["columns"], f"'at' of a column of {self._what} names {quoted(needed)}: no such column"
                    )
        return columns

    def _column(self, node: yaml.Node, what: str) -> Column:
        if isinstance(node, yaml.ScalarNode):
            return Column(self._object_id(node, what))
        fields = self._fields(node, f"{what} of {self._what}", _COLUMN)
        if "oid" not in fields:
            raise NodeError(node, f"{what} of {self._what} has no 'oid'")
        names = {}
        for key, key_node, value in yaml_nodes.entries(fields["names"], "'names'") if "names" in fields else ():
            names[yaml_scalars.integer(key_node, f"key {key!r} of 'names'")] = yaml_nodes.text(value, "'names'")
        at = self._parsed(fields["at"], template.parse_template) if "at" in fields else None
        return Column(self._object_id(fields["oid"], what), at, self._regex(fields.get("extract")), names)

    def _regex(self, node: yaml.Node | None) -> RegexPattern | None:
        if node is None:
            return None
        return compile_regex(scalars.regex(node, f"'extract' of {self._what}"))

    # -------------------------------------------------------------------------------------------------------- readings

    def _reading(self, node: yaml.Node, columns: Mapping[str, Column], table_name: Template | None) -> Reading:
        fields = self._fields(node, f"a reading of {self._what}", (*_READING, *KINDS))
        keys = [key for key in fields if key in KINDS]
        if len(keys) != 1:
            raise NodeError(node, f"a reading of {self._what} needs one of {', '.join(sorted(KINDS))}")
        kind = KINDS[keys[0]]
        values, status = self._values(fields[kind.key], kind, columns)
        name = self._template(fields, "name", columns) or table_name
        component = self._component(fields, node, kind)
        return Reading(
            kind,
            values,
            name=name,
            id=self._matching(fields, "id", node, _ID, "letters, digits, dots, - and _") if "id" in fields else "",
            where=self._expression(fields, "where", columns),
            valid=self._expression(fields, "valid", columns, ("value",)),
            limits=self._limits(fields, kind, columns),
            status=status,
            component=component,
            direction=self._direction(fields, kind, node),
            location=self._template(fields, "location", columns),
            parent=self._template(fields, "parent", columns),
            interface=self._template(fields, "interface", columns),
        )

    def _values(
        self, node: yaml.Node, kind: Kind, columns: Mapping[str, Column]
    ) -> tuple[dict[str, Expression], StatusValues | None]:
        if kind.key == "status":
            return self._status(node, columns)
        if "value" in kind.families:
            return {"value": self._parse(node, columns)}, None
        fields = self._fields(node, f"{kind.key!r} of {self._what}", _USAGE_PARTS)
        values = {part: self._parse(value, columns) for part, value in fields.items()}
        if not values.keys() & {"used", "free", "ratio"}:
            raise NodeError(node, f"{kind.key!r} of {self._what} needs 'used', 'free' or 'ratio'")
        if "free" in values and "limit" not in values and "used" not in values:
            raise NodeError(node, f"{kind.key!r} of {self._what} needs 'limit' or 'used' beside 'free'")
        return values, None

    def _status(
        self, node: yaml.Node, columns: Mapping[str, Column]
    ) -> tuple[dict[str, Expression], StatusValues | None]:
        fields = self._fields(node, f"'status' of {self._what}", ("value", "default", *STATES, ABSENT))
        if "value" not in fields:
            raise NodeError(node, f"'status' of {self._what} has no 'value'")
        numbers: dict[str | int, str] = {}
        for state in (*STATES, ABSENT):
            for one in yaml_nodes.items(fields[state], f"{state!r}") if state in fields else ():
                code = self._code(one)
                if code in numbers:
                    raise NodeError(one, f"{quoted(code)} has two states in {self._what}")
                numbers[code] = state
        default = "unknown"
        if "default" in fields:
            default = yaml_scalars.choice(fields["default"], "'default' of 'status'", (*STATES, ABSENT))
        status = StatusValues(
            {code: state for code, state in numbers.items() if isinstance(code, int)},
            {code: state for code, state in numbers.items() if isinstance(code, str)},
            default,
        )
        return {"value": self._parse(fields["value"], columns)}, status

    def _code(self, node: yaml.Node) -> int | str:
        written = yaml_nodes.text(node, "a value of a state")
        number = yaml_scalars.numeral(written) if yaml_scalars.is_plain(node) else None
        return number if isinstance(number, int) else written.strip().lower()

    def _component(self, fields: _Fields, node: yaml.Node, kind: Kind) -> str:
        if (kind.key == "status") != ("type" in fields):
            wrong = (
                "needs a 'type' (fan, power_supply, ...)" if kind.key == "status" else "has a 'type' but no 'status'"
            )
            raise NodeError(node, f"a reading of {self._what} {wrong}")
        return self._matching(fields, "type", node, _NAME, "letters and _") if "type" in fields else ""

    def _limits(self, fields: _Fields, kind: Kind, columns: Mapping[str, Column]) -> dict[str, Expression]:
        if "limits" not in fields:
            return {}
        if not kind.limit:
            raise NodeError(fields["limits"], f"{kind.key!r} of {self._what} has no limits")
        limits = {}
        for name, value in yaml_nodes.pairs(fields["limits"], f"'limits' of {self._what}", on_error=self._report):
            if not _LIMIT_TYPE.fullmatch(name):
                raise NodeError(value, f"{quoted(name)} of 'limits': write high.critical, low.degraded or the like")
            limits[name] = self._parse(value, columns)
        return limits

    def _direction(self, fields: _Fields, kind: Kind, node: yaml.Node) -> str:
        if "direction" not in fields:
            if kind.key == "optical_power":
                raise NodeError(node, f"'optical_power' of {self._what} needs a 'direction'")
            return ""
        return yaml_scalars.choice(fields["direction"], "'direction'", ("receive", "transmit"))

    # ------------------------------------------------------------------------------------------------------------ info

    def _info(self, node: yaml.Node) -> InfoSource:
        fields = self._fields(node, f"'info' of {self._what}", ("columns", "where", *INFO_LABELS))
        columns = self._columns(fields, node) if "columns" in fields else dict(_BUILT_IN_COLUMNS)
        templates = {name: self._template(fields, name, columns) for name in INFO_LABELS}
        labels = {name: found for name, found in templates.items() if found is not None}
        if not labels:
            raise NodeError(node, f"'info' of {self._what} needs one of {', '.join(INFO_LABELS)}")
        return InfoSource(columns, labels, where=self._expression(fields, "where", columns))

    # ---------------------------------------------------------------------------------------------------------- values

    def _matching(self, fields: _Fields, key: str, node: yaml.Node, pattern: re.Pattern[str], allowed: str) -> str:
        if key not in fields:
            raise NodeError(node, f"a table of {self._what} has no {key!r}")
        text = yaml_nodes.text(fields[key], f"{key!r} of {self._what}")
        if not pattern.fullmatch(text):
            raise NodeError(fields[key], f"{key!r} of {self._what}: {quoted(text)} is not made of {allowed}")
        return text

    def _parsed(self, node: yaml.Node, parse: Callable[[str], _T]) -> _T:
        text = yaml_nodes.text(node, f"a text of {self._what}")
        try:
            return parse(text)
        except ValueError as error:
            raise NodeError(node, f"{self._what}: {error}") from None

    def _template(self, fields: _Fields, key: str, columns: Mapping[str, Column]) -> Template | None:
        if key not in fields:
            return None
        parsed = self._parsed(fields[key], template.parse_template)
        self._require(parsed.names, columns, fields[key])
        return parsed

    def _expression(
        self, fields: _Fields, key: str, columns: Mapping[str, Column], more: Collection[str] = ()
    ) -> Expression | None:
        return self._parse(fields[key], columns, more) if key in fields else None

    def _parse(self, node: yaml.Node, columns: Mapping[str, Column], more: Collection[str] = ()) -> Expression:
        parsed = self._parsed(node, expression.parse)
        self._require(parsed.names - frozenset(more), columns, node)
        return parsed

    def _require(self, names: Collection[str], columns: Mapping[str, Any], node: yaml.Node) -> None:
        missing = sorted(name for name in names if name not in columns)
        if missing:
            raise NodeError(
                node, f"{self._what} uses {', '.join(map(quoted, missing))}, which is not among its columns"
            )


_DEFINITION = ("devices", "answers", "fallback", "info", "tables")
_TABLE = ("name", "label", "columns", "where", "readings")
_COLUMN = ("oid", "at", "extract", "names")
_READING = ("name", "id", "where", "valid", "limits", "type", "direction", "location", "parent", "interface")
