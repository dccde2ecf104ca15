"""Checks custom resources against their definitions, with cloudcoil's models of them.

The models ignore unknown fields. So each object is written again from its model; fields that are then missing are
unknown.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pydantic

MODELS = {
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
    "monitoring.coreos.com/v1alpha1": "cloudcoil.models.prometheus_operator.v1alpha1",
    "networking.istio.io/v1": "cloudcoil.models.istio.networking.v1",
    "cert-manager.io/v1": "cloudcoil.models.cert_manager.v1",
}


def problems(item: dict[str, Any]) -> Iterator[str]:
    """The problems of a custom resource."""
    module = MODELS.get(item["apiVersion"])
    model = getattr(importlib.import_module(module), item["kind"], None) if module else None
    if model is None:
        yield f"no schema of {item['apiVersion']} {item['kind']}"
        return
    try:
        read = model.model_validate(item)
    except pydantic.ValidationError as error:
        yield from (f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        return
    yield from _unknown_fields(item, read.model_dump(by_alias=True, exclude_unset=True, mode="json"), "")


def _unknown_fields(sent: Any, read: Any, path: str) -> Iterator[str]:
    match sent, read:
        case dict(), dict():
            for key, value in sent.items():
                if key in read:
                    yield from _unknown_fields(value, read[key], f"{path}.{key}")
                else:
                    yield f"{path}.{key} is not known"
        case list(), list():
            for number, (sent_item, read_item) in enumerate(zip(sent, read, strict=True)):
                yield from _unknown_fields(sent_item, read_item, f"{path}[{number}]")
        case _:
            pass
