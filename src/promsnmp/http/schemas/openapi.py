"""Builds the OpenAPI document: what FastAPI derives from the handlers, corrected where it does not fit.

Version 3.0, which the bundled Swagger UI can show. Paths that do not go through FastAPI are described here, and the 422
responses that FastAPI assumes are removed: a bad request is answered with 400.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from promsnmp.http.schemas.common import ErrorBody

VERSION = "3.0.3"
Json = dict[str, Any]

EXPOSITION: Json = {
    "description": "Exposition text 0.0.4, or OpenMetrics 1.0 when the Accept header prefers it.",
    "content": {
        "text/plain": {"schema": {"type": "string"}},
        "application/openmetrics-text": {"schema": {"type": "string"}},
    },
}


def failure(description: str) -> Json:
    """An error response for a handler's ``responses``."""
    schema = {"$ref": "#/components/schemas/ErrorBody"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


OUTCOME_UNKNOWN: dict[int | str, Json] = {
    504: failure("The change may have been made, and may not last: look it up before you repeat it.")
}
"""For the ``responses`` of a handler that changes the inventory."""


def text(description: str) -> Json:
    """A plain text response for a handler's ``responses``."""
    return {"description": description, "content": {"text/plain": {"schema": {"type": "string"}}}}


def parameter(name: str, description: str, *, required: bool = False, many: bool = False) -> Json:
    """A query parameter."""
    one: Json = {"type": "string", "minLength": 1} if required else {"type": "string"}
    schema: Json = {"type": "array", "items": one} if many else one
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


SNMP: Json = {
    "tags": ["scrape"],
    "summary": "Scrape one device",
    "operationId": "snmp",
    "parameters": [
        parameter("target", "A device's sysName, address or address:port.", required=True),
        parameter("module", "Modules to poll with; repeated or comma separated.", many=True),
        parameter("auth", "Credentials of an address that is not in the inventory (`public_v1`, `public_v2`)."),
        parameter("snmp_context", "SNMPv3 context name."),
    ],
    "responses": {
        "200": EXPOSITION,
        "400": text("A parameter is missing, repeated or wrong."),
        "404": text("The target is not in the inventory."),
        "502": text("The device refuses, or its answer is wrong; the text says why."),
        "504": text("The device did not answer in time."),
    },
}


def openapi_document(app: FastAPI) -> Json:
    """The document of ``app``, built once."""
    if app.openapi_schema is None:
        app.openapi_schema = _complete(FastAPI.openapi(app))
    return app.openapi_schema


def _complete(document: Json) -> Json:
    document["paths"]["/snmp"] = {"get": SNMP}
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["ErrorBody"] = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document
