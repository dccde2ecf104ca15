"""Community-based security of v1 and v2c."""

from __future__ import annotations

import pytest

from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.security import CommunityModel, Unauthentic

PDU = ber.encode_pdu(ber.RESPONSE, 7, 0, 0, b"")


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("community", ["public", "", "Grüße", "x" * 300])
def test_an_encoded_message_can_be_decoded(version: Version, community: str) -> None:
    model = CommunityModel(Community(version, community))
    assert model.ready()
    datagram = model.encode(PDU)
    buffer, pdu = model.decode(datagram)
    assert (buffer, pdu.request_id) == (datagram, 7)


def test_a_v2c_message_has_its_octets() -> None:
    assert CommunityModel(Community()).encode(b"\xa2\x00") == bytes.fromhex("300d 020101 0406 7075626c6963 a200")


@pytest.mark.parametrize("other", [Community(Version.V1), Community(community="private"), Community(Version.V1, "")])
def test_another_version_or_community_is_rejected(other: Community) -> None:
    with pytest.raises(Unauthentic):
        CommunityModel(Community()).decode(CommunityModel(other).encode(PDU))


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_an_answer_without_the_community_counts(version: Version) -> None:
    datagram = CommunityModel(Community(version, "")).encode(PDU)
    model = CommunityModel(Community(version, "secret"))
    assert model.is_response(datagram)
    assert model.decode(datagram)[1].request_id == 7
    assert model.timeout_hint() == ""


def test_a_timeout_has_a_hint_until_the_agent_has_answered() -> None:
    model = CommunityModel(Community())
    assert "community" in model.timeout_hint()
    with pytest.raises(ber.Malformed):
        model.decode(b"")
    assert "community" in model.timeout_hint()
    model.decode(model.encode(PDU))
    assert model.timeout_hint() == ""


def test_no_repr_shows_the_community() -> None:
    credentials = Community(community="s3cret")
    assert "s3cret" not in repr(credentials) + repr(CommunityModel(credentials))
