"""The tables of protocols: each name leads to one protocol, and each entry is complete."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from pickle import dumps, loads

import pytest

from promsnmp.snmp.v3.protocols import AuthProtocol, KeyExtension, PrivProtocol


def compact(name: str) -> str:
    return name.upper().replace("-", "")


@pytest.mark.parametrize("protocols", [AuthProtocol, PrivProtocol])
def test_every_name_of_a_protocol_is_read(protocols: type[AuthProtocol | PrivProtocol]) -> None:
    names = protocols.names()
    for protocol in protocols:
        assert names[protocol.value] is protocol
        assert names[compact(protocol.spec.net_snmp_name)] is protocol


def test_no_name_means_two_protocols() -> None:
    names = [name for auth in AuthProtocol for name in {auth.value, *auth.spec.aliases}]
    names += [name for priv in PrivProtocol for name in {priv.value, priv.document_name}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("protocol", AuthProtocol)
def test_a_mac_is_not_longer_than_its_hash(protocol: AuthProtocol) -> None:
    assert protocol.spec.mac_size <= hashlib.new(protocol.spec.hash_name).digest_size


def test_ciscos_protocols_extend_keys_as_reeder_does() -> None:
    extended = {protocol for protocol in PrivProtocol if protocol.spec.extension is KeyExtension.REEDER}
    assert extended == {PrivProtocol.AES192C, PrivProtocol.AES256C}


def test_documents_write_aes_with_its_key_size_as_the_original_reads_it() -> None:
    assert [protocol.document_name for protocol in PrivProtocol] == [
        *("DES", "AES128", "AES192", "AES256", "AES192C", "AES256C")
    ]


@pytest.mark.parametrize("protocol", [*AuthProtocol, *PrivProtocol])
def test_a_protocol_is_text_and_survives_copies(protocol: AuthProtocol | PrivProtocol) -> None:
    assert f"{protocol}" == protocol
    assert type(protocol)(protocol.value) is deepcopy(protocol) is loads(dumps(protocol)) is protocol
