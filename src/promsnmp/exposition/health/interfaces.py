"""Which interface a component belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from promsnmp.exposition.health.columns import (
    ALIAS_MAPPING,
    CONTAINED_IN,
    ENTITY,
    IF_DESCR,
    IF_NAME,
    ColumnSource,
    Index,
)
from promsnmp.modules.health.expression import Value, number_of, text_of
from promsnmp.modules.health.template import Template

_IF_INDEX = "1.3.6.1.2.1.2.2.1.1."
_WORDS = 12
"""Words of a component's name that may be the name of an interface."""
_HIGHEST_LEVEL = 10
"""Components one inside the other that are looked at."""


class Interfaces:
    """Finds the labels ``ifIndex`` and ``ifName`` of components of one device."""

    def __init__(self, source: ColumnSource) -> None:
        self._source = source
        self._by_entity: dict[int, int] | None = None
        self._by_name: dict[str, int] | None = None

    def labels(self, template: Template, values: Mapping[str, Value], index: Index, name: str) -> dict[str, str]:
        """The labels of a reading's interface; none where there is no interface."""
        if template.text == ENTITY:
            number = self._of_entity(index[0], name) if index else None
        else:
            number = self._number(template.fill(values, index))
        if number is None:
            return {}
        labels = {"ifIndex": str(number)}
        if if_name := self._name(number):
            labels["ifName"] = if_name
        return labels

    def _number(self, text: str) -> int | None:
        """The ifIndex that a text is, or that an interface of this name has."""
        if text.isascii() and text.isdigit() and len(text) <= 10:
            return int(text) or None
        return self._names().get(text)

    def _name(self, number: int) -> str:
        for column in (IF_NAME, IF_DESCR):
            if text := text_of(self._source(column).get((number,))):
                return text
        return ""

    def _names(self) -> dict[str, int]:
        if self._by_name is None:
            self._by_name = {}
            for column in (IF_NAME, IF_DESCR):
                for index, value in self._source(column).items():
                    if len(index) == 1 and (text := text_of(value)):
                        self._by_name.setdefault(text, index[0])
        return self._by_name

    def _of_entity(self, entity: int, name: str) -> int | None:
        """The interface of the nearest port that contains an entity (RFC 6933 section 3.4), or whose name is a
        word of the entity's name."""
        ports, contained_in = self._ports(), self._source(CONTAINED_IN)
        at, level = entity, 0
        while at and level < _HIGHEST_LEVEL:
            if at in ports:
                return ports[at]
            at, level = int(number_of(contained_in.get((at,))) or 0), level + 1
        words = re.split(r"[\s,:()]+", name)[:_WORDS]
        return next((number for word in words if len(word) > 2 and (number := self._names().get(word))), None)

    def _ports(self) -> dict[int, int]:
        """The ifIndex of each entity that is a port, from entAliasMappingTable."""
        if self._by_entity is None:
            self._by_entity = {}
            for index, value in self._source(ALIAS_MAPPING).items():
                text = text_of(value)
                if index and text.startswith(_IF_INDEX) and text[len(_IF_INDEX) :].isdigit():
                    self._by_entity.setdefault(index[0], int(text[len(_IF_INDEX) :][:10]))
        return self._by_entity
