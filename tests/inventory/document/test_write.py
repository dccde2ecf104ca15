from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.document.write import MASK, DocumentWriter, from_document, parse_json, to_document
from promsnmp.inventory.model import ACTIVE, LOST, Agent, AgentEndpoint, Device, DeviceIdentifiers, Inventory, Seed
from promsnmp.snmp.credentials import (
    AuthProtocol,
    Community,
    Credentials,
    PrivProtocol,
    SecurityLevel,
    User,
    Version,
)
from tests.support.inventory.samples import COMMUNITY_AGENT, SECRETS, USER_AGENT, document
from tests.support.inventory.strategies import OVERRIDES


def problems_of(raw: object, **options: Any) -> list[str]:
    with pytest.raises(InventoryInvalid) as caught:
        from_document(raw, **options)
    return caught.value.problems


def with_agent(base: dict[str, Any] = COMMUNITY_AGENT, **changes: Any) -> dict[str, Any]:
    """A document of one device with one agent; a change to ``...`` removes the key."""
    agent = {key: value for key, value in (base | changes).items() if value is not ...}
    return {"devices": [{"sysName": "a", "agents": [agent]}]}


def only_agent(raw: dict[str, Any]) -> Agent:
    agent = from_document(raw).devices[0].primary
    assert agent is not None
    return agent


def test_a_document_of_the_original_is_read_as_it_means() -> None:
    inventory = from_document(document())
    core, edge = inventory.devices
    assert (core.sys_name, core.sys_descr, core.sys_contact, core.sys_location) == (
        "core1.example.net", "a router", "noc", "rack 7",
    )  # fmt: skip
    assert core.primary is core.agents[0]
    assert core.agents[0].credentials == Community(Version.V2C, "s3cret-read")
    assert core.agents[0].write_community == "s3cret-write"
    assert core.agents[0].discovered_at == "2025-05-01T12:34:56.123456789Z"
    assert edge.primary is not None
    assert edge.primary.credentials == User(
        "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "s3cret-auth", PrivProtocol.AES256, "s3cret-priv"
    )
    assert edge.primary.endpoint == AgentEndpoint("2001:db8::2", 1161)
    assert inventory.seeds[0].potential_targets == ("192.0.2.0/24", "host.example.net")
    assert inventory.seeds[0].credentials == (Community(Version.V2C, "s3cret-seed"),)


def test_a_document_survives_a_round_trip() -> None:
    written = to_document(from_document(document()), mask=False)
    assert {key: written[key] for key in ("devices", "discoverySeeds")} == document()


def test_no_secret_shows_in_a_masked_document_or_a_repr() -> None:
    raw = document()
    raw["devices"][0]["agents"][0]["surprise"] = "s3cret-read"
    inventory = from_document(raw)
    shown = json.dumps(to_document(inventory, mask=True)) + repr(inventory)
    assert not [secret for secret in SECRETS if secret in shown]
    assert MASK in shown


def test_a_masked_document_keeps_the_secrets_that_were_there() -> None:
    inventory = from_document(document())
    assert from_document(to_document(inventory, mask=True), previous=inventory) == inventory


def test_a_masked_document_without_ids_keeps_secrets_and_identities() -> None:
    inventory = from_document(document())
    masked = json.loads(json.dumps(to_document(inventory, mask=True)))
    for device in masked["devices"]:
        for item in (device, device["primaryAgent"], *device["agents"]):
            del item["id"]
    assert from_document(masked, previous=inventory).devices == inventory.devices


def test_an_agent_that_moved_keeps_its_secret_by_its_id() -> None:
    inventory = from_document(document())
    masked: Any = to_document(inventory, mask=True)
    masked["devices"][0]["agents"][0]["endpoint"] = {"address": "192.0.2.77", "port": 161}
    moved = from_document(masked, previous=inventory).devices[0]
    assert moved.primary is not None
    assert (moved.primary.endpoint.address, moved.primary.credentials) == (
        "192.0.2.77", Community(Version.V2C, "s3cret-read"),
    )  # fmt: skip
    assert len(moved.agents) == 1


