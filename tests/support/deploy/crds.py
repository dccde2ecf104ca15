"""Checks custom resources against their definitions, with cloudcoil's models of them.

The models ignore unknown fields; so each object is written again from its model, and fields that are lost are unknown.
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
        yield from (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return
    yield from _lost(item, read.model_dump(by_alias=True, exclude_unset=True, mode="json"), "")


def _lost(given: Any, kept: Any, path: str) -> Iterator[str]:
    match given, kept:
        case dict(), dict():
            for key, value in given.items():
                if key in kept:
                    yield from _lost(value, kept[key], f"{path}.{key}")
                else:
                    yield f"{path}.{key} is not known"
        case list(), list():
            for number, (one, other) in enumerate(zip(given, kept, strict=True)):
                yield from _lost(one, other, f"{path}[{number}]")
        case _:
            pass
