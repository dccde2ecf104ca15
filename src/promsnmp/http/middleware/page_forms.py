"""Reads the forms that people send to pages, and refuses those that no page of this service has made.

Every request that changes something by a page passes here, so no handler can forget the check. A form that another
replica forwards was checked there.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.bodies import read_body, replay_body
from promsnmp.http.responses.errors import send_error
from promsnmp.http.responses.forms import Form, first, read_form
from promsnmp.http.route_policy import SAFE_METHODS, policy_of
from promsnmp.http.security.origin import headers_of
from promsnmp.http.security.sessions import Sessions

FORM = "promsnmp.form"
"""Key of an ASGI scope: the fields of the form."""
TOKEN_FIELD = "form_token"  # noqa: S105  # the name of a field
REFUSED = "the form is not from a page of this service, or is too old, or the browser keeps no cookies; open it again"


class PageFormsMiddleware:
    """Checks the tokens of forms by ``sessions``."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose pages find the form of a request in its scope."""

        async def checked(scope: Scope, receive: Receive, send: Send) -> None:
            policy = policy_of(scope)
            if scope["type"] != "http" or not policy.is_page or scope["method"] in SAFE_METHODS:
                await app(scope, receive, send)
                return
            try:
                body = await read_body(scope, receive, max_bytes=policy.max_form)
                form = await read_form(headers_of(scope).get("content-type", ""), body)
            except ClientDisconnect:
                return
            except HTTPException as error:
                await send_error(send, scope, error.status_code, error.detail)
                return
            if PEER not in scope and not self._sessions.is_own_form(scope, first(form, TOKEN_FIELD)):
                await send_error(send, scope, 403, REFUSED)
                return
            scope[FORM] = form
            await app(scope, replay_body(body, receive), send)

        return checked


def form_of(scope: Scope) -> Form:
    """The form of a request that changes something by a page."""
    form: Form = scope[FORM]
    return form
