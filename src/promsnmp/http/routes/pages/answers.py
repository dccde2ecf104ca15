"""What the pages for people share: who looks at one, who sends a form, and how the answer goes out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any

from fastapi import Request, Response

from promsnmp.cluster.members.members import Member
from promsnmp.errors import InventoryError, SettingsError
from promsnmp.http.middleware.page_errors import PAGE_HEADERS, is_fragment
from promsnmp.http.middleware.page_forms import TOKEN_FIELD, form_of
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.errors import ApiError, inventory_refusal
from promsnmp.http.responses.forms import first
from promsnmp.http.responses.negotiation import accepts_gzip
from promsnmp.http.responses.sending import HeaderList
from promsnmp.http.security.auth import Refusal
from promsnmp.http.security.sessions import new_form_cookie, set_cookie
from promsnmp.http.services import FormSender, PageViewer, PeoplePages, Services, ServicesDep, caller, request_id

VIEWER_HEADER = b"x-promsnmp-form-token"
"""Header of a request for a page from another replica: the token for the forms of its user, who may change things."""


def people_of(services: Services) -> PeoplePages:
    """The pages. Raises ApiError where they are off."""
    if services.people is None:
        raise ApiError(404, "no such path: the pages for people are off (WEB_UI=false)")
    return services.people


async def require_pages(services: ServicesDep) -> None:
    """A dependency of all that changes something by a page. Raises ApiError where pages are off."""
    people_of(services)


class PageRequest:
    """A request for a page: who looks, and the cookie that the answer has to set, for the token of its forms."""

    def __init__(self, viewer: PageViewer, cookie: str = "") -> None:
        self.viewer = viewer
        self.cookie = cookie

    @property
    def peer_headers(self) -> HeaderList:
        """Headers with which another replica makes the page for whoever looks at it here."""
        return [(VIEWER_HEADER, self.viewer.form_token.encode())] if self.viewer.may_change else []

    def answer(self, status: int, html: str) -> Response:
        """The answer: a page, or for status 303 where to go on."""
        if status == 303:
            response = Response(status_code=303, headers={"location": html, "cache-control": "no-store"})
        else:
            response = Response(html, status, media_type="text/html", headers=PAGE_HEADERS)
        if self.cookie:
            response.headers.append("set-cookie", self.cookie)
        return response


async def page_request_of(request: Request, services: Services) -> PageRequest:
    """Who looks at a page. A page of another site that leads here changes nothing yet, so it does not matter."""
    if PEER in request.scope:  # the other replica knows who it is
        token = request.headers.get(VIEWER_HEADER.decode(), "")
        return PageRequest(PageViewer("", may_change=bool(token), form_token=token))
    found = await services.access.identify(request.scope)
    sessions = services.login.sessions
    new = "" if sessions.has_form_cookie(request.scope) else new_form_cookie()
    token = sessions.form_token(request.scope, new)
    cookie = set_cookie(request.scope, sessions.form_cookie, new) if new else ""
    if isinstance(found, Refusal):
        return PageRequest(PageViewer(form_token=token), cookie)
    return PageRequest(PageViewer(found, may_change=True, form_token=token), cookie)


async def page_answer(
    request: Request,
    services: Services,
    name: str,
    item: str = "",
    *,
    query: Sequence[tuple[str, str]] | None = None,
    page_request: PageRequest | None = None,
) -> Response:
    """A page for who looks at it (``page_request``); ``query`` replaces the parameters of the request."""
    seen = page_request or await page_request_of(request, services)
    status, text = await people_of(services).page(
        name,
        item=item,
        query=request.query_params.multi_items() if query is None else query,
        is_fragment=is_fragment(request.headers),
        viewer=seen.viewer,
    )
    return seen.answer(status, text)


async def shared_answer(request: Request, services: Services, name: str) -> Response:
    """A page that is the same for all who look."""
    page = await people_of(services).shared_page(
        name, query=request.query_params.multi_items(), is_fragment=is_fragment(request.headers)
    )
    headers = {**PAGE_HEADERS, "vary": f"{PAGE_HEADERS['vary']}, Accept-Encoding"}
    body = page.html
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        body, headers["content-encoding"] = page.gzip, "gzip"
    return Response(body, page.status, media_type="text/html", headers=headers)


def other_owner(request: Request, services: Services, device_id: str) -> Member | None:
    """The other replica that polls a device; None when it is this one or not known, and for its own request."""
    cluster = services.cluster
    if not cluster.has_peers or PEER in request.scope:
        return None
    owner = cluster.members.find(cluster.members.ring.owner(device_id))
    return None if owner is None or owner.instance == cluster.members.me.instance else owner


def sender_of(request: Request) -> FormSender:
    """Who sends a form. The page that answers has the token of the form: the leader knows no other."""
    token = first(form_of(request.scope), TOKEN_FIELD)
    who = caller(request)
    viewer = PageViewer(who.rpartition("@")[0], may_change=True, form_token=token)
    return FormSender(who, request_id(request), viewer)


async def submitted(request: Request, services: Services, name: str, item: str = "") -> Response:
    """Does what the form of a page says, and answers."""
    sender = sender_of(request)
    with_errors = refusing(people_of(services).submit)
    status, html = await with_errors(name, form_of(request.scope), sender, item=item)
    return PageRequest(sender.viewer).answer(status, html)


def refusing(work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """``work``, whose errors are those of the API."""

    @wraps(work)
    async def wrapped(*args: object, **kwargs: object) -> object:
        try:
            return await work(*args, **kwargs)
        except InventoryError as error:
            raise inventory_refusal(error, "nothing has changed") from None
        except (SettingsError, ValueError) as error:
            raise ApiError(400, str(error)) from None

    return wrapped
