"""Instances of the Datadog agent's ``snmp.d/conf.yaml``, and its autodiscovery in ``datadog.yaml``.

Keys and defaults are those of ``conf.yaml.example`` of its integration ``snmp`` and of its documentation (Network
Device Monitoring, Setup). A network becomes a seed: what discovery searches.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from promsnmp.errors import ModuleError
from promsnmp.inventory.document.parsing import read_milliseconds
from promsnmp.migration.datadog.module_names import module_name
from promsnmp.migration.drafts import MOST_DEVICES, Draft, Drafts, SeedDraft, labels_of_tags
from promsnmp.migration.migrated import Document
from promsnmp.migration.node_values import compose, items_at, line_of, mapping, text_at, texts_at
from promsnmp.migration.notes import Notes
from promsnmp.support.yaml_nodes import NodeError

DEFAULT_TIMEOUT, DEFAULT_RETRIES = 5, 3
"""Seconds, and repetitions, of the agent."""
_VERSIONS = {"1": 0, "2": 1, "2c": 1, "3": 3}
_KEYS = {
    "authProtocol": ("authProtocol", "auth_protocol"),
    "authPassphrase": ("authKey", "auth_key", "authentication_key"),
    "privProtocol": ("privProtocol", "priv_protocol", "privacy_protocol"),
    "privPassphrase": ("privKey", "priv_key", "privacy_key"),
    "contextName": ("context_name",),
    "contextEngineId": ("context_engine_id",),
}
"""Our keys, and theirs: those of instances, of autodiscovery, and of lists ``authentications``."""
_METRICS = ("metrics", "metric_tags")


def read(octets: bytes, file: str, notes: Notes, *, with_profiles: bool = False) -> Drafts:
    """Devices and seeds of a file. Raises ModuleError when it has neither.

    With ``with_profiles`` devices get the modules of their profiles.
    """
    root = compose(octets, file)
    devices: list[Draft] = []
    seeds: list[SeedDraft] = []
    try:
        for node in _instances(mapping(root, "the file"), root):
            instance = _Instance(node, file, notes, with_profiles=with_profiles)
            if draft := instance.device():
                devices.append(draft)
            if seed := instance.seed():
                seeds.append(seed)
            if len(devices) > MOST_DEVICES:
                raise NodeError(node, f"more than {MOST_DEVICES:,} devices; split the file")
    except NodeError as error:
        raise ModuleError(f"{file}:{error.line}: {error}") from None
    return Drafts(devices, seeds)


def _instances(parts: dict[str, yaml.Node], root: yaml.Node) -> Iterator[yaml.Node]:
    if "instances" in parts:
        yield from items_at(parts, "instances")
        return
    found = False
    devices = mapping(parts["network_devices"], "'network_devices'") if "network_devices" in parts else {}
    for section, key in ((devices, "autodiscovery"), (parts, "snmp_listener")):
        if key in section:
            found = True
            yield from items_at(mapping(section[key], f"{key!r}"), "configs")
    if not found:
        raise NodeError(root, "there are no 'instances', and no autodiscovery of networks; is this snmp.d/conf.yaml?")


class _Instance:
    """One instance, or one network of autodiscovery."""

    def __init__(self, node: yaml.Node, file: str, notes: Notes, *, with_profiles: bool) -> None:
        self._parts = mapping(node, "an instance")
        self._file = file
        self._line = line_of(node)
        self._notes = notes
        self._with_profiles = with_profiles

    def device(self) -> Draft | None:
        address = text_at(self._parts, "ip_address")
        if not address:
            if not self._network:
                self._note("an instance without ip_address and network_address", lost=True)
            return None
        credentials = self._credentials(self._parts)
        if credentials is None:
            return None
        agent: Document = {"retries": text_at(self._parts, "retries") or DEFAULT_RETRIES}
        timeout = self._milliseconds("timeout") or DEFAULT_TIMEOUT * 1000
        return Draft(
            file=self._file,
            line=self._line,
            address=address,
            port=text_at(self._parts, "port"),
            credentials=credentials,
            agent={**agent, "timeout": timeout},
            device=self._values(address),
        )

    def seed(self) -> SeedDraft | None:
        if not self._network:
            return None
        nodes = list(items_at(self._parts, "authentications"))
        found = [self._credentials(mapping(node, "an authentication")) for node in nodes] or [
            self._credentials(self._parts)
        ]
        credentials = [one for one in found if one is not None]
        if not credentials:
            return None
        document: Document = {
            "potentialTargets": [self._network],
            "credentials": credentials,
            "exclude": texts_at(self._parts, "ignored_ip_addresses"),
            **self._values(self._network),
        }
        if port := text_at(self._parts, "port"):
            document["port"] = port
        if text_at(self._parts, "discovery_interval"):
            self._note(
                f"{self._network}: discovery_interval is not carried over; DISCOVERY_CRON says when seeds are searched"
            )
        return SeedDraft(file=self._file, line=self._line, document=document)

    @property
    def _network(self) -> str:
        return text_at(self._parts, "network_address", "network")

    def _note(self, what: str, *, lost: bool = False) -> None:
        self._notes.add(self._file, self._line, what, lost=lost)

    def _milliseconds(self, key: str) -> int:
        """The value in seconds of a key; 0 without it."""
        text = text_at(self._parts, key)
        try:
            return read_milliseconds(f"{text}s") if text else 0
        except ValueError:
            self._note(f"{key} {text[:40]!r} is no number of seconds; the default is used", lost=True)
            return 0

    def _values(self, what: str) -> Document:
        tags = [*texts_at(self._parts, "tags")]
        if namespace := text_at(self._parts, "namespace"):
            tags.append(f"namespace:{namespace}")
        values: Document = {"labels": labels_of_tags(tags)}
        if interval := self._milliseconds("min_collection_interval"):
            values["interval"] = interval
        profile = text_at(self._parts, "profile")
        if profile and self._with_profiles:
            values["modules"] = [module_name(profile)]
        elif profile:
            advice = "promsnmp modules import datadog makes a module of it, and --profiles uses that"
            self._note(f"{what}: profile {profile!r} is not carried over: the modules that suit it are used; {advice}")
        if any(key in self._parts for key in _METRICS):
            advice = "write them as a profile for promsnmp modules import datadog"
            self._note(f"{what}: its own metrics and metric_tags are not carried over; {advice}", lost=True)
        return values

    def _credentials(self, parts: dict[str, yaml.Node]) -> Document | None:
        user = text_at(parts, "user", "username")
        community = text_at(parts, "community_string", "community")
        version = text_at(parts, "snmp_version", "version").lower() or ("3" if user else "2")
        found: Document = {}
        if version not in _VERSIONS:
            self._note(f"snmp_version {version[:20]!r} must be 1, 2 or 3", lost=True)
            return None
        if version == "3":
            found = {key: text for key, theirs in _KEYS.items() if (text := text_at(parts, *theirs))}
            level = 3 if "privPassphrase" in found else 2 if "authPassphrase" in found else 1
            if level >= 2:
                found.setdefault("authProtocol", "MD5")
            if level == 3:
                found.setdefault("privProtocol", "DES")
            found |= {"version": 3, "securityName": user, "securityLevel": level}
            if not user:
                found = {}
        elif community:
            found = {"version": _VERSIONS[version], "readCommunity": community}
        if any(isinstance(value, str) and value.startswith("ENC[") for value in found.values()):
            self._note("its secrets are in a secret store (ENC[...]); write them into a copy of the file", lost=True)
            return None
        return found
