"""The form of a search as the API's document: what was chosen by name, what was typed in."""

from __future__ import annotations

import pytest

from promsnmp.discovery.request import read_request
from promsnmp.errors import InventoryInvalid, ModuleError
from promsnmp.http.routes.pages.search_form import search_document
from promsnmp.inventory.model import Inventory, NamedCredentials, Seed
from promsnmp.snmp.credentials import Community, Credentials, SecurityLevel, User, Version

NAMED = Community(community="named")
CAMPUS = NamedCredentials("campus", Community(community="campus"))
SAVED = Seed("7f7a1c7e-0000-4000-8000-000000000001", ("10.0.0.1",), (Community(community="saved"), User("monitor")))


def auth(name: str) -> Credentials:
    if name != "public_v2":
        raise ModuleError(f"unknown auth {name!r}")
    return NAMED


def read(**form: str | list[str]) -> Seed:
    fields = {name: value if isinstance(value, list) else [value] for name, value in form.items()}
    document = search_document(
        fields, auth, lambda seed_id: SAVED if seed_id == SAVED.id else None, {"campus": CAMPUS}.get
    )
    return read_request(document, Inventory()).seed


def test_targets_are_apart_by_any_space_and_credentials_come_by_name() -> None:
    seed = read(targets="10.0.0.1,10.0.0.2\r\n  10.1.0.0/24;x.example", exclude="10.1.0.9", auth=["public_v2"])
    assert seed.potential_targets == ("10.0.0.1", "10.0.0.2", "10.1.0.0/24", "x.example")
    assert (seed.exclude, seed.credentials, seed.port) == (("10.1.0.9",), (NAMED,), 161)


def test_credentials_of_a_seed_and_typed_ones_add_up() -> None:
    seed = read(
        targets="10.0.0.1", auth=["public_v2", f"seed:{SAVED.id}"], community="typed", version="v1", user="ops",
        authPassphrase="long enough", authProtocol="SHA-256", privPassphrase="long enough too", privProtocol="AES",
        port="1161", neighbours="10.0.0.0/8", force="yes",
    )  # fmt: skip
    *communities, saved_user, typed, user = seed.credentials
    assert [str(one.community) for one in communities if isinstance(one, Community)] == ["named", "saved"]
    assert saved_user == SAVED.credentials[1]
    assert typed == Community(Version.V1, "typed")
    assert isinstance(user, User)
    assert (user.name, user.level, user.priv_passphrase) == ("ops", SecurityLevel.AUTH_PRIV, "long enough too")
    assert (seed.port, seed.neighbours, seed.force) == (1161, ("10.0.0.0/8",), True)


def test_secrets_are_taken_as_they_were_entered() -> None:
    assert read(targets="10.0.0.1", community=" a b ", port=" 1161 ").credentials == (Community(community=" a b "),)


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"port": "x"}, "port"),
        ({"port": "70000"}, "port"),
        ({"community": "", "user": "ops", "authPassphrase": "short", "authProtocol": "SHA"}, "authPassphrase"),
        ({"community": "", "user": "ops", "privPassphrase": "long enough", "privProtocol": "AES"}, "authPassphrase"),
    ],
)
def test_what_is_wrong_is_said_as_the_api_says_it(form: dict[str, str], problem: str) -> None:
    with pytest.raises(InventoryInvalid, match=problem):
        read(**{"targets": "10.0.0.1", "community": "public", **form})


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ModuleError):
        read(targets="10.0.0.1", auth=["none"])
