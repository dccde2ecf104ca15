"""Decodes Secrets as Helm sends them, in protobuf (apimachinery's runtime/generated.proto, api's core/v1)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

MAGIC = b"k8s\x00"


def is_protobuf(body: bytes) -> bool:
    return body.startswith(MAGIC)


def secret_of(body: bytes) -> dict[str, Any]:
    """The Secret in an envelope ``runtime.Unknown``. Raises ValueError for anything else."""
    envelope = dict(_fields(body[len(MAGIC) :]))
    kind = dict(_fields(envelope[1]))
    if kind.get(2) != b"Secret":
        raise ValueError(f"only Secrets are understood, not {kind.get(2)!r}")
    fields = list(_fields(envelope[2]))
    meta = list(_fields(dict(fields)[1]))
    names = {1: "name", 3: "namespace", 5: "uid", 6: "resourceVersion"}
    metadata: dict[str, Any] = {names[key]: value.decode() for key, value in meta if key in names and value}
    metadata["labels"] = {key: value.decode() for key, value in _map(meta, 11)}
    data = {key: base64.b64encode(value).decode() for key, value in _map(fields, 2)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": dict(fields)[3].decode(), "data": data}


def _map(fields: list[tuple[int, bytes]], number: int) -> Iterator[tuple[str, bytes]]:
    """The entries of a map: messages with the key as field 1 and the value as field 2."""
    for key, entry in fields:
        if key == number:
            pair = dict(_fields(entry))
            yield pair[1].decode(), pair.get(2, b"")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and octets of each length-delimited field; varints are passed over (protobuf.dev, "Encoding")."""
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
