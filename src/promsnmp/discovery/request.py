"""Reads discovery requests in all their forms: each becomes one seed.

The forms are the body of the original PromSNMP, the shorter one of its README (``targets`` and ``snmpConfig``), and a
seed as the API shows it. An unknown key is a problem: with a misspelt ``exclude``, a search would ask addresses that it
must not ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.document.fields import Fields, kind_of
from promsnmp.inventory.document.previous import PreviousValues
from promsnmp.inventory.document.seeds import CREDENTIAL_KEYS, SEED_KEYS, read_seed
from promsnmp.inventory.model import Inventory, Seed

CONFIG = "snmpConfig"
CONFIG_KEYS = CREDENTIAL_KEYS | {"port"}
REQUEST_KEYS = SEED_KEYS | {"targets", CONFIG, "removeLost"}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A request: the seed, and whether to remove lost devices."""

    seed: Seed
    remove_lost: bool


def read_request(document: object, inventory: Inventory) -> SearchRequest:
    """The request in a JSON document; masked secrets are taken from the seed with the same id in ``inventory``.

    Raises InventoryInvalid with every problem.
    """
    if not isinstance(document, Mapping):
        raise InventoryInvalid(
            [f"the request must be an object with the key potentialTargets, not {kind_of(document)}"]
        )
    problems = _unknown(document, REQUEST_KEYS)
    fields = Fields(_flat(document, problems), "", problems)
    remove_lost = fields.flag("removeLost")
    seed = read_seed(fields.values, "", problems, PreviousValues(inventory))
    if problems or seed is None:
        raise InventoryInvalid(list(dict.fromkeys(problems)))
    return SearchRequest(seed, remove_lost)


def _flat(document: Mapping[str, object], problems: list[str]) -> dict[str, object]:
    """All keys on one level, with their usual names."""
    flat = {key: value for key, value in document.items() if key not in ("targets", CONFIG)}
    if (targets := document.get("targets")) is not None:
        if document.get("potentialTargets") is not None:
            problems.append("targets: is another name of potentialTargets, which is also given; leave one of them out")
        flat["potentialTargets"] = targets
    config = document.get(CONFIG)
    if config is not None and not isinstance(config, Mapping):
        problems.append(f"{CONFIG}: must be an object, not {kind_of(config)}")
    elif config is not None:
        problems += _unknown(config, CONFIG_KEYS, f"{CONFIG}.")
        twice = [key for key in config if document.get(key) is not None]
        problems += [f"{CONFIG}.{key}: is also given as {key}; leave one of them out" for key in twice]
        flat = {**flat, **{key: value for key, value in config.items() if key in CONFIG_KEYS}}
    return flat


def _unknown(given: Mapping[str, object], known: Iterable[str], place: str = "") -> list[str]:
    names = sorted(known)
    problems = []
    for key in given:
        if key not in names:
            near = get_close_matches(key, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(names)}"
            problems.append(f"{place}{key[:80]}: is not a key of a request; {hint}")
    return problems