def test_an_address_taken_over_by_a_new_agent_does_not_take_the_identity_of_the_one_that_moved() -> None:
    inventory = from_document(document())
    raw = document()
    for agent in (raw["devices"][0]["agents"][0], raw["devices"][0]["primaryAgent"]):
        agent["endpoint"] = {"address": "192.0.2.77", "port": 161}
    newcomer = {key: value for key, value in COMMUNITY_AGENT.items() if key != "id"}
    raw["devices"].append({"sysName": "new", "agents": [newcomer]})
    devices = from_document(raw, previous=inventory).devices
    assert devices[0].agents[0].id == COMMUNITY_AGENT["id"] != devices[2].agents[0].id


def test_a_mask_without_a_previous_secret_is_a_problem() -> None:
    raw: Any = to_document(from_document(document()), mask=True)
    places = [problem.split(":")[0] for problem in problems_of(raw)]
    assert places == [
        "devices[0].agents[0].readCommunity",
        "devices[0].agents[0].writeCommunity",
        "devices[1].agents[0].authPassphrase",
        "devices[1].agents[0].privPassphrase",
        "discoverySeeds[0].readCommunity",
    ]


def test_a_mask_does_not_turn_a_passphrase_into_a_community() -> None:
    inventory = from_document(document())
    raw = document()
    agent = {**COMMUNITY_AGENT, "readCommunity": MASK, "id": USER_AGENT["id"], "endpoint": {"address": "192.0.2.9"}}
    raw["devices"][1] = {"sysName": "edge2", "agents": [agent | {"writeCommunity": ""}]}
    assert problems_of(raw, previous=inventory)[0].startswith("devices[1].agents[0].readCommunity: is masked")


BAD_AGENTS: list[tuple[dict[str, Any], str, str]] = [
    (with_agent(type=..., version=...), "type", "is missing"),
    (with_agent(type="telnet"), "type", "neither"),
    (with_agent(type=7.5), "type", "must be text"),
    (with_agent(version=...), "version", "is missing"),
    (with_agent(version=4), "version", "4 is not a version"),
    (with_agent(version=True), "version", "not a version"),
    (with_agent(version=3), "version", "needs 0 (v1) or 1 (v2c)"),
    (with_agent(USER_AGENT, version=1), "version", "needs 3"),
    (with_agent(readCommunity=...), "readCommunity", "is missing"),
    (with_agent(readCommunity=None), "readCommunity", "is missing"),
    (with_agent(readCommunity=["s3cret-read"]), "readCommunity", "must be text, not a list"),
    (with_agent(readCommunity="\ud800"), "readCommunity", "Unicode"),
    (with_agent(endpoint=...), "endpoint", "is missing"),
    (with_agent(endpoint="192.0.2.1:161"), "endpoint", "must be an object, not text"),
    (with_agent(endpoint={"port": 161}), "endpoint.address", "is missing"),
    (with_agent(endpoint={"address": "192.0.2.1", "port": 0}), "endpoint.port", "between 1 and 65535, not 0"),
    (with_agent(endpoint={"address": "192.0.2.1", "port": 65536}), "endpoint.port", "not 65536"),
    (with_agent(endpoint={"address": "192.0.2.1", "port": "snmp"}), "endpoint.port", "whole number"),
    (with_agent(endpoint={"address": "192.0.2.1", "port": 161.5}), "endpoint.port", "whole number"),
    (with_agent(endpoint={"address": "192.0.2.300"}), "endpoint.address", "neither an address nor a host name"),
    (with_agent(endpoint={"address": "no spaces"}), "endpoint.address", "neither an address nor a host name"),
    (with_agent(endpoint={"address": "224.0.0.1"}), "endpoint.address", "not the address of one device"),
    (with_agent(endpoint={"address": "0.0.0.0"}), "endpoint.address", "not the address of one device"),
    (with_agent(timeout=-1), "timeout", "between 1 and"),
    (with_agent(timeout=0), "timeout", "between 1 and"),
    (with_agent(timeout="soon"), "timeout", "whole number"),
    (with_agent(retries=-1), "retries", "between 0 and"),
    (with_agent(retries=10**30), "retries", "many digits"),
    (with_agent(discoveredAt="yesterday"), "discoveredAt", "is neither a time"),
    (with_agent(discoveredAt=1e300), "discoveredAt", "is neither a time"),
    (with_agent(id="17"), "id", "is not a UUID"),
    (with_agent(USER_AGENT, engineId="xyz"), "engineId", "hexadecimal"),
    (with_agent(USER_AGENT, securityName=""), "securityName", "is missing"),
    (with_agent(USER_AGENT, securityName="n" * 33), "securityName", "longer than 32"),
    (with_agent(USER_AGENT, securityLevel=...), "securityLevel", "is missing"),
    (with_agent(USER_AGENT, securityLevel=4), "securityLevel", "4 is not a level"),
    (with_agent(USER_AGENT, authProtocol=...), "authProtocol", "is missing"),
    (with_agent(USER_AGENT, authProtocol="CRC32"), "authProtocol", "is not one of MD5"),
    (with_agent(USER_AGENT, privProtocol=None), "privProtocol", "is missing"),
    (with_agent(USER_AGENT, privProtocol="ROT13"), "privProtocol", "is not one of DES"),
    (with_agent(USER_AGENT, authPassphrase="s3cret"), "authPassphrase", "shorter than 8 octets"),
    (with_agent(USER_AGENT, authPassphrase=...), "authPassphrase", "is missing"),
    (with_agent(USER_AGENT, privPassphrase="s3cret"), "privPassphrase", "shorter than 8 octets"),
    (with_agent(USER_AGENT, privPassphrase=""), "privPassphrase", "is missing"),
]


