"""The forms of a request for a search; all lead to the same seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from promsnmp.discovery.request import read_request
from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.document.seeds import seed_document
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.snmp.credentials import AuthProtocol, Community, PrivProtocol, SecurityLevel, User, Version

PUBLIC = Community(Version.V2C, "s3cret")
USER = User("monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA, "s3cret-auth", PrivProtocol.AES, "s3cret-priv")
ORIGINAL_USER = {
    "potentialTargets": ["192.0.2.1"], "agentType": "snmp-user", "version": "V3", "port": 161,
    "securityName": "monitor", "authProtocol": "SHA", "authPassphrase": "s3cret-auth",
    "privProtocol": "AES", "privPassphrase": "s3cret-priv", "readCommunity": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "credentials", "port"),
    [({"potentialTargets": ["192.0.2.1"], "agentType": "snmp-community", "version": "v2c", "port": 1161,
       "readCommunity": "s3cret", "securityName": None, "securityLevel": None}, PUBLIC, 1161),
     ({"snmpConfig": {"version": 1, "readCommunity": "s3cret"}, "targets": ["192.0.2.1"]}, PUBLIC, 161),
     ({"snmpConfig": {"version": 2, "readCommunity": "s3cret", "port": 7}, "targets": ["192.0.2.1"]}, PUBLIC, 7),
     ({"snmpConfig": {"readCommunity": "s3cret"}, "targets": ["192.0.2.1"], "port": 8}, PUBLIC, 8),
     ({"snmpConfig": None, "readCommunity": "s3cret", "targets": ["192.0.2.1"]}, PUBLIC, 161),
     (ORIGINAL_USER, USER, 161), (ORIGINAL_USER | {"securityLevel": 3}, USER, 161),
     ({"potentialTargets": ["192.0.2.1"], "credentials": [{"readCommunity": "s3cret"}]}, PUBLIC, 161)],
)  # fmt: skip
def test_every_form_is_understood(body: dict[str, Any], credentials: object, port: int) -> None:
    request = read_request(body, Inventory())
    assert (request.seed.credentials, request.seed.port, request.remove_lost) == ((credentials,), port, False)
    assert request.seed.potential_targets == ("192.0.2.1",)


def test_a_seed_as_it_is_shown_is_a_request_and_keeps_its_secrets() -> None:
    seed = Seed("6a3c1d5e-0000-4000-8000-000000000031", ("192.0.2.0/24",), (PUBLIC, USER), labels=(("a", "b"),))
    shown = seed_document(seed, mask=True) | {"labels": {"a": "c"}, "removeLost": True}
    request = read_request(shown, Inventory(seeds=(seed,)))
    assert request.seed == replace(seed, labels=(("a", "c"),))
    assert request.remove_lost
    with pytest.raises(InventoryInvalid, match="is masked"):
        read_request(shown, Inventory())


@pytest.mark.parametrize(
    ("body", "problems"),
    [(None, ["the request must be an object with the key potentialTargets, not null"]),
     ({"potentialTargets": ["h"], "readCommunity": "s3cret", "exlude": []},
      ["exlude: is not a key of a request; did you mean exclude?"]),
     ({"targets": ["h"], "readCommunity": "s3cret", "removeLost": "yes"},
      ["removeLost: must be true or false, not text"]),
     ({"targets": "h", "snmpConfig": {"readCommunity": ["s3cret"]}},
      ["potentialTargets: must be a list, not text", "readCommunity: must be text, not a list"])],
)  # fmt: skip
def test_an_error_is_reported_once_without_secrets(body: object, problems: list[str]) -> None:
    with pytest.raises(InventoryInvalid) as caught:
        read_request(body, Inventory())
    assert caught.value.problems == problems
