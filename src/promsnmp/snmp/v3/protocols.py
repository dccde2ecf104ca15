"""The authentication and privacy protocols of v3: one table of each, and the only place that lists them.

A new protocol is one entry: keys, ciphers, ``snmp.yml``, the inventory's documents, the HTTP API and the command line
read the table. A protocol that needs another cipher also needs a ``Cipher`` and its class in ``crypto.py``. There are
no cipher classes here, so that the many modules that only name a protocol do not load ``cryptography``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Self


class Cipher(Enum):
    """How a privacy protocol encrypts; ``crypto.py`` has a class for each."""

    DES_CBC = auto()
    """RFC 3414 section 8."""
    AES_CFB = auto()
    """RFC 3826 section 3."""


class KeyExtension(Enum):
    """How a localised key is made longer when the hash is shorter than the cipher's key."""

    BLUMENTHAL = auto()
    """draft-blumenthal-aes-usm-04 section 3.1.2.1."""
    REEDER = auto()
    """draft-reeder-snmpv3-usm-3desede-00 section 2.1, which Cisco and others use for AES."""


_REEDER = KeyExtension.REEDER


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthSpec:
    """An authentication protocol: its hash by hashlib's name, and the octets of its truncated MAC."""

    net_snmp_name: str
    """With net-snmp's dashes, as people type it on a command line."""
    hash_name: str
    mac_size: int
    aliases: tuple[str, ...] = ()
    """Other names that are read (capital letters, no dashes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivSpec:
    """A privacy protocol: the octets of its key, its cipher, and how a short key is extended."""

    net_snmp_name: str
    key_size: int
    cipher: Cipher
    extension: KeyExtension = KeyExtension.BLUMENTHAL
    document_name: str = ""
    """The name in the inventory's documents, if it is another one."""


class AuthProtocol(StrEnum):
    """HMAC protocols: RFC 3414 sections 6 and 7 (MD5, SHA), RFC 7860 section 4.2.2 (the others)."""

    spec: AuthSpec

    MD5 = "MD5", AuthSpec(net_snmp_name="MD5", hash_name="md5", mac_size=12)
    SHA = "SHA", AuthSpec(net_snmp_name="SHA", hash_name="sha1", mac_size=12, aliases=("SHA1",))
    SHA224 = "SHA224", AuthSpec(net_snmp_name="SHA-224", hash_name="sha224", mac_size=16)
    SHA256 = "SHA256", AuthSpec(net_snmp_name="SHA-256", hash_name="sha256", mac_size=24)
    SHA384 = "SHA384", AuthSpec(net_snmp_name="SHA-384", hash_name="sha384", mac_size=32)
    SHA512 = "SHA512", AuthSpec(net_snmp_name="SHA-512", hash_name="sha512", mac_size=48)

    def __new__(cls, name: str, spec: AuthSpec | None = None) -> Self:
        if spec is None:
            raise TypeError(f"{name} has no AuthSpec")
        member = str.__new__(cls, name)
        member._value_ = name
        member.spec = spec
        return member

    @classmethod
    def names(cls) -> dict[str, AuthProtocol]:
        """Every name that is read, in capital letters and without dashes."""
        return {name: member for member in cls for name in (member.value, *member.spec.aliases)}


class PrivProtocol(StrEnum):
    """Privacy protocols: RFC 3414 section 8 (DES), RFC 3826 (AES), draft-blumenthal-aes-usm-04 (AES192, AES256)
    and the key extension of draft-reeder-snmpv3-usm-3desede-00 that Cisco uses (AES192C, AES256C)."""

    spec: PrivSpec

    # DES: 8 octets of key, 8 of pre-IV (RFC 3414 section 8.1.1.1). AES: RFC 3826 section 3.1.2.1; the original reads
    # AES128 in agents and seeds, AES only in agents.
    DES = "DES", PrivSpec(net_snmp_name="DES", key_size=16, cipher=Cipher.DES_CBC)
    AES = "AES", PrivSpec(net_snmp_name="AES", key_size=16, cipher=Cipher.AES_CFB, document_name="AES128")
    AES192 = "AES192", PrivSpec(net_snmp_name="AES-192", key_size=24, cipher=Cipher.AES_CFB)
    AES256 = "AES256", PrivSpec(net_snmp_name="AES-256", key_size=32, cipher=Cipher.AES_CFB)
    AES192C = "AES192C", PrivSpec(net_snmp_name="AES-192-C", key_size=24, cipher=Cipher.AES_CFB, extension=_REEDER)
    AES256C = "AES256C", PrivSpec(net_snmp_name="AES-256-C", key_size=32, cipher=Cipher.AES_CFB, extension=_REEDER)

    def __new__(cls, name: str, spec: PrivSpec | None = None) -> Self:
        if spec is None:
            raise TypeError(f"{name} has no PrivSpec")
        member = str.__new__(cls, name)
        member._value_ = name
        member.spec = spec
        return member

    @property
    def document_name(self) -> str:
        """The name in the inventory's documents."""
        return self.spec.document_name or self.value

    @classmethod
    def names(cls) -> dict[str, PrivProtocol]:
        """Every name that is read, in capital letters and without dashes."""
        return {name: member for member in cls for name in (member.value, member.document_name)}