@pytest.mark.parametrize(("raw", "place", "reason"), BAD_AGENTS, ids=[f"{p} {r}" for _, p, r in BAD_AGENTS])
def test_a_bad_agent_is_one_problem_with_its_place(raw: dict[str, Any], place: str, reason: str) -> None:
    (problem,) = problems_of(raw)
    assert problem.startswith(f"devices[0].agents[0].{place}: ")
    assert reason in problem
    assert "s3cret" not in problem


BAD_DOCUMENTS: list[tuple[object, str]] = [
    (None, "the document must be an object with the key devices, not null"),
    ([], "the document must be an object with the key devices, not a list"),
    ({}, "devices: is missing"),
    ({"devices": None}, "devices: is missing"),
    ({"devices": {}}, "devices: must be a list, not an object"),
    ({"devices": [3]}, "devices[0]: must be an object, not a number"),
    ({"devices": [{}]}, "devices[0]: needs a sysName or an agent"),
    ({"devices": [{"sysName": "a", "agents": {}}]}, "devices[0].agents: must be a list"),
    ({"devices": [{"sysName": "a", "agents": [None]}]}, "devices[0].agents[0]: must be an object, not null"),
    ({"devices": [{"sysName": "a", "primaryAgent": 1}]}, "devices[0].primaryAgent: must be an object"),
    ({"devices": [{"sysName": "a", "modules": "if_mib"}]}, "devices[0].modules: must be a list, not text"),
    ({"devices": [{"sysName": "a", "detectedModules": ["a b"]}]},
     "devices[0].detectedModules: 'a b' is not a module name"),
    ({"devices": [{"sysName": "a", "modules": ["a,b"]}]}, "devices[0].modules: 'a,b' is not a module name"),
    ({"devices": [{"sysName": "a", "labels": {"a-b": "c"}}]}, "devices[0].labels.a-b: is not a label name"),
    ({"devices": [], "discoverySeeds": [{"agentType": "snmp-community", "version": "v2c", "readCommunity": "x"}]},
     "discoverySeeds[0].potentialTargets: is empty"),
    ({"devices": [], "discoverySeeds": [{"potentialTargets": ["h"], "version": "v4", "agentType": "snmp-user",
                                         "securityName": "u", "securityLevel": 1}]},
     "discoverySeeds[0].version: 'v4' is not a version"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "problem"), BAD_DOCUMENTS, ids=[problem for _, problem in BAD_DOCUMENTS])
def test_a_bad_document_is_one_problem_with_its_place(raw: object, problem: str) -> None:
    (found,) = problems_of(raw)
    assert found.startswith(problem)


def test_all_problems_are_listed_at_once() -> None:
    raw = document()
    raw["devices"][0]["agents"][0] |= {"timeout": -5, "readCommunity": None, "endpoint": {"address": "x y", "port": 0}}
    raw["devices"][0]["primaryAgent"] = None
    raw["devices"][1]["agents"][0] |= {"authPassphrase": "short", "privPassphrase": None}
    raw["discoverySeeds"][0]["potentialTargets"] = []
    assert [problem.split(": ")[0] for problem in problems_of(raw)] == [
        "devices[0].agents[0].endpoint.port",
        "devices[0].agents[0].endpoint.address",
        "devices[0].agents[0].readCommunity",
        "devices[0].agents[0].timeout",
        "devices[1].agents[0].authPassphrase",
        "devices[1].agents[0].privPassphrase",
        "discoverySeeds[0].potentialTargets",
    ]


