"""Adds to the OpenAPI document which operations need credentials, of which kinds, and how they refuse.

It describes the service as it is configured: without credentials, no operation asks for any. So the Swagger page shows
locks where there are some, and generated clients know what to send.
"""

from __future__ import annotations

from promsnmp.http.route_policy import UNDECLARED, RoutePolicy, RouteTable
from promsnmp.http.schemas.openapi import Json, failure, text
from promsnmp.http.security.auth import AccessControl

SCHEMES: Json = {
    "basic": {"type": "http", "scheme": "basic", "description": "A user of the web configuration."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "`API_TOKEN`."},
}
_REFUSALS = {
    "401": "Credentials are missing or wrong.",
    "403": "Sent from another machine while no credentials are configured, or by a web page of another site.",
    "429": "Too many logins at once.",
}


def with_security(document: Json, table: RouteTable, access: AccessControl) -> Json:
    """``document`` (left as it is) with what ``access`` asks for now; ``table`` has what the routes declare."""
    policies = {(method.lower(), path): policy for method, path, policy in table.declared()}
    paths = {
        path: {
            method: _operation(operation, policies.get((method, path), UNDECLARED), access)
            for method, operation in operations.items()
        }
        for path, operations in document["paths"].items()
    }
    components = document.get("components", {})
    if access.schemes:
        components = {**components, "securitySchemes": {name: SCHEMES[name] for name in access.schemes}}
    return {**document, "paths": paths, "components": components}


def _operation(operation: Json, policy: RoutePolicy, access: AccessControl) -> Json:
    if not access.is_restricted(policy.access):
        return operation
    describe = text if policy.plain_errors else failure
    refusals = {status: describe(reason) for status, reason in _REFUSALS.items()}
    made = {**operation, "responses": {**refusals, **operation["responses"]}}
    if access.schemes:
        made["security"] = [{name: []} for name in access.schemes]
    return made
