"""What the OpenAPI document says of access: which operations want credentials, of which kinds, and how they refuse.

It tells of the server as it is set up: where there are no credentials, none are asked for. So the Swagger page shows
locks where there are some, and programs that are made from the document know what to send.
"""

from __future__ import annotations

from promsnmp.http.middleware.access import PLAIN
from promsnmp.http.schemas.openapi import Json, failure, text
from promsnmp.http.security.auth import AccessControl, access_level

SCHEMES: Json = {
    "basic": {"type": "http", "scheme": "basic", "description": "A user of the web configuration."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "`API_TOKEN`."},
}
_REFUSALS = {
    "401": "Credentials are missing or wrong.",
    "403": "Without credentials: not from this machine, or by a page of another site.",
    "429": "Too many logins at once.",
}


def with_security(document: Json, access: AccessControl) -> Json:
    """``document`` (left as it is) with what ``access`` asks for now."""
    paths = {
        path: {method: _operation(one, method, path, access) for method, one in operations.items()}
        for path, operations in document["paths"].items()
    }
    components = document.get("components", {})
    if access.schemes:
        components = {**components, "securitySchemes": {name: SCHEMES[name] for name in access.schemes}}
    return {**document, "paths": paths, "components": components}


def _operation(operation: Json, method: str, path: str, access: AccessControl) -> Json:
    level = access_level(method.upper(), path)
    if not access.is_restricted(level):
        return operation
    describe = text if path in PLAIN else failure
    refusals = {status: describe(what) for status, what in _REFUSALS.items()}
    made = {**operation, "responses": {**refusals, **operation["responses"]}}
    if access.schemes:
        made["security"] = [{name: []} for name in access.schemes]
    return made
