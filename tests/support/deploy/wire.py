"""Reads objects in Kubernetes's protobuf, as kubectl and Helm create them.

Both send JSON when they apply a file, but objects that they make themselves (``kubectl create secret``, the Secrets of
Helm's releases, ``--create-namespace``) in protobuf, kubectl from 1.32 on. The numbers of fields are those of
apimachinery's runtime/generated.proto and meta/v1/generated.proto and of api's core/v1/generated.proto. A field that is
not listed here is an error, so no field is ignored silently.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Object = dict[str, Any]
Field = tuple[str, Callable[[bytes], Any]]
"""The name of a field in JSON, and the function that reads its octets; each entry of a map is a field."""

MAGIC = b"k8s\x00"


def is_protobuf(body: bytes) -> bool:
    return body.startswith(MAGIC)


def object_of(body: bytes) -> Object:
    """The object in an envelope ``runtime.Unknown``. Raises ValueError for a kind or a field not listed here."""
    envelope = dict(_fields(body[len(MAGIC) :]))
    kind = _message({1: ("apiVersion", _text), 2: ("kind", _text)}, envelope[1])
    fields = KINDS.get((kind["apiVersion"], kind["kind"]))
    if fields is None:
        raise ValueError(f"protobuf of {kind['kind']} in {kind['apiVersion']} is not supported")
    return {**kind, **_message(fields, envelope[2])}


def _message(fields: Mapping[int, Field], data: bytes) -> Object:
    message: Object = {}
    for number, octets in _fields(data):
        if number not in fields:
            raise ValueError(f"field {number} with {octets!r} is not supported beside {sorted(message)}")
        name, read = fields[number]
        value = read(octets)
        if isinstance(value, dict) and name in message:
            message[name] |= value
        elif value not in ("", {}, None):
            message[name] = value
    return message


def _text(octets: bytes) -> str:
    return octets.decode()


def _encoded(octets: bytes) -> str:
    """``bytes`` as JSON has them."""
    return base64.b64encode(octets).decode()


def _ignored(_: bytes) -> None:
    """Ignores what the server sets: times, status."""


def _map(read: Callable[[bytes], str]) -> Callable[[bytes], dict[str, str]]:
    """An entry of a map: a message with the key as field 1 and the value as field 2."""

    def entry(octets: bytes) -> dict[str, str]:
        pair = dict(_fields(octets))
        return {pair.get(1, b"").decode(): read(pair.get(2, b""))}

    return entry


META: Mapping[int, Field] = {
    1: ("name", _text),
    2: ("generateName", _text),
    3: ("namespace", _text),
    4: ("selfLink", _text),
    5: ("uid", _text),
    6: ("resourceVersion", _text),
    8: ("creationTimestamp", _ignored),
    11: ("labels", _map(_text)),
    12: ("annotations", _map(_text)),
}
_METADATA: Field = ("metadata", lambda octets: _message(META, octets))
KINDS: Mapping[tuple[str, str], Mapping[int, Field]] = {
    ("v1", "Secret"): {
        1: _METADATA, 2: ("data", _map(_encoded)), 3: ("type", _text), 4: ("stringData", _map(_text)),
    },
    ("v1", "ConfigMap"): {1: _METADATA, 2: ("data", _map(_text)), 3: ("binaryData", _map(_encoded))},
    ("v1", "Namespace"): {1: _METADATA, 2: ("spec", _ignored), 3: ("status", _ignored)},
    ("v1", "ServiceAccount"): {1: _METADATA},
}  # fmt: skip
"""What the pages have kubectl and Helm create, by apiVersion and kind."""


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and octets of each length-delimited field; varints are skipped (protobuf.dev, "Encoding")."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        length, at = _varint(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at : at + length]
            at += length
        elif tag & 7 != 0:
            raise ValueError(f"wire type {tag & 7}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
