"""The document or merge patch that what was entered in the form of a device makes."""

from __future__ import annotations

from promsnmp.inventory.document.merge_patch import merge
from promsnmp.inventory.document.write import agent_document
from promsnmp.inventory.model import COMMUNITY_AGENT, DEFAULT_PORT, USER_AGENT, Device
from promsnmp.snmp.credentials import Credentials, SecurityLevel, User
from promsnmp.web.edit.device_form import (
    CREDENTIALS,
    LEVELS,
    NEW,
    NO,
    SECRETS,
    VERSIONS,
    YES,
    Values,
    agent_of,
    changed_keys,
)

_USER_KEYS = ("securityName", "securityLevel", "authProtocol", "authPassphrase", "privProtocol", "privPassphrase",
              "contextName", "contextEngineId")  # fmt: skip


def document_of(mine: Values) -> dict[str, object]:
    """The document of a new device."""
    made: dict[str, object] = _patch(dict(NEW), mine, changed_keys(NEW, mine))
    agent = _endpoint(mine) | _limits(mine) | _chosen(mine)
    return {key: value for key, value in made.items() if value is not None} | {
        "labels": label_lines(mine["labels"]),
        "agents": [{key: value for key, value in agent.items() if value is not None}],
    }


def patch_of(device: Device, base: Values, mine: Values, agent_id: str = "") -> dict[str, object]:
    """The merge patch (RFC 7396) that makes what was entered of a device that the form showed as ``base``, with one of
    its agents."""
    changed, edited = changed_keys(base, mine), agent_of(device, agent_id)
    patch = _patch(base, mine, changed)
    agent: dict[str, object] = {}
    if changed & {"address", "port"}:
        agent |= _endpoint(mine)
    agent |= {key: value for key, value in _limits(mine).items() if key in changed}
    if "named" in changed and mine["named"]:
        agent |= {"credentialsName": mine["named"].strip(), "readCommunity": None, **dict.fromkeys(_USER_KEYS)}
    elif changed & {"named", *CREDENTIALS} or any(mine[key] for key in SECRETS):
        agent |= {"credentialsName": None} if "named" in changed else {}
        agent |= credential_keys(mine, None if edited is None else edited.credentials)
    if agent and edited is not None and edited is device.primary:
        patch["primaryAgent"] = {"id": edited.id, **agent}
    elif agent and edited is not None:  # a patch of primaryAgent would make it the primary one
        patch["agents"] = [
            merge(agent_document(one, mask=True), agent) if one is edited else agent_document(one, mask=True)
            for one in device.agents
        ]
    elif agent:
        whole = _endpoint(mine) | _limits(mine) | _chosen(mine)
        patch["agents"] = [{key: value for key, value in whole.items() if value is not None}]
    return patch


_TEXTS = {"name": "sysName", "location": "sysLocation", "contact": "sysContact", "description": "sysDescr"}
_OPTIONAL = {
    "interval": "interval", "max_repetitions": "maxRepetitions", "max_varbinds": "maxVarbinds",
    "text_encoding": "textEncoding",
}  # fmt: skip


def _patch(base: Values, mine: Values, changed: frozenset[str]) -> dict[str, object]:
    """The keys of the device itself."""
    patch: dict[str, object] = {name: mine[key].strip() for key, name in _TEXTS.items() if key in changed}
    patch |= {name: mine[key].strip() or None for key, name in _OPTIONAL.items() if key in changed}
    if "unconnected" in changed:
        patch["unconnected"] = {YES: True, NO: False}.get(mine["unconnected"])
    if "modules" in changed:
        patch["modules"] = module_names(mine["modules"])
    if "labels" in changed:
        before, after = label_lines(base["labels"]), label_lines(mine["labels"])
        gone: dict[str, str | None] = {name: None for name in before if name not in after}
        patch["labels"] = gone | {name: value for name, value in after.items() if before.get(name) != value}
    return patch


def label_lines(lines: str) -> dict[str, str]:
    """Labels by name, from one ``name=value`` on a line."""
    pairs = (line.partition("=") for line in lines.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def module_names(text: str) -> list[str]:
    """The names of modules, separated by commas or space."""
    return text.replace(",", " ").split()


def _endpoint(mine: Values) -> dict[str, object]:
    return {"endpoint": {"address": mine["address"].strip(), "port": mine["port"].strip() or DEFAULT_PORT}}


def _limits(mine: Values) -> dict[str, object]:
    return {key: mine[key].strip() or None for key in ("timeout", "retries")}


def _chosen(mine: Values) -> dict[str, object]:
    """The credentials of a new agent: by name, or those that were entered."""
    name = mine["named"].strip()
    return {"credentialsName": name} if name else credential_keys(mine, None)


def both_ways(base: Values, mine: Values) -> list[str]:
    """What is wrong with a form that has a name of credentials and others, too: nobody can tell which are meant."""
    name = mine["named"].strip()
    others = [key for key in SECRETS if mine[key]]
    if name and name == base.get("named"):
        others += changed_keys(base, mine) & set(CREDENTIALS)
    if not name or not others:
        return []
    advice = "change those on the page Credentials, or choose none by name"
    return [f"the form has the credentials {name[:64]!r} and others as well; {advice}"]


def credential_keys(mine: Values, before: Credentials | None) -> dict[str, object]:
    """The keys of credentials that were ``before``; a secret that was not entered is left out, and so stays as it
    is."""
    version = mine["version"]
    if version != "v3":
        given: dict[str, object] = {"type": COMMUNITY_AGENT, "version": VERSIONS.get(version, version)}
        secret = {"readCommunity": mine["community"]} if mine["community"] or before is None else {}
        return given | secret | (dict.fromkeys(_USER_KEYS) if isinstance(before, User) else {})
    level = LEVELS.get(mine["level"], SecurityLevel.AUTH_PRIV)
    given = {
        "type": USER_AGENT, "version": 3, "securityName": mine["user"].strip(), "securityLevel": int(level),
        "contextName": mine["context"].strip() or None,
    }  # fmt: skip
    if before is not None and not isinstance(before, User):
        given["readCommunity"] = None
    for needed, kind in ((SecurityLevel.AUTH_NO_PRIV, "auth"), (SecurityLevel.AUTH_PRIV, "priv")):
        has = level >= needed
        given[f"{kind}Protocol"] = mine[f"{kind}_protocol"] if has else None
        if not has:
            given[f"{kind}Passphrase"] = None
        elif mine[f"{kind}_passphrase"]:
            given[f"{kind}Passphrase"] = mine[f"{kind}_passphrase"]
    return given