def test_two_devices_cannot_share_an_endpoint_or_an_id() -> None:
    raw = document()
    agent = COMMUNITY_AGENT | {"endpoint": {"address": "::ffff:c000:201", "port": 161}}
    raw["devices"].append({"id": raw["devices"][0]["id"], "sysName": "2001:db8::2", "agents": [agent]})
    raw["devices"].append({"sysName": "twin", "agents": [{**COMMUNITY_AGENT, "id": None}]})
    found = problems_of(raw)
    assert [problem.split(": ")[0] for problem in found] == [
        "devices[2].id", "devices[2].agents[0].id", "devices[3].agents[0].endpoint",
    ]  # fmt: skip
    assert "192.0.2.1:161 is also devices[0].agents[0].endpoint" in found[2]


@pytest.mark.parametrize(
    ("spelt", "protocol"),
    [("sha", "SHA"), ("SHA1", "SHA"), ("SHA-1", "SHA"), ("HMAC-SHA-96", "SHA"), ("HMACMD5", "MD5"), ("md5", "MD5"),
     ("HMAC-MD5-96", "MD5"), ("SHA-256", "SHA256"), ("hmac192sha256", "SHA256"), ("SHA2-512", "SHA512"),
     ("usmHMAC384SHA512AuthProtocol", "SHA512"), ("HMAC128SHA224", "SHA224"), ("SHA_384", "SHA384")],
)  # fmt: skip
def test_authentication_protocols_are_known_by_many_names(spelt: str, protocol: str) -> None:
    credentials = only_agent(with_agent(USER_AGENT, authProtocol=spelt)).credentials
    assert isinstance(credentials, User)
    assert credentials.auth_protocol == protocol


@pytest.mark.parametrize(
    ("spelt", "protocol"),
    [("AES", "AES"), ("aes128", "AES"), ("AES-128", "AES"), ("AES192", "AES192"), ("AES-256", "AES256"),
     ("AES192C", "AES192C"), ("AES-256-C", "AES256C"), ("aes256cisco", "AES256C"), ("des", "DES"), ("CBC-DES", "DES")],
)  # fmt: skip
def test_privacy_protocols_are_known_by_many_names(spelt: str, protocol: str) -> None:
    credentials = only_agent(with_agent(USER_AGENT, privProtocol=spelt)).credentials
    assert isinstance(credentials, User)
    assert credentials.priv_protocol == protocol


@pytest.mark.parametrize(
    ("given_time", "expected"),
    [("2025-01-31T12:00:00Z", "2025-01-31T12:00:00Z"), ("2025-01-31T13:00:00+01:00", "2025-01-31T12:00:00Z"),
     ("2025-01-31 12:00:00", "2025-01-31T12:00:00Z"), (1738324800, "2025-01-31T12:00:00Z"),
     (1738324800.5, "2025-01-31T12:00:00.500000Z"), (1738324800000, "2025-01-31T12:00:00Z"), (None, None)],
)  # fmt: skip
def test_times_are_kept_as_iso_8601_in_utc(given_time: object, expected: str | None) -> None:
    assert only_agent(with_agent(discoveredAt=given_time)).discovered_at == expected


@pytest.mark.parametrize(
    ("spelt", "address"),
    [("core1/192.0.2.1", "192.0.2.1"), ("/192.0.2.1", "192.0.2.1"), ("core1.example.net/", "core1.example.net"),
     ("2001:DB8:0:0:0:0:0:2", "2001:db8::2"), ("[2001:db8::2]", "2001:db8::2"), ("fe80::1%eth0", "fe80::1%eth0"),
     (" Core1.Example.NET. ", "core1.example.net"), ("h/2001:db8:0:0:0:0:0:2", "2001:db8::2")],
)  # fmt: skip
def test_addresses_are_normalised(spelt: str, address: str) -> None:
    assert only_agent(with_agent(endpoint={"address": spelt})).endpoint == AgentEndpoint(address, 161)


