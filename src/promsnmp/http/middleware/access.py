"""Refuses requests that their caller may not send, before their body is read.

The route declares the access level (``http/route_policy.py``), ``AccessControl`` knows the credentials. The caller's
name goes into the scope, for the audit log.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from promsnmp.http.responses.errors import send_error
from promsnmp.http.route_policy import policy_of
from promsnmp.http.security.auth import PRINCIPAL, AccessControl, Refusal


class AccessMiddleware:
    """Asks ``access`` about every request."""

    def __init__(self, access: AccessControl) -> None:
        self.access = access

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, for callers that may send the request."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            decision = await self.access.authorize(scope, policy_of(scope).access)
            if isinstance(decision, Refusal):
                headers = [(name.encode(), value.encode("latin-1")) for name, value in decision.headers]
                no_store = (b"cache-control", b"no-store")
                await send_error(send, scope, decision.status, decision.text, [no_store, *headers])
            else:
                scope[PRINCIPAL] = decision
                await app(scope, receive, send)

        return guarded
