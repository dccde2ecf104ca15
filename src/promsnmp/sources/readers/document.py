"""Devices of a JSON or YAML document: lists of devices, an inventory document, or Prometheus's target groups.

A list may have entries of all forms:

    {"name": "core1", "address": "192.0.2.1", "credentials": "campus"}     a device, the short form
    {"sysName": "core1", "agents": [{"endpoint": ..., ...}]}               a device of the inventory
    {"targets": ["192.0.2.1"], "labels": {"site": "ber"}}                  a target group (file_sd, http_sd)

Prometheus drops labels that begin with two underscores after relabelling, and so do we, apart from those by which
snmp_exporter's users choose modules and credentials: ``__param_module`` and ``__param_auth``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from promsnmp.errors import InventoryInvalid, SourceError, did_you_mean
from promsnmp.inventory.address import normal_address, split_target
from promsnmp.inventory.document.credentials import read_credentials
from promsnmp.inventory.document.fields import Fields, kind_of
from promsnmp.inventory.document.read_device import MAX_RETRIES, MAX_TIMEOUT
from promsnmp.inventory.document.values import (
    OVERRIDE_KEYS,
    read_interval,
    read_labels,
    read_modules,
    read_overrides,
)
from promsnmp.inventory.document.write import parse_json
from promsnmp.inventory.model import DEFAULT_PORT, NO_OVERRIDES, AgentEndpoint, PollOverrides
from promsnmp.inventory.named_credentials.document import read_name
from promsnmp.snmp.credentials import Credentials
from promsnmp.sources.model import MAX_DEVICES, Reading, SourceDevice, Unusable
from promsnmp.support.yaml_nodes import NodeError, plain_value
from promsnmp.support.yaml_text import compose, describe_error

SHORT_KEYS = OVERRIDE_KEYS | {
    "id", "name", "address", "port", "labels", "modules", "credentials", "timeout", "retries",
}  # fmt: skip
_META = "__"
_OF_THE_JOB = frozenset({"job", "instance"})
"""Labels that Prometheus gives; ``instance`` becomes the name of a device."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What devices get of which their source does not say it."""

    credentials: str = ""
    modules: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    port: int = DEFAULT_PORT
    interval: int = 0
    """Milliseconds; 0: that of the settings."""

    def overrides(self, own: PollOverrides = NO_OVERRIDES) -> PollOverrides:
        return own if own.interval or not self.interval else PollOverrides(
            self.interval, own.max_repetitions, own.max_varbinds, own.text_encoding, own.unconnected
        )  # fmt: skip

    def with_own(self, own: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple({**dict(self.labels), **own}.items())


def parse_document(octets: bytes, *, is_yaml: bool) -> object:
    """The value of a JSON or YAML text. Raises SourceError with line and reason, and never a part of the text."""
    if not is_yaml:
        try:
            return parse_json(octets)
        except InventoryInvalid as error:
            raise SourceError(error.problems[0]) from None
    try:
        root = compose(octets)
        return None if root is None else plain_value(root)
    except yaml.YAMLError as error:
        line, reason = describe_error(error)
        raise SourceError(f"not valid YAML (line {line}): {reason}") from None
    except NodeError as error:
        raise SourceError(f"line {error.line}: {error}") from None
    except RecursionError:
        raise SourceError("not valid YAML: the nesting is too deep") from None


def read_devices(document: object, defaults: Defaults) -> Reading:
    """The devices of a document. Raises SourceError when it is none."""
    if isinstance(document, Mapping) and isinstance(document.get("devices"), list):
        document = document["devices"]
    if not isinstance(document, list):
        raise SourceError(f"the document must be a list of devices or target groups, not {kind_of(document)}")
    devices: list[SourceDevice] = []
    unusable: list[Unusable] = []
    for number, item in enumerate(document):
        place = f"[{number}]"
        if not isinstance(item, Mapping):
            unusable.append(Unusable("", f"{place}: must be an object, not {kind_of(item)}"))
        elif "targets" in item:
            _read_group(item, place, defaults, devices, unusable)
        else:
            _read_device(item, place, defaults, devices, unusable)
        if len(devices) + len(unusable) > MAX_DEVICES:
            raise SourceError(f"the source has more than {MAX_DEVICES:,} devices")
    return Reading(tuple(devices), tuple(unusable))


# -------------------------------------------------------------------------------------------------- target groups


def _read_group(
    item: Mapping[str, object], place: str, defaults: Defaults, devices: list[SourceDevice], unusable: list[Unusable]
) -> None:
    problems: list[str] = []
    fields = Fields(item, place, problems)
    labels = fields.values.get("labels") or {}
    texts = {str(name): str(value) for name, value in labels.items()} if isinstance(labels, Mapping) else {}
    own = {name: value for name, value in texts.items() if not name.startswith(_META) and name not in _OF_THE_JOB}
    read_labels(Fields({"labels": own}, place, problems))
    interval = Fields({"interval": texts.get("__scrape_interval__")}, place, problems).value("interval", read_interval)
    modules = tuple(part.strip() for part in texts.get("__param_module", "").split(",") if part.strip())
    targets = fields.items("targets")
    for target in targets:
        key = target if isinstance(target, str) else ""
        try:
            if not key:
                raise ValueError(f"a target must be text, not {kind_of(target)}")
            if problems:
                raise ValueError(problems[0])
            host, port = split_target(key)
        except ValueError as error:
            unusable.append(Unusable(key, f"{place}: {key[:80]}: {error}" if key else f"{place}: {error}"))
            continue
        devices.append(
            SourceDevice(
                key=key,
                endpoint=AgentEndpoint(host, port or defaults.port),
                name=texts.get("instance", "") if len(targets) == 1 else "",
                labels=defaults.with_own(own),
                modules=modules or defaults.modules,
                credentials_name=texts.get("__param_auth", "") or defaults.credentials,
                overrides=defaults.overrides(PollOverrides(interval=interval or 0)),
            )
        )


# -------------------------------------------------------------------------------------------------------- devices


def _read_device(
    item: Mapping[str, object], place: str, defaults: Defaults, devices: list[SourceDevice], unusable: list[Unusable]
) -> None:
    problems: list[str] = []
    short = _short_form(item, place, problems) if "agents" in item or "primaryAgent" in item else item
    if isinstance(flag := short.get("unconnected"), str):  # YAML is read as text
        short = {**short, "unconnected": {"true": True, "false": False}.get(flag.lower(), flag)}
    fields = Fields(short, place, problems)
    name = fields.text("name")
    address = fields.convert("address", normal_address)
    key = fields.text("id") or name or (f"{address}:{short.get('port', '')}" if address else "")
    if address is None and not fields.failed("address"):
        fields.problem("address", "is missing")
    for unknown in sorted(short.keys() - SHORT_KEYS):
        hint = did_you_mean(unknown, SHORT_KEYS) or f"; use: {', '.join(sorted(SHORT_KEYS))}"
        fields.problem(unknown[:80], f"is not a key of a device{hint}")
    device = SourceDevice(
        key=key,
        endpoint=AgentEndpoint(address or "", fields.integer("port", default=defaults.port, low=1, high=65535)),
        name=name,
        labels=defaults.with_own(dict(read_labels(fields))),
        modules=read_modules(fields, "modules") or defaults.modules,
        overrides=defaults.overrides(read_overrides(fields)),
        timeout=fields.integer("timeout", default=0, low=1, high=MAX_TIMEOUT) or None,
        retries=_optional(fields, "retries", MAX_RETRIES),
        credentials_name=_credentials_name(fields, defaults),
        credentials=_own_credentials_of(fields),
    )
    if problems:
        unusable.append(Unusable(key, "; ".join(problems[:3])))
    else:
        devices.append(device)


def _optional(fields: Fields, key: str, high: int) -> int | None:
    return fields.integer(key, default=0, low=0, high=high) if fields.values.get(key) is not None else None


def _credentials_name(fields: Fields, defaults: Defaults) -> str:
    """``credentials``, where it is the name of credentials of the inventory, else that of the source."""
    if isinstance(fields.values.get("credentials"), Mapping):
        return ""
    return fields.convert("credentials", read_name) or defaults.credentials


def _own_credentials_of(fields: Fields) -> Credentials | None:
    """``credentials``, where it is an object with the keys of an agent's."""
    value = fields.values.get("credentials")
    if not isinstance(value, Mapping):
        return None
    inner = Fields(value, fields.at("credentials"), fields.problems)
    return read_credentials(inner, "type", None, lenient=True)


def _short_form(item: Mapping[str, object], place: str, problems: list[str]) -> Mapping[str, object]:
    """The short form of a device as the inventory has it: of its primary agent, else the first."""
    agents = item.get("agents")
    agent = item.get("primaryAgent") or (agents[0] if isinstance(agents, list) and agents else {})
    if not isinstance(agent, Mapping):
        problems.append(f"{place}.agents: must be a list of objects")
        agent = {}
    endpoint = agent.get("endpoint")
    where = endpoint if isinstance(endpoint, Mapping) else {}
    short: dict[str, object] = {
        "id": item.get("id"),
        "name": item.get("sysName"),
        "address": where.get("address"),
        "port": where.get("port"),
        "credentials": agent.get("credentialsName") or _own_credentials(agent),
        "timeout": agent.get("timeout"),
        "retries": agent.get("retries"),
        **{name: item.get(name) for name in ("labels", "modules", *OVERRIDE_KEYS)},
    }
    return {name: value for name, value in short.items() if value is not None}


def _own_credentials(agent: Mapping[str, object]) -> object:
    keys = ("readCommunity", "securityName")
    return dict(agent) if any(agent.get(key) for key in keys) else None
