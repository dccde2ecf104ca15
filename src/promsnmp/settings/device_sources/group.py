"""The setting DEVICE_SOURCES: where devices come from, besides operators and discovery."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import yaml
from pydantic import Field, ValidationError, field_validator

from promsnmp.settings.device_sources.definitions import ENTRY, AnySource
from promsnmp.settings.group import Group
from promsnmp.support.yaml_nodes import NodeError, plain_value
from promsnmp.support.yaml_text import compose, describe_error

MOST_SOURCES = 100


class DeviceSourceSettings(Group):
    """Settings of sources of devices."""

    TITLE = "Sources of devices"
    KEY = "sources"
    LIST: ClassVar[str] = "device_sources"

    device_sources: str = Field(
        "",
        description="Where devices come from, besides operators and discovery: a list of sources, as JSON or YAML "
        "([sources.md](../sources.md)). In `promsnmp.yml` it is the list `sources` itself.",
    )

    @field_validator("device_sources")
    @classmethod
    def _are_sources(cls, value: str) -> str:
        read_definitions(value)
        return value

    @property
    def source_definitions(self) -> tuple[AnySource, ...]:
        """The sources, in order."""
        return read_definitions(self.device_sources)


@lru_cache(maxsize=4)
def read_definitions(text: str) -> tuple[AnySource, ...]:
    """The sources that a text lists. Raises ValueError with the problems."""
    try:
        root = compose(text)
        items = plain_value(root) if root is not None else None
    except yaml.YAMLError as error:
        raise ValueError(f"not valid YAML or JSON: {describe_error(error)[1]}") from None
    except NodeError as error:
        raise ValueError(str(error)) from None
    if items is None:
        return ()
    if not isinstance(items, list):
        raise ValueError("must be a list of sources (docs/sources.md)")
    if len(items) > MOST_SOURCES:
        raise ValueError(f"has more than {MOST_SOURCES} sources")
    found: list[AnySource] = []
    problems: list[str] = []
    for number, item in enumerate(items):
        try:
            found.append(ENTRY.validate_python(item))
        except ValidationError as error:
            name = str(item.get("name", ""))[:64] if isinstance(item, dict) else ""
            problems += [_problem(f"[{number}]" + (f" ({name})" if name else ""), one) for one in error.errors()]
    names = [one.name for one in found]
    problems += [f"two sources have the name {name!r}" for name in dict.fromkeys(names) if names.count(name) > 1]
    if problems:
        raise ValueError("; ".join(problems[:10]))
    return tuple(found)


def _problem(place: str, error: object) -> str:
    """One problem of an entry, without its value: that may be a secret after a slip of the pen."""
    assert isinstance(error, dict)
    where = ".".join(str(part) for part in error["loc"][1:])
    reason = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        reason = "is not a key of this kind of source"
    return f"{place}{f'.{where}' if where else ''}: {reason}"
