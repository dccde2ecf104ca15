"""Reads and writes seeds in a document: the keys of the original PromSNMP, and our additions.

The original's keys hold the first credentials of a seed, so that it can use the seed; ``credentials`` lists the others.
Values that the original leaves open are filled in: it stores security level 0 for a user without a level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promsnmp.inventory.document.credentials import read_credentials, write_credentials
from promsnmp.inventory.document.fields import Fields
from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.inventory.document.previous import PreviousValues
from promsnmp.inventory.document.values import (
    OVERRIDE_KEYS,
    new_id,
    overrides_document,
    read_id,
    read_labels,
    read_modules,
    read_overrides,
)
from promsnmp.inventory.model import DEFAULT_PORT, Seed, agent_type
from promsnmp.snmp.credentials import Credentials

MAX_CREDENTIALS = 32
"""Each one costs packets at every address that does not answer."""
CREDENTIAL_KEYS = frozenset({
    "version", "agentType", "readCommunity", "securityName", "securityLevel", "authProtocol", "authPassphrase",
    "privProtocol", "privPassphrase", "contextName", "contextEngineId"
})  # fmt: skip
SEED_KEYS = CREDENTIAL_KEYS | OVERRIDE_KEYS | {
    "id", "potentialTargets", "port", "credentials", "exclude", "labels", "modules", "neighbours", "force"
}  # fmt: skip


def read_seed(item: object, place: str, problems: list[str], previous: PreviousValues) -> Seed | None:
    """The seed that one JSON object describes; None when it is unusable, then ``problems`` has the reasons."""
    before = len(problems)
    fields = Fields(item, place, problems)
    if len(problems) > before:
        return None
    given_id = read_id(fields)
    old = previous.seed(given_id)
    targets = fields.texts("potentialTargets")
    if not targets and not fields.failed("potentialTargets"):
        fields.problem("potentialTargets", "is empty; give at least one address, network or host name")
    credentials = _credentials(fields, old.credentials if old else ())
    neighbours = fields.texts("neighbours") if fields.values.get("neighbours") is not None else None
    seed = Seed(
        id=given_id or new_id(),
        potential_targets=targets,
        credentials=credentials,
        port=fields.integer("port", default=DEFAULT_PORT, low=1, high=65535),
        exclude=fields.texts("exclude"),
        labels=read_labels(fields),
        modules=read_modules(fields, "modules"),
        overrides=read_overrides(fields),
        neighbours=neighbours,
        force=fields.flag("force"),
    )
    return seed if credentials else None


def _credentials(fields: Fields, previous: Sequence[Credentials]) -> tuple[Credentials, ...]:
    """The first credentials from the object itself, the others from its key ``credentials``; either may be missing.

    Masked secrets are taken from ``previous``, by position.
    """
    others = fields.items("credentials")
    read: list[Credentials | None] = []
    if not others or any(fields.values.get(key) is not None for key in CREDENTIAL_KEYS):
        read.append(_read(fields, previous, 0))
    for number, item in enumerate(others[:MAX_CREDENTIALS]):
        inner = Fields(item, f"{fields.place}.credentials[{number}]".removeprefix("."), fields.problems)
        if isinstance(item, Mapping):
            read.append(_read(inner, previous, len(read)))
    if len(others) > MAX_CREDENTIALS:
        fields.problem("credentials", f"has {len(others)} entries; the limit is {MAX_CREDENTIALS}")
    return tuple(dict.fromkeys(one for one in read if one is not None))


def _read(fields: Fields, previous: Sequence[Credentials], number: int) -> Credentials | None:
    return read_credentials(fields, "agentType", previous[number] if number < len(previous) else None, lenient=True)


def seed_document(seed: Seed, *, mask: bool) -> dict[str, object]:
    """The seed as a JSON object; ``mask`` hides its secrets."""
    document: dict[str, object] = {
        "id": seed.id,
        "potentialTargets": list(seed.potential_targets),
        "port": seed.port,
        **credentials_document(seed.credentials[0], mask=mask),
    }
    if seed.neighbours is not None:
        document["neighbours"] = list(seed.neighbours)
    additions = {
        "credentials": [credentials_document(one, mask=mask) for one in seed.credentials[1:]],
        "exclude": list(seed.exclude),
        "labels": dict(seed.labels),
        "modules": list(seed.modules),
        "force": seed.force,
    }
    return document | {key: value for key, value in additions.items() if value} | overrides_document(seed.overrides)


def credentials_document(credentials: Credentials, *, mask: bool) -> dict[str, object]:
    """Credentials in the form of a seed or a request."""
    head = {"version": VERSION_NAMES[credentials.version], "agentType": agent_type(credentials)}
    return head | write_credentials(credentials, mask=mask)