def test_numbers_may_stand_as_text_and_absent_ones_have_the_defaults_of_the_original() -> None:
    agent = only_agent(with_agent(version="1", timeout="2000", retries=None, endpoint={"address": "h", "port": "1161"}))
    assert (agent.version, agent.timeout, agent.retries, agent.endpoint.port) == (Version.V2C, 2000, 1, 1161)
    assert only_agent(with_agent(timeout=None)).timeout == 1500


def test_a_user_without_authentication_needs_nothing_but_its_name() -> None:
    raw = with_agent(USER_AGENT, securityLevel="noAuthNoPriv", authProtocol="none", privProtocol=None,
                     authPassphrase=..., privPassphrase=None)  # fmt: skip
    assert only_agent(raw).credentials == User("monitor")


def test_the_primary_agent_is_found_by_its_endpoint() -> None:
    second = {**COMMUNITY_AGENT, "id": None, "endpoint": {"address": "192.0.2.2"}}
    raw = {"devices": [{"agents": [COMMUNITY_AGENT, second], "primaryAgent": {"endpoint": {"address": "192.0.2.2"}}}]}
    device = from_document(raw).devices[0]
    assert len(device.agents) == 2
    assert device.primary is device.agents[1]


def test_a_primary_agent_that_is_not_among_the_agents_is_added() -> None:
    raw = {"devices": [{"agents": [COMMUNITY_AGENT], "primaryAgent": USER_AGENT}]}
    device = from_document(raw).devices[0]
    assert device.primary is device.agents[1]
    assert device.agents[1].endpoint.port == 1161


def test_without_a_primary_agent_the_first_one_is_primary_and_a_device_may_have_none() -> None:
    assert only_agent(with_agent()).endpoint.address == "192.0.2.1"
    assert from_document({"devices": [{"sysName": "a", "agents": None}]}).devices[0].primary is None


def test_unknown_keys_are_kept_in_the_file_and_through_a_masked_round_trip() -> None:
    raw = document()
    raw["devices"][0]["rack"] = {"unit": 7}
    raw["devices"][0]["agents"][0]["note"] = "x"
    inventory = from_document(raw)
    for again in (inventory, from_document(to_document(inventory, mask=True), previous=inventory)):
        written: Any = to_document(again, mask=False)
        assert written["devices"][0]["rack"] == {"unit": 7}
        assert written["devices"][0]["agents"][0]["note"] == "x"


FINDING = {
    "sysObjectId": "1.3.6.1.4.1.9.1.1",
    "vendor": "Cisco",
    "model": "ASR 9000",
    "detectedModules": ["system", "if_mib", "cisco"],
}


def test_discovered_values_are_read_and_written_masked_or_not() -> None:
    raw = document()
    raw["devices"][0] |= FINDING
    inventory = from_document(raw)
    core, edge = inventory.devices
    assert (core.vendor, core.model, core.detected_modules) == ("Cisco", "ASR 9000", ("system", "if_mib", "cisco"))
    assert not core.modules
    assert (edge.vendor, edge.model, edge.detected_modules) == ("", "", ())
    for mask in (True, False):
        written: Any = to_document(inventory, mask=mask)
        assert {key: written["devices"][0][key] for key in FINDING} == FINDING
        assert not FINDING.keys() & written["devices"][1].keys()


def test_discovered_values_survive_a_document_without_them() -> None:
    raw = document()
    raw["devices"][0] |= FINDING
    inventory = from_document(raw)
    assert from_document(document(), previous=inventory).devices[0] == inventory.devices[0]
    raw["devices"][0] |= {"model": "CRS", "detectedModules": ["system"]}
    core = from_document(raw, previous=inventory).devices[0]
    assert (core.vendor, core.model, core.detected_modules) == ("Cisco", "CRS", ("system",))


@pytest.mark.parametrize("text", ["", "{", b"\xff\xfe\x00", "[" * 200_000, "1" * 5000, '{"a": s3cret}'])
def test_invalid_json_is_a_problem_that_quotes_nothing(text: str | bytes) -> None:
    with pytest.raises(InventoryInvalid, match="not valid JSON") as caught:
        parse_json(text)
    assert "s3cret" not in str(caught.value)


