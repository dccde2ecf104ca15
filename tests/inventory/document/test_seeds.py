"""Seeds of a document: the original's, ours, and the defaults of missing fields."""

from __future__ import annotations

from typing import Any

import pytest

from promsnmp.inventory.document.fields import MASK
from promsnmp.inventory.document.previous import PreviousValues
from promsnmp.inventory.document.seeds import MAX_CREDENTIALS, read_seed, seed_document
from promsnmp.inventory.document.write import from_document, to_document
from promsnmp.inventory.model import Seed
from promsnmp.snmp.credentials import AuthProtocol, Community, PrivProtocol, SecurityLevel, User, Version

USER = {
    "securityName": "monitor",
    "authProtocol": "SHA256",
    "authPassphrase": "s3cret-auth",
    "privProtocol": "AES",
    "privPassphrase": "s3cret-priv",
}
TARGETS = {"potentialTargets": ["192.0.2.0/24"]}
MONITOR = User("monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "s3cret-auth", PrivProtocol.AES, "s3cret-priv")


def seed_of(raw: dict[str, Any], earlier_seed: Seed | None = None) -> Seed:
    problems: list[str] = []
    earlier = (
        from_document({"devices": [], "discoverySeeds": [seed_document(earlier_seed, mask=False)]})
        if earlier_seed
        else None
    )
    seed = read_seed(raw, "seed", problems, PreviousValues(earlier))
    assert not problems
    assert seed is not None
    return seed


def problems_of(raw: object) -> list[str]:
    problems: list[str] = []
    assert read_seed(raw, "seed", problems, PreviousValues(None)) is None or problems
    return problems


def test_a_seed_of_several_credentials_shows_the_first_where_the_original_looks() -> None:
    raw = TARGETS | {"version": "v2c", "agentType": "snmp-community", "readCommunity": "s3cret"}
    seed = seed_of(raw | {"credentials": [USER, {"readCommunity": "other", "version": "v1"}]})
    assert seed.credentials == (Community(Version.V2C, "s3cret"), MONITOR, Community(Version.V1, "other"))
    written = seed_document(seed, mask=False)
    assert {key: written[key] for key in raw} == raw
    assert seed_of(written) == seed


def test_all_credentials_may_be_in_the_list() -> None:
    seed = seed_of(TARGETS | {"credentials": [USER, {"readCommunity": "a"}]})
    assert seed.credentials == (MONITOR, Community(Version.V2C, "a"))


def test_duplicate_credentials_are_tried_once() -> None:
    seed = seed_of(TARGETS | {"readCommunity": "a", "credentials": [{"readCommunity": "a"}, {"readCommunity": "b"}]})
    assert seed.credentials == (Community(Version.V2C, "a"), Community(Version.V2C, "b"))


@pytest.mark.parametrize(
    ("given", "level"),
    [({}, SecurityLevel.AUTH_PRIV), ({"securityLevel": 0}, SecurityLevel.AUTH_PRIV),
     ({"privPassphrase": None, "privProtocol": None}, SecurityLevel.AUTH_NO_PRIV),
     ({"privPassphrase": None, "authPassphrase": None}, SecurityLevel.NO_AUTH_NO_PRIV),
     ({"securityLevel": 2}, SecurityLevel.AUTH_NO_PRIV)],
)  # fmt: skip
def test_level_0_of_the_original_is_derived_from_the_passphrases(given: dict[str, Any], level: SecurityLevel) -> None:
    (user,) = seed_of(TARGETS | {"version": "v3", "agentType": "snmp-user"} | USER | given).credentials
    assert isinstance(user, User)
    assert user.level is level


@pytest.mark.parametrize(
    ("given", "version"),
    [({"readCommunity": "a"}, Version.V2C), ({"readCommunity": "a", "version": 1}, Version.V2C),
     ({"readCommunity": "a", "version": 0}, Version.V1), ({"readCommunity": "a", "version": "V1"}, Version.V1),
     ({"agentType": "snmp-community", "readCommunity": "a"}, Version.V2C), (USER, Version.V3)],
)  # fmt: skip
def test_kind_and_version_may_be_left_out(given: dict[str, Any], version: Version) -> None:
    assert seed_of(TARGETS | given).version is version


def test_masked_secrets_of_a_seed_are_kept_by_position() -> None:
    seed = seed_of(TARGETS | {"readCommunity": "s3cret-a", "credentials": [{"readCommunity": "s3cret-b"}, USER]})
    shown = seed_document(seed, mask=True)
    assert "s3cret" not in str(shown)
    assert MASK in str(shown)
    assert seed_of(shown, earlier_seed=seed) == seed


def test_our_own_keys_survive_and_defaults_are_not_written() -> None:
    ours = {"exclude": ["192.0.2.7"], "labels": {"site": "a"}, "modules": ["if_mib"], "neighbours": [], "force": True}
    seed = seed_of(TARGETS | {"readCommunity": "a"} | ours)
    assert {key: value for key, value in seed_document(seed, mask=False).items() if key in ours} == ours
    plain = seed_document(seed_of(TARGETS | {"readCommunity": "a"}), mask=False)
    assert not plain.keys() & {*ours, "credentials"}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [(7, "seed: must be an object, not a number"),
     ({"readCommunity": "a"}, "seed.potentialTargets: is empty"),
     (TARGETS, "seed.agentType: is missing"),
     (TARGETS | {"readCommunity": "a", "securityName": "b"}, "seed.agentType: is missing"),
     (TARGETS | {"version": "v2c", "credentials": [USER]}, "seed.readCommunity: is missing"),
     (TARGETS | {"credentials": [7]}, "seed.credentials[0]: must be an object"),
     (TARGETS | {"credentials": [USER | {"authPassphrase": "short"}]}, "seed.credentials[0].authPassphrase: is short"),
     (TARGETS | {"readCommunity": "a", "force": 1}, "seed.force: must be true or false, not a number"),
     (TARGETS | {"readCommunity": MASK}, "seed.readCommunity: is masked"),
     (TARGETS | {"credentials": [{"readCommunity": str(i)} for i in range(MAX_CREDENTIALS + 1)]},
      f"seed.credentials: has {MAX_CREDENTIALS + 1} entries")],
)  # fmt: skip
def test_problems_of_a_seed_have_a_place_and_no_secret(raw: object, problem: str) -> None:
    (found,) = problems_of(raw)
    assert found.startswith(problem)
    assert "s3cret" not in found


def test_a_seed_that_the_original_stored_without_a_level_does_not_end_the_start() -> None:
    seed = TARGETS | {"version": "v3", "agentType": "snmp-user", "port": 161, "securityLevel": 0} | USER
    inventory = from_document({"devices": [], "discoverySeeds": [seed]})
    assert inventory.seeds[0].credentials == (MONITOR,)
    assert from_document(to_document(inventory, mask=False)) == inventory
