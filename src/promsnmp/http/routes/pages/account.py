"""Logging in to the pages for people, and out again."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter, Depends, Request, Response

from promsnmp.cluster.members.members import Member
from promsnmp.errors import PeerError
from promsnmp.http.middleware.page_errors import own_path
from promsnmp.http.middleware.page_forms import form_of
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.forms import first
from promsnmp.http.route_policy import AccessLevel, page_access
from promsnmp.http.routes.pages.answers import PageRequest, page_request_of, people_of, require_pages
from promsnmp.http.security.auth import Refusal
from promsnmp.http.security.sessions import Session, set_cookie
from promsnmp.http.services import Services, ServicesDep, caller
from promsnmp.observe.audit import audit

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_pages)])

MAX_DIGITS = 12
"""Of a time that another replica sends."""
TELL_TIMEOUT = 2.0
"""Seconds that other replicas have to hear of a session that has ended."""
_NO_CREDENTIALS = (
    "Nobody can log in here, since no credentials are set up: programs and browsers on the machine of PromSNMP may "
    "change things, others may not. Set API_TOKEN, or basic_auth_users in the file of WEB_CONFIG_FILE."
)
_CERTIFICATE = "Present a client certificate that the service trusts: it is the login here."


@router.get("/login")
@page_access(AccessLevel.LOGIN)
async def show_login(request: Request, services: ServicesDep) -> Response:
    """The form, or who has logged in."""
    page_request = await page_request_of(request, services)
    target = request.query_params.get("next", "")
    if target and page_request.viewer.may_change:
        return page_request.answer(303, _relative(target))
    return page_request.answer(200, _page(request, services, page_request, target))


@router.post("/login")
@page_access(AccessLevel.LOGIN)
async def log_in(request: Request, services: ServicesDep) -> Response:
    """Checks what was entered, and begins a session."""
    people_of(services)
    form, login = form_of(request.scope), services.login
    name, secret, target = (first(form, key) for key in ("name", "secret", "next"))
    found = await login.check(request.scope, name.strip(), secret)
    page_request = await page_request_of(request, services)
    if isinstance(found, Refusal):
        response = page_request.answer(found.status, _page(request, services, page_request, target, error=found.text))
        response.headers.update(dict(found.headers))
        return response
    page_request.cookie = set_cookie(
        request.scope, login.sessions.cookie, login.sessions.issue(found), login.sessions.lifetime
    )
    audit("logged in", who=f"{found}@{caller(request).rpartition('@')[2]}")
    return page_request.answer(303, _relative(target))


@router.post("/logout")
@page_access(AccessLevel.LOGIN)
async def log_out(request: Request, services: ServicesDep) -> Response:
    """Ends the session, here and on the other replicas."""
    sessions = services.login.sessions
    if PEER in request.scope:
        form = form_of(request.scope)
        expires = first(form, "expires")
        for ended in form.get("session", [])[:1]:
            is_time = expires.isascii() and expires.isdigit() and len(expires) <= MAX_DIGITS
            await sessions.end(ended, int(expires) if is_time else 0)
        return Response(status_code=204)
    page_request = PageRequest((await page_request_of(request, services)).viewer)
    if (session := sessions.of(request.scope)) is not None:
        await sessions.end(session.id, session.expires)
        audit("logged out", who=f"{session.principal}@{caller(request).rpartition('@')[2]}")
        await _tell_others(services, session)
        page_request.cookie = set_cookie(request.scope, sessions.cookie, "", 0)
    return page_request.answer(303, "login")


async def _tell_others(services: Services, session: Session) -> None:
    """Tells the other replicas, as far as they answer: the others forget the session when it would have ended."""
    body = f"session={session.id}&expires={session.expires}".encode()

    async def tell(member: Member) -> None:
        headers = [(b"content-type", b"application/x-www-form-urlencoded")]
        try:
            await services.cluster.peers.request(
                member.address, "POST", b"/logout", headers, body, timeout=TELL_TIMEOUT
            )
        except PeerError as error:
            log.warning("replica %s did not hear that a session has ended: %s", member.name, error)

    await asyncio.gather(*map(tell, services.cluster.members.others))


def _page(request: Request, services: Services, page_request: PageRequest, target: str, *, error: str = "") -> str:
    login = services.login
    session = login.sessions.of(request.scope)
    hint = "" if login.is_possible else _CERTIFICATE if services.access.configured else _NO_CREDENTIALS
    return people_of(services).login_page(
        page_request.viewer,
        next_path=own_path(target),
        asks_name=login.asks_name,
        takes_token=login.takes_token,
        session="" if session is None else session.principal,
        error=error,
        hint=hint,
    )


def _relative(target: str) -> str:
    """A path of this service, relative to the login: a proxy may have put the service below a path."""
    return f"./{own_path(target)[1:]}"