NAMES = st.text(st.characters(codec="utf-8"), max_size=20).map(str.strip)
SECRET = st.text(st.characters(codec="utf-8"), min_size=8, max_size=20).filter(lambda text: text != MASK)
USERS: st.SearchStrategy[Credentials] = st.builds(
    User,
    name=st.text("abcxyz", min_size=1, max_size=32),
    level=st.just(SecurityLevel.AUTH_PRIV),
    auth_protocol=st.sampled_from(AuthProtocol),
    auth_passphrase=SECRET,
    priv_protocol=st.sampled_from(PrivProtocol),
    priv_passphrase=SECRET,
    context_name=NAMES,
    context_engine_id=st.binary(max_size=8),
)
COMMUNITIES: st.SearchStrategy[Credentials] = st.builds(
    Community, version=st.sampled_from([Version.V1, Version.V2C]), community=SECRET
)
AGENTS = st.builds(
    Agent,
    id=st.uuids().map(str),
    endpoint=st.builds(
        AgentEndpoint, st.ip_addresses(network="10.0.0.0/8").map(str) | st.just("h"), st.integers(1, 65535)
    ),
    credentials=USERS | COMMUNITIES,
    timeout=st.integers(1, 60_000),
    retries=st.integers(0, 9),
    discovered_at=st.sampled_from([None, "2025-01-31T12:00:00Z"]),
    write_community=SECRET | st.just(""),
    engine_id=st.binary(max_size=12).map(bytes.hex),
)
LABELS = st.dictionaries(st.text("ab_", min_size=1), NAMES, max_size=2).map(lambda d: tuple(d.items()))

INSTANTS = st.sampled_from([None, "2025-01-31T12:00:00Z"])
MARKS = st.builds(
    DeviceIdentifiers,
    NAMES,
    st.lists(st.text("0123456789ABCDEF", min_size=1, max_size=8), max_size=2, unique=True).map(tuple),
    st.lists(st.text("0123456789abcdef", min_size=12, max_size=12), max_size=2, unique=True).map(tuple),
    INSTANTS,
    st.lists(st.text("0123456789abcdef", min_size=12, max_size=12), max_size=2, unique=True).map(tuple),
    NAMES,
)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    unique = draw(st.lists(AGENTS, max_size=6, unique_by=(lambda a: a.endpoint, lambda a: a.id)))
    names = draw(st.lists(st.from_regex(r"[a-g]{4}-[0-9]{1,4}", fullmatch=True), min_size=3, max_size=3, unique=True))
    devices = []
    for number, name in enumerate(names):
        agents = tuple(unique[number::3])
        primary = draw(st.sampled_from(agents)) if agents else None
        device = Device(
            str(draw(st.uuids())), name, draw(NAMES), draw(NAMES), draw(NAMES), None, agents, primary, ("if_mib",),
            draw(LABELS), draw(NAMES), draw(NAMES), draw(NAMES), draw(st.sampled_from([(), ("if_mib", "ups")])),
            draw(st.sampled_from([ACTIVE, LOST])), draw(INSTANTS), draw(INSTANTS), draw(MARKS), None, "",
            draw(OVERRIDES),
        )  # fmt: skip
        devices.append(device)
    if len({device.id for device in devices}) != len(devices):
        devices = devices[:1]
    seeds = draw(st.lists(st.builds(
        Seed, st.uuids().map(str), st.just(("10.0.0.0/8",)),
        st.lists(USERS | COMMUNITIES, min_size=1, max_size=3, unique=True).map(tuple), st.integers(1, 65535),
        st.sampled_from([(), ("10.0.0.1",)]), LABELS, st.sampled_from([(), ("if_mib",)]),
        st.sampled_from([None, (), ("10.0.0.0/8",)]), st.booleans(), OVERRIDES,
    ), max_size=2, unique_by=lambda seed: seed.id))  # fmt: skip
    return Inventory(tuple(devices), tuple(seeds), draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40)))


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(inventories())
def test_every_inventory_survives_the_document_masked_or_not(inventory: Inventory) -> None:
    text = DocumentWriter(mask=False).json(inventory)
    assert json.loads(text) == json.loads(json.dumps(to_document(inventory, mask=False)))
    assert from_document(json.loads(text)) == inventory
    assert from_document(to_document(inventory, mask=True), previous=inventory) == inventory
